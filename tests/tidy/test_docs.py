"""The documents say what is there: paths, settings, addresses, commands, and examples that run."""

import ast
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import cyclopts
import httpx
import pytest

from api.command_line import Served, serving
from roost.assembly.settings import read_settings
from roost.cli.main import app
from roost.edge.problems import KINDS
from tidy.documents import API, ARCHITECTURE, DECISIONS, OPERATOR, README, ROOT, USER, Document, documents, rows

SOURCE = ROOT / "src/roost"
EXAMPLE_S_MAX = 120
DEFAULT_URL = "http://127.0.0.1:8000"
SUBCOMMANDS = sorted(name for name in app if not name.startswith("-"))
_COMMAND = re.compile(rf"(?:^|[\s/`])(?:roost|\./run) ((?:{'|'.join(SUBCOMMANDS)})\b[^`\n|;>]*)")
_ADDRESS = re.compile(r"`(GET|POST|PATCH|DELETE) (/[^`\s?]*)`")
_SOURCE_PATH = re.compile(r"[a-z_/]+/([a-z_0-9]+\.py)?")
_TEST = re.compile(r"(tests/[a-z_/0-9]+\.py)(?:::(\w+))?")
WRITING = {
    "add", "accept", "append", "begin", "change_email", "change_password", "create", "delete", "delete_user", "erase",
    "erase_account", "finish", "forget", "push", "put", "recount", "remove", "restore", "save_user", "write",
}  # fmt: skip
"""Names of methods of ports that change something."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("docs")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    with serving(folder / "data", cwd=folder) as running:
        yield running


@pytest.mark.parametrize("document", documents(), ids=str)
def test_every_link_leads_somewhere(document: Document) -> None:
    lost = []
    for link in document.links():
        name, _, anchor = link.partition("#")
        target = Document((document.path.parent / name).resolve() if name else document.path)
        if not target.path.exists() or (anchor and anchor not in target.anchors()):
            lost.append(link)
    assert lost == []


def test_every_decision_is_linked() -> None:
    linked = {Path(link).name for link in ARCHITECTURE.links()}
    assert {path.name for path in DECISIONS.glob("*.md")} - linked == set()


def test_the_code_map_names_every_package_and_nothing_else() -> None:
    named = {path for path in ARCHITECTURE.quoted() if _SOURCE_PATH.fullmatch(path)}
    packages = {f"{path.parent.relative_to(SOURCE)}/" for path in SOURCE.rglob("__init__.py")} - {"./"}
    beside = {"tests/", "loadgen/", "servers/", "benchmarks/", "docs/"}
    assert packages - named == set()
    unknown = {path for path in named if not (SOURCE / path).exists() and not (ROOT / path).exists()}
    assert unknown - beside == set()


def test_every_port_is_in_the_table_of_ports() -> None:
    named = {cells[0].strip("`") for cells in rows(ARCHITECTURE.section("Ports"))}
    assert named == {f"ports/{path.name}" for path in (SOURCE / "ports").glob("[!_]*.py")}


def test_every_test_that_is_named_exists() -> None:
    named = [match for document in documents() for match in _TEST.findall(document.text)]
    lost = [
        f"{path}::{function}" if function else path
        for path, function in named
        if not (ROOT / path).exists() or (function and f"def {function}(" not in (ROOT / path).read_text())
    ]
    assert named
    assert lost == []


def test_no_query_calls_what_writes() -> None:
    sets = {"add", "remove", "append"}  # of plain sets and lists, whose names are local
    calls = [
        f"{source.name}:{node.lineno} {node.func.attr}"
        for source in (SOURCE / "queries").glob("*.py")
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WRITING
        and not (node.func.attr in sets and isinstance(node.func.value, ast.Name))
    ]
    assert calls == []


def test_every_setting_is_documented_with_its_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, settings = read_settings({}, environment={})
    documented = {cells[0].strip("`"): cells[1:] for cells in rows(OPERATOR.section("Settings"))}
    assert set(documented) == {one.name for one in settings}
    for one in settings:
        default, meaning = documented[one.name]
        assert default == (f"`{one.value}`" if one.value else "(empty)"), one.name
        assert len(meaning) > len("Too short."), one.name


def test_every_address_is_documented_and_no_other(served: Served) -> None:
    document = httpx.get(f"{served.url}/openapi.json", trust_env=False).json()
    there = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    table = set(_ADDRESS.findall(API.section("Every address")))
    assert table == there
    for other in documents():
        unknown = set(_ADDRESS.findall(other.text)) - there - {("GET", "/ws")}
        assert unknown == set(), other


def test_every_problem_that_the_interface_names_is_documented() -> None:
    table = API.section("Conventions")
    missing = [kind.name for kind in KINDS.values() if f"`{kind.name}`" not in table]
    assert missing == []


def test_every_figure_that_is_documented_is_served(served: Served) -> None:
    figures = httpx.get(f"{served.url}/metrics", trust_env=False).text
    there = set(re.findall(r"^# HELP (\w+)", figures, re.MULTILINE))
    documented = set(re.findall(r"`(roost_\w+)", OPERATOR.section("Watching")))
    assert documented == there


def commands() -> list[tuple[str, str]]:
    return [
        (str(document), line.strip())
        for document in documents()
        for line in _COMMAND.findall(document.text.replace("\\\n", " "))
        if document.path.parent != DECISIONS
    ]


@pytest.mark.parametrize(("document", "line"), commands())
def test_every_command_that_is_shown_parses(document: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    if len(words) == 1:
        return  # named in a sentence, not shown
    words = [word.rstrip(".,:)") for word in words]
    app.parse_args(words, print_error=False, exit_on_error=False)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_has_help_and_a_place_in_the_documents(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    app.help_print([name])
    assert f"Usage: roost {name}" in capsys.readouterr().out
    assert f"roost {name}" in OPERATOR.text


def test_a_command_that_does_not_parse_is_noticed() -> None:
    with pytest.raises(cyclopts.CycloptsError):
        app.parse_args(["backup"], print_error=False, exit_on_error=False)


@pytest.mark.parametrize("document", [README, USER], ids=str)
def test_the_tour_works_as_it_stands(document: Document, served: Served, tmp_path: Path) -> None:
    shell = [block for block in document.blocks("sh") if "curl" in block or "$ROOST" in block or "ask " in block]
    said = run_shell("\n".join(shell), served.url, tmp_path)
    assert "#roost" in said
    assert "problems/" not in said


def test_the_examples_for_the_shell_in_the_page_on_the_interface_work(served: Served, tmp_path: Path) -> None:
    assert "/problems/invalid" in run_shell("\n".join(API.blocks("sh")), served.url, tmp_path)


def test_the_examples_in_python_in_the_page_on_the_interface_work(served: Served, tmp_path: Path) -> None:
    program = tmp_path / "examples.py"
    program.write_text("\n\n".join(API.blocks("python")).replace(DEFAULT_URL, served.url))
    done = subprocess.run(  # noqa: S603 - the documents' own examples
        [sys.executable, "-W", "error", str(program)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=EXAMPLE_S_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_picture_can_be_drawn() -> None:
    pictures = sorted((ROOT / "docs/images").glob("*.svg"))
    linked = {(document.path.parent / link).resolve() for document in documents() for link in document.links()}
    assert pictures
    for picture in pictures:
        assert ET.fromstring(picture.read_text()).get("viewBox")  # noqa: S314 - our own file
        assert picture in linked


def run_shell(script: str, url: str, folder: Path) -> str:
    """Run what a reader would type; what it prints."""
    bash = shutil.which("bash")
    if bash is None or shutil.which("curl") is None:
        pytest.skip("bash and curl run the examples")
    script = script.replace(DEFAULT_URL, url).replace(".venv/bin/python", shlex.quote(sys.executable))
    done = subprocess.run(  # noqa: S603 - the documents' own examples
        [bash, "-euo", "pipefail", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=EXAMPLE_S_MAX,
        check=False,
    )
    assert done.returncode == 0, (done.stdout[-2_000:], done.stderr[-2_000:])
    return done.stdout

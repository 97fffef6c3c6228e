"""Size, vocabulary and completeness of the source itself."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.domain.errors import RoostError
from roost.edge.problems import KINDS

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "loadgen").rglob("*.py"), *(ROOT / "servers").rglob("*.py")])
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40
VAGUE_NAMES = re.compile(r"(^|_)(utils?|helpers?|misc|common|managers?|services?)(_|$)")
MACHINE_PATHS = re.compile(r"(^|[^A-Za-z0-9_.])/(work|farm|root/)\b")
# Tables of names and the like: long by nature, and read by nobody top-down.
TABLES = {"tlds.py", "guessable_passwords.py"}


def functions(source: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def leaves(error: type[RoostError]) -> Iterator[type[RoostError]]:
    children = error.__subclasses__()
    if not children:
        yield error
    for child in children:
        yield from leaves(child)


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    if listed.returncode:
        pytest.fail(f"git does not list this checkout: {listed.stderr}")
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_files_are_short() -> None:
    long = [s for s in SOURCES if s.name not in TABLES and len(s.read_text().splitlines()) > FILE_LINES_MAX]
    assert long == []


def test_functions_fit_a_screen() -> None:
    long = [
        f"{source.name}:{function.lineno} {function.name}"
        for source in SOURCES
        for function in functions(source)
        if (function.end_lineno or 0) - function.lineno >= FUNCTION_LINES_MAX
    ]
    assert long == []


def test_every_module_says_what_it_is() -> None:
    assert [s for s in SOURCES if not ast.get_docstring(ast.parse(s.read_text()))] == []


def test_no_module_has_a_vague_name() -> None:
    assert [s for s in SOURCES if VAGUE_NAMES.search(s.stem)] == []


def test_every_error_has_a_row_in_the_table_of_problems() -> None:
    core = {leaf for leaf in leaves(RoostError) if leaf.__module__ == RoostError.__module__}
    assert core - set(KINDS) == set()


def test_no_tracked_file_names_a_path_of_some_machine() -> None:
    texts = tracked("*.py", "*.md", "*.toml", "*.sh", "*.yaml", "*.yml", "run", "check", ".ci/run")
    named = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in texts
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if MACHINE_PATHS.search(line)
    ]
    assert named == []

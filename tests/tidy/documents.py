"""The documents of this checkout, and what stands in them: links, examples, names in backquotes."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs/decisions"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_QUOTED = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """A Markdown file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """All but the fenced blocks."""
        return _FENCE.sub("", self.text)

    def section(self, heading: str) -> str:
        """What stands below a second-level heading, up to the next."""
        after = self.text.partition(f"\n## {heading}\n")[2]
        assert after, f"{self} has no section {heading!r}"
        return re.split(r"^## ", after, maxsplit=1, flags=re.MULTILINE)[0]

    def blocks(self, language: str) -> list[str]:
        return [body for kind, body in _FENCE.findall(self.text) if kind == language]

    def links(self) -> list[str]:
        """The targets of links and pictures within this checkout."""
        return [target for target in _LINK.findall(self.prose) if "://" not in target]

    def quoted(self) -> list[str]:
        """What stands in backquotes, fenced blocks aside."""
        return _QUOTED.findall(self.prose)

    def anchors(self) -> set[str]:
        """Where links may point to, as the usual renderers name headings."""
        return {_anchor(heading) for heading in _HEADING.findall(self.prose)}


README, ARCHITECTURE, CONTRIBUTING, CHANGELOG = (
    Document(ROOT / name) for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
)
USER, OPERATOR, API = (Document(ROOT / "docs" / name) for name in ("user.md", "operator.md", "api.md"))


def documents() -> list[Document]:
    """All that people read."""
    return [Document(path) for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])]


def rows(section: str) -> Iterator[list[str]]:
    """The cells of a table's rows, its heading aside."""
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `"):
            yield cells


def _anchor(heading: str) -> str:
    kept = [char for char in heading.lower() if char in " -_" or unicodedata.category(char)[0] in "LN"]
    return "".join(kept).replace(" ", "-")

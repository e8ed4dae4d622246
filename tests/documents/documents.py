"""README and docs/: their blocks of code, their commands, their links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tests.pipeline import ROOT

DOCUMENTS = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]
NEEDS = (
    "a GPU",
    "published data",
    "several machines",
    "24 GB",
    "an idle machine",
    "hours",
)  # what `# needs ...` behind a command may say
COMMENT = re.compile(r"(?:^|\s)#\s+(.*)$")


@dataclass(frozen=True)
class Command:
    """A line of a shell block.

    Attributes:
        text: without its comment.
        needs: what the walk has not, as the comment says: one of `NEEDS`.
    """

    text: str
    needs: str | None


@dataclass(frozen=True)
class Block:
    """What stands between two fences.

    Attributes:
        place: file and line, for messages.
        language: what the fence says.
    """

    place: str
    language: str
    lines: tuple[str, ...]

    def commands(self) -> list[Command]:
        """Those of a shell block."""
        return [command(line) for line in self.lines if line.strip()]


def command(line: str) -> Command:
    """Take a line apart."""
    comment = COMMENT.search(line)
    needs = re.search(r"\bneeds (.*)", comment[1]) if comment else None
    return Command(COMMENT.sub("", line).strip(), needs[1] if needs and needs[1] in NEEDS else None)


def blocks(document: str) -> list[Block]:
    """The blocks of a document, in order."""
    found: list[Block] = []
    opened: tuple[int, str] | None = None
    lines: list[str] = []
    for number, line in enumerate((ROOT / document).read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("```"):
            lines.append(line)
        elif opened is None:
            opened, lines = (number, line[3:].strip()), []
        else:
            found.append(Block(f"{document}:{opened[0]}", opened[1], tuple(lines)))
            opened = None
    return found


def prose(document: str) -> str:
    """A document without its blocks."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def spans(document: str) -> list[str]:
    """What stands in backticks within the text."""
    return re.findall(r"`([^`\n]+)`", prose(document))


def links(document: str) -> list[str]:
    """Where its links and pictures lead, within the project."""
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", prose(document)) if "://" not in link]


def calls(line: str) -> Iterator[list[str]]:
    """The words of each program that a line of shell calls, without the environment's variables before it."""
    words: list[str] = []
    tokens = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    tokens.whitespace_split = True
    for token in [*tokens, ";"]:
        if set(token) <= set("|&;"):
            while words and re.fullmatch(r"\w+=.*", words[0]):
                words.pop(0)
            if words:
                yield words
            words = []
        else:
            words.append(token)

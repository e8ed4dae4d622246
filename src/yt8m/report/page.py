"""The report: one page that holds all it shows, and its figures once more as files."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from markupsafe import Markup
from matplotlib.figure import Figure

from yt8m.core.files import write_text
from yt8m.report.drawing import save_png, svg
from yt8m.report.template import rendered

TEMPLATE = Path(__file__).with_name("page.html")


class Table(NamedTuple):
    """A table of words and numbers, as they are shown."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    @classmethod
    def of(cls, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Self:
        """A table whose cells are said as `said` does."""
        return cls(header, [[said(cell) for cell in row] for row in rows])


def said(value: object) -> str:
    """A cell: floats with four digits, integers with commas."""
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


class Page:
    """What a page shows, by name; what is left out has no section.

    Args:
        figures: the folder for figures as PNG.
    """

    def __init__(self, figures: Path):
        self._folder = figures
        self._shown: dict[str, dict[str, Any]] = {"figures": {}, "tables": {}, "facts": {}}

    def draw(self, name: str, about: str, drawn: Figure) -> None:
        """Show a figure.

        Args:
            about: said to who does not see it.
        """
        save_png(drawn, self._folder / f"{name}.png")
        self._shown["figures"][name] = Markup(svg(drawn, name, about))

    def list(self, name: str, table: Table) -> None:
        """Show a table."""
        self._shown["tables"][name] = table

    def say(self, **facts: object) -> None:
        """Give words and numbers to the text, as `said` says them, and what is true or not."""
        self._shown["facts"] |= {
            name: value if isinstance(value, bool) else said(value) for name, value in facts.items()
        }

    def write(self, path: Path) -> None:
        """Write the page as a whole."""
        write_text(path, rendered(TEMPLATE, self._shown))

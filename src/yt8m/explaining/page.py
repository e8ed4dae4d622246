"""An explanation as a page of its own: one file, no network, light or dark as its reader's machine is."""

from pathlib import Path

from markupsafe import Markup

from yt8m.explaining.explanation import Explanation
from yt8m.explaining.figures import over_frames
from yt8m.explaining.tables import FRAMES, SEGMENTS, summary, tables
from yt8m.report.template import rendered

TEMPLATE = Path(__file__).with_name("page.html")


def html(explained: Explanation) -> str:
    """The page."""
    shown = {
        "title": explained.id,
        "summary": summary(explained),
        "tables": tables(explained),
        "figures": _figures(explained),
    }
    return rendered(TEMPLATE, shown)


def _figures(explained: Explanation) -> dict[str, Markup]:
    """Figures by the title of the table that they stand above."""
    if not explained.driven:
        return {}
    changes = [(each.name, each.changes) for each in explained.driven]
    alone = [(each.name, each.segments) for each in explained.driven]
    ends = [*(each.first for each in explained.segments), explained.frames]
    return {
        FRAMES: Markup(
            over_frames(FRAMES, changes, range(explained.frames + 1), "Each class's score less that without a frame")
        ),
        SEGMENTS: Markup(over_frames(SEGMENTS, alone, ends, "Each class's score in segments alone")),
    }

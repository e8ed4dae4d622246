"""What was packed and what was not, in words."""

from yt8m.core.schema import Level, Schema
from yt8m.packing.coding import Format
from yt8m.packing.labels import Labels
from yt8m.packing.pack import Chosen
from yt8m.packing.shards import Seen

COARSE = 6.0  # steps of the code that a feature's standard deviation should have: rounding is then 5 % of it


def summary(
    chosen: Chosen, incomplete: int, known: Labels | None, format: Format, schema: Schema, seen: Seen
) -> list[str]:
    """A line for each thing worth knowing.

    Args:
        incomplete: videos that were left out because they lack a feature.
        known: what the table of labels says, if there is one.
    """
    counts = ", ".join(f"{count} {split}" for split, count in chosen.counts.items())
    sizes = ", ".join(f"{name} {size}" for name, size in schema.features.items())
    videos = f"{len(chosen.splits)} videos ({counts})"
    frames = f", at most {seen.longest} frames" if format.level is Level.FRAME else ""
    lines = [f"{videos}, {format.level} level, {sizes}{frames}"]
    if known:
        lines.append(f"{len(known.names)} classes ({', '.join(known.names[:5])}{', …' if known.names[5:] else ''})")
    numbers = {
        "videos without a label": sum(not len(classes) for classes in chosen.labels.values()) if known else 0,
        "videos left out that the labels do not name": chosen.unnamed,
        "videos left out that lack a feature": incomplete,
        "videos of the labels that have no features": chosen.unseen,
        "videos cut to --max-frames": seen.cut,
    }
    return lines + [f"{number} {what}" for what, number in numbers.items() if number] + _remarks(seen, format)


def _remarks(seen: Seen, format: Format) -> list[str]:
    """What should be known of how values were coded."""
    lines = []
    for name, tally in seen.tallies.items():
        extent = f"{tally.low:.4g} to {tally.high:.4g}"
        if tally.outside:
            share = f"{tally.outside} of {tally.values} values"
            lines.append(f"{name}: {share} were outside of -2 to 2 and cut off: values are from {extent}")
        if tally.steps < COARSE and tally.factor > 1:
            lines.append(
                f"{name}: 8-bit codes are coarse for values from {extent}, whose standard deviation is "
                f"{tally.steps:.1f} steps: give {format.advice(name, tally)}, say"
            )
    return lines

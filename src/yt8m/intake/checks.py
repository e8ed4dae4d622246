"""What is wrong with parameters for the data that they name: all of it at once, before any work."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from yt8m.core.errors import InputError
from yt8m.core.schema import Level
from yt8m.intake.split import list_shards, patterns_of
from yt8m.records.cache import Cache
from yt8m.records.classes import read_class_names
from yt8m.records.extractors import FOLDER, require
from yt8m.records.manifest import assign, place, root
from yt8m.records.videos import read_videos
from yt8m.settings.params import Data, Params, Split

FEW_STEPS = 100  # of a training: fewer do not get anywhere
FEW_VIDEOS = 100  # of which GAP is measured


def problems(data: Data, split: Split) -> list[str]:
    """Each way in which a data set is not as the parameters say: patterns, class names, first records."""
    found = [*_said(lambda: read_class_names(Path(data.class_names), data.layout.classes), "data.class_names: ")]
    if isinstance(folder := root(data.source), Path):
        found += _said(lambda: require(folder / FOLDER, data.layout.extractor), "data.schema.extractor: ")
    for level, pattern in data.globs.items():
        if pattern is not None:
            found += _said(partial(_look, data, split, level, pattern))
    return list(dict.fromkeys(found))


def _look(data: Data, split: Split, level: Level, pattern: str) -> None:
    """Sort a level's shards into splits and read a record.

    Raises:
        InputError: for the first thing that is wrong.
    """
    paths, recorded = list_shards(data.source, pattern)
    if not paths:
        name = "frames" if level is Level.FRAME else "videos"
        raise InputError(f"data.{name}: expected shards that match {pattern!r} below {data.source}, found none")
    wanted = patterns_of(level, data.globs, split.patterns.model_dump())
    first = next(iter(assign(paths, wanted).values()))[0]
    found = place(first, root(data.source), recorded.get(first), Cache.of(data))
    next(read_videos(found, level, data.layout), None)


def _said(look: Callable[[], object], where: str = "") -> Iterator[str]:
    """What looking at something raises."""
    try:
        look()
    except (InputError, OSError) as error:
        yield f"{where}{error}"


def warnings(params: Params, counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """What is too small, or is lost, in data that is otherwise as it should be.

    Args:
        counts: what `split` found of each split.
    """
    videos = counts["train"]["videos"]
    for name, model in [
        *((f"models.{key}", each) for key, each in params.models.items()),
        ("train_moe", params.train_moe),
    ]:
        steps = model.epochs * math.ceil(videos / model.batch_size)
        if steps < FEW_STEPS:
            yield (
                f"{name}: {model.epochs} epochs of {videos} videos are {steps} steps of {model.batch_size}: "
                "too few, raise epochs or lower batch_size"
            )
    for split in ("holdout", "test"):
        if (size := counts[split]["videos"]) < FEW_VIDEOS:
            yield f"split.patterns.{split}: {size} videos are few to measure a GAP by"
    layout = params.data.layout
    for key, reason in {
        "frames_cut": f"frames beyond max_frames, {layout.max_frames}, or the shortest feature are left out",
        "values_clipped": "values of frames are beyond the 8-bit code's range, from -2 to 2, and clipped",
        "features_missing": "features of videos are missing and taken as zeros (data.schema.missing_features)",
    }.items():
        if lost := {split: held[key] for split, held in counts.items() if held[key]}:
            yield f"data.schema: {', '.join(f'{count:,} ({split})' for split, count in lost.items())} {reason}"

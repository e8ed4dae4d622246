"""Explain the classes of one video: what each model says, which frames it comes from, which training videos are near.

The video is one of the project's splits, or of --data. Its frames are explained by leaving each out, and by segments
alone. Frames are called by their numbers, from 0.
"""

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from yt8m.commands._files import require_extractor, require_level, require_writable
from yt8m.commands._scoring import of_model, with_members
from yt8m.commands._trained import load
from yt8m.core.errors import InputError
from yt8m.core.files import write_text
from yt8m.core.schema import Level, Schema
from yt8m.core.tables import read_lines
from yt8m.explaining.explanation import explanation
from yt8m.explaining.neighbours import neighbours
from yt8m.explaining.text import show
from yt8m.explaining.variants import variants
from yt8m.intake.split import FOLDERS
from yt8m.records.cache import Cache
from yt8m.records.dataset import Dataset, Shards
from yt8m.records.remote import Place
from yt8m.records.shards import find
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode, read_videos
from yt8m.scoring.predictions import Predictions, concatenate
from yt8m.settings.loading import load_data
from yt8m.settings.params import STUDENT, Data

MODEL, COMBINED, SPLIT = Path("data/distill"), Path("data/ensemble"), Path("data/split")
ENSEMBLE = "ensemble"  # what it is called beside its members
SPLITS = ("test", "holdout", "train")  # the smaller ones first
BATCH = 32  # variants of a video
NEAREST = 5
READ = 1024  # training videos at a time


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument("id", metavar="ID", help="of a video; one that begins with - goes last, behind --")
    parser.add_argument("--data", metavar="GLOB", help="shards that hold it, or their URL; default: the project's")
    parser.add_argument("--json", action="store_true", dest="as_json", help="for programs")
    parser.add_argument(
        "--page", type=Path, metavar="FILE.html", help="write a page with figures, which needs no network"
    )


def run(id: str, data: str | None, as_json: bool, page: Path | None) -> None:
    """Print what is known of a video, and write the page if one is asked for.

    Raises:
        InputError: where there are no trained models, no such video, or something is not as expected.
        OSError: where a file cannot be read or written.
    """
    require_writable(page)
    for folder in (SPLIT, MODEL, COMBINED):
        if not folder.is_dir():
            raise InputError(f"{folder}: expected a folder that yt8m repro makes, found none")
    project = project_data()
    student, description = load(MODEL)
    schema, level = description.layout, description.level
    names = class_names(schema)
    video, place = look_for(id, given(data, schema) if data else splits(project), level, schema)
    with TemporaryDirectory() as work:
        shards = partial(shard_of, folder=Path(work), level=level, schema=schema)
        found = {STUDENT: joined(of_model(student, shards(variants(video)), BATCH, schema.classes, STUDENT))}
        del student  # memory holds one model
        with with_members(COMBINED, shards([video]), 1) as (members, combined):
            found = {ENSEMBLE: joined(combined)} | found | {name: members.read(name) for name in members.names}
    training = Dataset(SPLIT / FOLDERS[Level.VIDEO] / "train.tsv", project.source, cache=Cache.of(project))
    batches = tqdm(training.batches(READ), "nearest videos", unit="batch", disable=None)
    near = neighbours(video, batches, NEAREST)
    explained = explanation(video, place, found, STUDENT, near, names)
    if page:
        from yt8m.explaining.page import html  # imports matplotlib

        write_text(page, html(explained))
    if as_json:
        print(json.dumps(asdict(explained), indent=2))
    else:
        show(explained)


def project_data() -> Data:
    """What params.yaml says of the project's data.

    Raises:
        InputError: where there is no such file, or this section is wrong.
    """
    described = load_data()
    if described is None:
        raise InputError("params.yaml: expected sections data and split as they should be; yt8m repro says what is not")
    return described[0]


def class_names(schema: Schema) -> list[str]:
    """The names of all classes.

    Raises:
        InputError: where there are not as many.
    """
    path = SPLIT / "classes.txt"
    names = read_lines(path)
    if len(names) != schema.classes:
        raise InputError(f"{path}: expected {schema.classes} class names, as the models have, received {len(names)}")
    return names


def splits(project: Data) -> Iterator[tuple[str, list[Place]]]:
    """The project's splits and their shards, of the level that models take."""
    for split in SPLITS:
        manifest = SPLIT / FOLDERS[Level.FRAME] / f"{split}.tsv"
        yield split, Dataset(manifest, project.source, cache=Cache.of(project)).paths


def given(pattern: str, schema: Schema) -> Iterator[tuple[str, list[Place]]]:
    """The shards that a pattern names, whose features the models' extractor made."""
    paths = find([pattern])
    for path in paths:
        require_extractor(path, schema)
    yield pattern, paths


def look_for(id: str, places: Iterable[tuple[str, Sequence[Place]]], level: Level, schema: Schema) -> tuple[Video, str]:
    """A video by its id, and the place it lies in.

    Args:
        places: names and shards, which are read one after the other.

    Raises:
        InputError: where there is none of that id, or a shard before it is not as expected.
    """
    seen = []
    for place, paths in places:
        for path in tqdm(paths, f"looking in {place}", unit="shard", disable=None):
            require_level(path, level)
            for video in read_videos(path, level, schema):
                if video.id == id:
                    return video, place
        seen.append(place)
    raise InputError(f"{id}: expected the id of a video in {', '.join(seen)}, found none there")


def shard_of(videos: Iterable[Video], folder: Path, level: Level, schema: Schema) -> Shards:
    """Videos as `predict` reads them, in a folder that may be removed afterwards."""
    path = folder / "videos.tfrecord"
    write_records(path, (encode(video, level, schema) for video in videos))
    return Shards([path], level, schema)


def joined(predictions: Iterable[Predictions]) -> Predictions:
    """All blocks as one."""
    return concatenate(list(predictions))

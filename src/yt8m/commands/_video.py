"""Video files in the place of shards: features by the extractor that a model's data came from."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from yt8m.core.errors import InputError
from yt8m.core.schema import Schema
from yt8m.extraction.videos import find
from yt8m.packing.coding import Format
from yt8m.packing.shards import write_shard
from yt8m.records.extractors import FOLDER, digest, require
from yt8m.settings.loading import load_data

PARAMS = Path("params.yaml")


class Origin(NamedTuple):
    """Where a model's features and classes come from: the extractor's folder, and a table of classes if it is known."""

    extractor: Path
    class_names: Path | None


def origin_of(model: Path, schema: Schema, given: Path | None) -> Origin:
    """The extractor that a model's data came from: the one that is given, or that of the project's data.

    Raises:
        InputError: where the model's data came from another one, or from none.
    """
    if schema.extractor is None:
        raise InputError(f"{model}: expected a model of features made by yt8m extract, received one of others: --input")
    if given is not None and digest(given) is None:
        raise InputError(f"--with: expected the folder of an extractor, received {given}")
    if given is not None:
        require(given, schema.extractor)
    project = load_data(PARAMS) if PARAMS.is_file() else None
    if project and digest(own := Path(project[0].source, FOLDER)) == schema.extractor:
        return Origin(given or own, Path(project[0].class_names))
    if given is None:
        raise InputError(
            f"--with: expected the folder of the extractor {schema.extractor}, which {model} is for: it lies beside "
            "the shards that the model was trained on"
        )
    return Origin(given, None)


def shard_of(videos: Sequence[str], extractor: Path, schema: Schema, work: Path) -> Path:
    """A shard of videos, in a folder that may be removed afterwards.

    Raises:
        InputError: naming a video that cannot be decoded.
    """
    from yt8m.extraction import extractor as extractors
    from yt8m.extraction.raw import look

    found, kept = find(videos), extractors.Extractor.read(extractor)
    for message in look(found, kept.networks, kept.max_frames, work / "raw").values():
        raise InputError(message)
    features = extractors.features(extractor, work / "raw", found)
    format = Format.of(next(iter(found)), features, {}, None)
    unlabelled = dict.fromkeys(found, np.empty(0, np.int32))
    write_shard(work / "videos.tfrecord", features, unlabelled, format, schema)
    return work / "videos.tfrecord"

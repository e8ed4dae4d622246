"""Video files in the place of shards: features by the extractor that a model's data came from."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from yt8m.core.errors import InputError
from yt8m.core.schema import Schema
from yt8m.extraction.videos import find
from yt8m.packing.pack import choose
from yt8m.records.extractors import FOLDER, digest, require
from yt8m.records.shards import in_folder
from yt8m.settings.params import load_data

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


def shards_of(videos: Sequence[str], extractor: Path, work: Path) -> list[Path]:
    """Shards of videos, in a folder that may be removed afterwards.

    Raises:
        InputError: naming a video that cannot be decoded.
    """
    from yt8m.extraction import extractor as extractors
    from yt8m.extraction.raw import look

    found, kept = find(videos), extractors.Extractor.read(extractor)
    for message in look(found, kept.networks, kept.max_frames, work / "raw").values():
        raise InputError(message)
    chosen = choose(sorted(found), None, ())
    extractors.pack(extractor, work / "raw", chosen, None, None, work, work)
    return in_folder(work)

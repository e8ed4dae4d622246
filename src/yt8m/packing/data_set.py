"""A data set in a new folder: shards, table of classes, and what parameters say of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from yt8m.core.schema import Schema
from yt8m.packing.coding import Format
from yt8m.packing.features import Feature
from yt8m.packing.labels import Labels
from yt8m.packing.pack import Chosen, write_classes, write_shards
from yt8m.packing.parameters import Facts, fill
from yt8m.packing.shards import Seen


class DataSet(NamedTuple):
    """What was written.

    Attributes:
        schema: of the records.
        seen: what there was in videos.
        params: the text of a parameter file; None where no template was given.
    """

    schema: Schema
    seen: Seen
    params: str | None


def write(
    features: Mapping[str, Feature],
    chosen: Chosen,
    known: Labels | None,
    format: Format,
    extractor: str | None,
    template: Any,
    out: Path,
    home: Path,
) -> DataSet:
    """Write `LEVEL/NAME.tfrecord` and `classes.csv` below `out`.

    Args:
        known: the table of labels, if there is one.
        extractor: the digest of what made the features, for the schema.
        template: parameters to fill in; None: none.
        home: where `out` will lie in the end, for the parameters.

    Raises:
        InputError: naming a file that is not as expected.
    """
    schema = Schema(
        id_key="id",
        labels_key="labels",
        mean_prefix="mean_",
        features=format.sizes,
        classes=len(known.names) if known else 1,
        max_frames=1,
        uneven_frames="refuse",
        missing_features="refuse",  # known when all is written; records do not say
        extractor=extractor,
    )
    seen = write_shards(features, chosen, format, schema, out)
    schema = schema.model_copy(update={"max_frames": seen.longest})
    if known:
        write_classes(out / "classes.csv", known.names)
    if template is None:
        return DataSet(schema, seen, None)
    counts = chosen.label_counts("train", schema.classes)
    return DataSet(schema, seen, fill(template, Facts(called(home), format.level, schema, chosen.counts, counts)))


def called(folder: Path) -> str:
    """A folder as `data.source` calls it: from the project's folder where it lies there."""
    absolute, project = folder.resolve(), Path.cwd()
    return (absolute.relative_to(project) if absolute.is_relative_to(project) else absolute).as_posix()

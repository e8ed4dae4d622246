"""Write predictions of a trained model, or of the ensemble, for any shards as CSV, in the challenge's format.

Shards are read batch by batch, ahead of the model; by an ensemble once for each member. Labels are not needed.
"""

from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path

from yt8m.commands._scoring import of_ensemble, of_model
from yt8m.commands._trained import TOP_K, load, positive
from yt8m.core.errors import InputError
from yt8m.core.schema import Level
from yt8m.ensembling.ensemble import DESCRIPTION, Ensemble
from yt8m.records.dataset import Shards
from yt8m.records.manifest import DataError
from yt8m.records.remote import Place, Remote
from yt8m.records.shards import find, level_of
from yt8m.scoring import submission
from yt8m.scoring.predictions import Predictions

BATCH = 128  # videos: 45 MB of YouTube-8M's frames


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument(
        "--model", type=Path, required=True, metavar="DIR", help="folder of a trained model, or data/ensemble"
    )
    parser.add_argument(
        "--input", nargs="+", required=True, metavar="GLOB", help="shards or URLs, of the model's level"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.csv")
    parser.add_argument("--top-k", type=positive, default=TOP_K, metavar="K", help=f"default: {TOP_K}")
    parser.add_argument(
        "--names", type=Path, metavar="FILE", help="write names for indices: classes.txt, or the table of classes"
    )
    parser.add_argument("--labels", type=Path, metavar="FILE.csv", help="write the shards' labels too, for yt8m score")
    parser.add_argument(
        "--number",
        action="store_true",
        help="records have no ids: call videos by their shard's name and record's number",
    )


def run(
    model: Path,
    input: Sequence[str],
    output: Path,
    top_k: int,
    names: Path | None,
    labels: Path | None,
    number: bool,
) -> None:
    """Write each video's `top_k` classes and scores, float32, highest first.

    Raises:
        InputError: where the model, a shard or the names are not as expected.
        OSError: where a file cannot be read or written.
    """
    for path in filter(None, (output, labels)):
        if path.exists() and not path.is_file():  # it would be replaced
            raise InputError(f"{path}: expected the path of a file to write, received a folder or a device")
    if labels and labels.resolve() == output.resolve():
        raise InputError(f"{labels}: expected another file for --labels than for --output, received the same")
    paths = find(input)
    ensemble = (model / DESCRIPTION).is_file()
    net, description = load(first_member(model) if ensemble else model)
    schema, level = description.layout, description.level
    if number:
        schema = schema.model_copy(update={"id_key": None})
    known = submission.read_names(names, schema.classes) if names else None
    for shard in at_hand(paths):
        require_level(shard, level)
    shards = Shards(paths, level, schema)
    found = of_ensemble(model, shards, BATCH) if ensemble else of_model(net, shards, BATCH, top_k, "predicting")
    videos = write(found, output, top_k, known, labels)
    print(f"{output}: {videos} videos")


def first_member(folder: Path) -> Path:
    """The folder of an ensemble's first member: all are of one schema and level."""
    return folder / next(iter(Ensemble.read(folder).members.values()))


def write(
    found: Iterable[Predictions], output: Path, top_k: int, names: list[str] | None = None, labels: Path | None = None
) -> int:
    """Write predictions, and the videos' labels if asked for, as they come; return the number of videos."""
    videos = 0
    with (
        submission.writer(output, submission.PAIRS) as append,
        submission.writer(labels, submission.LABELS) if labels else nullcontext(append_nothing) as append_labels,
    ):
        for block in found:
            ids = block.ids.to_pylist()
            append(ids, submission.pairs(block.indices[:, :top_k], block.scores[:, :top_k], names))
            append_labels(ids, (" ".join(map(str, row)) for row in block.labels))
            videos += len(ids)
    return videos


def append_nothing(ids: Iterable[str], texts: Iterable[str]) -> None:
    """What stands for a table that was not asked for."""


def at_hand(paths: Sequence[Place]) -> list[Place]:
    """The shards to look at before any work: of those behind URLs the first, so that none is fetched twice."""
    remote = [path for path in paths if isinstance(path, Remote)]
    return [*(path for path in paths if isinstance(path, Path)), *remote[:1]]


def require_level(path: Place, level: Level) -> None:
    """Refuse a shard of the other level, by its first record.

    Raises:
        DataError: naming the shard.
        RecordError: where the record is damaged.
    """
    received = level_of(path)
    if received is not level:
        raise DataError(
            f"{path}: record 0: expected a {level}-level record, as the model takes, received {received}-level"
        )

"""Predict videos, of shards or of video files, with a trained model or the ensemble.

Predictions are CSV in the challenge's format, or without --output lines to read. Shards are read batch by batch, ahead
of the model; by an ensemble once for each member. Labels are not needed. Video files are made features by the extractor
that the model's data came from.
"""

from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from yt8m.commands._files import require_extractor, require_level, require_writable
from yt8m.commands._scoring import of_ensemble, of_model
from yt8m.commands._trained import TOP_K, load, positive
from yt8m.commands._video import origin_of, shard_of
from yt8m.core.errors import InputError
from yt8m.ensembling.ensemble import DESCRIPTION, Ensemble
from yt8m.records.dataset import Shards
from yt8m.records.remote import Place, Remote
from yt8m.records.shards import find
from yt8m.scoring import submission
from yt8m.scoring.predictions import Predictions

READ = 5  # classes of a video to read
BATCH = 128  # videos: 45 MB of YouTube-8M's frames


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument(
        "--model", type=Path, required=True, metavar="DIR", help="folder of a trained model, or data/ensemble"
    )
    videos = parser.add_mutually_exclusive_group(required=True)
    videos.add_argument("--input", nargs="+", metavar="GLOB", help="shards or URLs, of the model's level")
    videos.add_argument("--video", nargs="+", metavar="FILE", help="video files, or folders of them")
    parser.add_argument(
        "--with", type=Path, dest="extractor", metavar="DIR", help="the extractor of --video; default: data.source's"
    )
    parser.add_argument("--output", type=Path, metavar="FILE.csv", help="default: lines to read")
    parser.add_argument("--top-k", type=positive, metavar="K", help=f"default: {TOP_K}, of lines to read {READ}")
    parser.add_argument(
        "--names",
        type=Path,
        metavar="FILE",
        help="write names for indices: classes.txt, or the table of classes; of videos to read data.class_names",
    )
    parser.add_argument("--labels", type=Path, metavar="FILE.csv", help="write the shards' labels too, for yt8m score")
    parser.add_argument(
        "--number",
        action="store_true",
        help="records have no ids: call videos by their shard's name and record's number",
    )


def run(
    model: Path,
    input: Sequence[str] | None,
    video: Sequence[str] | None,
    extractor: Path | None,
    output: Path | None,
    top_k: int | None,
    names: Path | None,
    labels: Path | None,
    number: bool,
) -> None:
    """Write each video's `top_k` classes and scores, float32, highest first.

    Raises:
        InputError: where the model, a shard or the names are not as expected.
        OSError: where a file cannot be read or written.
    """
    require_writable(output)
    require_writable(labels)
    if labels and output and labels.resolve() == output.resolve():
        raise InputError(f"{labels}: expected another file for --labels than for --output, received the same")
    if labels and not output:
        raise InputError("--labels: expected it with --output, received it alone")
    if input and extractor:
        raise InputError("--with: expected it with --video, received shards, which hold features")
    paths = find(input) if input else []
    ensemble = (model / DESCRIPTION).is_file()
    net, description = load(first_member(model) if ensemble else model)
    schema, level = description.layout, description.level
    if number:
        schema = schema.model_copy(update={"id_key": None})
    top_k = top_k or (TOP_K if output else READ)
    with TemporaryDirectory() as work:
        if video:
            origin = origin_of(model, schema, extractor)
            names = names or (None if output else origin.class_names)
        known = submission.read_names(names, schema.classes) if names else None
        if video:
            paths = [shard_of(video, origin.extractor, schema, Path(work))]
        for shard in at_hand(paths):
            require_level(shard, level)
            require_extractor(shard, schema)
        shards = Shards(paths, level, schema)
        found = of_ensemble(model, shards, BATCH) if ensemble else of_model(net, shards, BATCH, top_k, "predicting")
        if output:
            print(f"{output}: {write(found, output, top_k, known, labels)} videos")
        else:
            show(found, top_k, known)


def first_member(folder: Path) -> Path:
    """The folder of an ensemble's first member: all are of one schema and level."""
    return folder / next(iter(Ensemble.read(folder).members.values()))


def show(found: Iterable[Predictions], top_k: int, names: list[str] | None) -> None:
    """Print each video's classes, a line each."""
    for block in found:
        for id, classes, scores in zip(block.ids.to_pylist(), block.indices, block.scores, strict=True):
            print(id)
            for index, score in zip(classes[:top_k].tolist(), scores[:top_k].tolist(), strict=True):
                print(f"  {score:.4f}  {names[index] if names else index}")


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

"""Make shards of features and labels, and a parameter file that trains on them.

Features are a folder of .npy files, one a video, of shape (frames, size) or (size,), called by its id; such a folder
for each feature (rgb=FOLDER audio=FOLDER); a folder of .npz files; or a Parquet table. Frames become 8-bit codes, which
stand for -2 to 2. Without labels all shards are for test, to be predicted.
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from yt8m.commands._trained import positive
from yt8m.core.errors import InputError
from yt8m.core.files import remove, whole, write_text
from yt8m.core.schema import Schema
from yt8m.packing.coding import Format
from yt8m.packing.labels import read_labels
from yt8m.packing.pack import choose, write_classes, write_shards
from yt8m.packing.parameters import Facts, fill, read_template
from yt8m.packing.report import summary
from yt8m.packing.sources import complete, open_sources

SHARES = (0.8, 0.1, 0.1)


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument("--features", nargs="+", required=True, metavar="[NAME=]PATH")
    parser.add_argument("--labels", type=Path, metavar="FILE.csv", help="columns id and labels: indices or names")
    parser.add_argument(
        "--classes", type=Path, metavar="FILE.csv", help="columns index and name; default: names sorted"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="a new folder")
    splits = parser.add_mutually_exclusive_group()
    splits.add_argument(
        "--split",
        type=float,
        nargs=3,
        metavar=("TRAIN", "VALIDATE", "TEST"),
        help="default: 0.8 0.1 0.1",
    )
    splits.add_argument("--split-column", metavar="NAME", help="of the labels: train, validate or test")
    parser.add_argument("--max-frames", type=positive, metavar="N", help="frames kept of a video; default: all")
    parser.add_argument(
        "--scale", type=factor, nargs="+", default=[], metavar="NAME=FACTOR", help="of a feature's values"
    )
    parser.add_argument("--skip-incomplete", action="store_true", help="leave out videos that lack a feature")
    parser.add_argument("--params-out", type=Path, metavar="FILE", help="parameters for yt8m repro, params.yaml say")


def factor(text: str) -> tuple[str, float]:
    """`NAME=FACTOR`, above 0."""
    name, _, value = text.rpartition("=")
    if not name or not 0 < float(value) < float("inf"):
        raise ValueError
    return name, float(value)


def run(
    features: Sequence[str],
    labels: Path | None,
    classes: Path | None,
    output: Path,
    split: Sequence[float] | None,
    split_column: str | None,
    max_frames: int | None,
    scale: Sequence[tuple[str, float]],
    skip_incomplete: bool,
    params_out: Path | None,
) -> None:
    """Write `LEVEL/NAME.tfrecord` and `classes.csv` below a new folder, then the parameters, and say what was found.

    Raises:
        InputError: where features, labels or options are not as expected; nothing is written then.
    """
    if not labels and (classes or split or split_column or params_out):
        raise InputError("--classes, --split, --split-column, --params-out: expected --labels with them, received none")
    shares = split or SHARES
    check(output, shares, params_out)
    known = read_labels(labels, classes, split_column) if labels else None
    with whole(output) as out:
        unpacked = out / "unpacked"
        unpacked.mkdir(parents=True)
        found = open_sources(features, unpacked)
        ids, incomplete = complete(found, skip_incomplete)
        chosen = choose(ids, known, shares)
        if params_out:
            chosen.require_trainable()
        if unknown := sorted(dict(scale).keys() - found.keys()):
            raise InputError(f"--scale: expected features of {list(found)}, received {unknown}")
        format = Format.of(next(iter(chosen.splits)), found, dict(scale), max_frames)
        template = read_template(format.level) if params_out else None
        schema = Schema(
            id_key="id",
            labels_key="labels",
            mean_prefix="mean_",
            features=format.sizes,
            classes=len(known.names) if known else 1,
            max_frames=1,
            uneven_frames="refuse",
            missing_features="refuse",  # known when all is written; records do not say
        )
        seen = write_shards(found, chosen, format, schema, out)
        remove(unpacked)
        schema = schema.model_copy(update={"max_frames": seen.longest})
        if known:
            write_classes(out / "classes.csv", known.names)
        if template is not None:
            counts = chosen.label_counts("train", schema.classes)
            text = fill(template, Facts(called(output), format.level, schema, chosen.counts, counts))
    if params_out:
        write_text(params_out, text)
    print(f"{output}:", "\n".join(summary(chosen, incomplete, known, format, schema, seen)))


def check(output: Path, shares: Sequence[float], params_out: Path | None) -> None:
    """Refuse options that are not as expected, before any work.

    Raises:
        InputError: naming the option.
    """
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise InputError(f"--split: expected shares that add up to 1, received {' '.join(map(str, shares))}")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"{output}: expected a new folder, received one that is there")
    if params_out and params_out.exists() and not params_out.is_file():
        raise InputError(f"{params_out}: expected the path of a file to write, received a folder or a device")


def called(folder: Path) -> str:
    """A folder as `data.source` calls it: from the project's folder where it lies there."""
    absolute, project = folder.resolve(), Path.cwd()
    return (absolute.relative_to(project) if absolute.is_relative_to(project) else absolute).as_posix()

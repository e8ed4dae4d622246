"""Make shards of features and labels, and a parameter file that trains on them.

Features are a folder of .npy files, one a video, of shape (frames, size) or (size,), called by its id; such a folder
for each feature (rgb=FOLDER audio=FOLDER); a folder of .npz files; or a Parquet table. Frames become 8-bit codes, which
stand for -2 to 2. Without labels all shards are for test, to be predicted.
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from yt8m.commands import _packing
from yt8m.core.errors import InputError
from yt8m.core.files import remove, whole, write_text
from yt8m.packing import data_set
from yt8m.packing.coding import Format
from yt8m.packing.labels import read_labels
from yt8m.packing.pack import choose, require_in_range
from yt8m.packing.parameters import read_template
from yt8m.packing.report import summary
from yt8m.packing.sources import complete, open_sources


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument("--features", nargs="+", required=True, metavar="[NAME=]PATH")
    _packing.arguments(parser, frames="all")
    parser.add_argument(
        "--scale", type=factor, nargs="+", default=[], metavar="NAME=FACTOR", help="of a feature's values"
    )
    parser.add_argument("--skip-incomplete", action="store_true", help="leave out videos that lack a feature")


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
    _packing.check(output, labels, classes, split, split_column, params_out)
    known = read_labels(labels, classes, split_column) if labels else None
    with whole(output) as out:
        unpacked = out / "unpacked"
        unpacked.mkdir(parents=True)
        found = open_sources(features, unpacked)
        ids, incomplete = complete(found, skip_incomplete)
        chosen = choose(ids, known, split or _packing.SHARES)
        if params_out:
            chosen.require_trainable()
        if unknown := sorted(dict(scale).keys() - found.keys()):
            raise InputError(f"--scale: expected features of {list(found)}, received {unknown}")
        format = Format.of(next(iter(chosen.splits)), found, dict(scale), max_frames)
        template = read_template(format.level) if params_out else None
        written = data_set.write(found, chosen, known, format, None, template, out, output)
        require_in_range(written.seen, format)
        remove(unpacked)
    if params_out and written.params:
        write_text(params_out, written.params)
    print(f"{output}:", "\n".join(summary(chosen, incomplete, known, format, written.schema, written.seen)))

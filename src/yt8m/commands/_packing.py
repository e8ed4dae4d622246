"""What commands that make data sets share: where labels are, which videos are for what, and where all is written."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from yt8m.commands._files import require_writable
from yt8m.commands._trained import positive
from yt8m.core.errors import InputError

SHARES = (0.8, 0.1, 0.1)


def arguments(parser: ArgumentParser, frames: str) -> None:
    """What the command lines take alike.

    Args:
        frames: how many are kept of a video without --max-frames, in words.
    """
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
    parser.add_argument("--max-frames", type=positive, metavar="N", help=f"frames kept of a video; default: {frames}")
    parser.add_argument("--params-out", type=Path, metavar="FILE", help="parameters for yt8m repro, params.yaml say")


def check(
    output: Path,
    labels: Path | None,
    classes: Path | None,
    split: Sequence[float] | None,
    split_column: str | None,
    params_out: Path | None,
) -> None:
    """Refuse options that are not as expected, before any work.

    Raises:
        InputError: naming the option.
    """
    if not labels and (classes or split or split_column or params_out):
        raise InputError("--classes, --split, --split-column, --params-out: expected --labels with them, received none")
    shares = split or SHARES
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise InputError(f"--split: expected shares that add up to 1, received {' '.join(map(str, shares))}")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"{output}: expected a new folder, received one that is there")
    require_writable(params_out)

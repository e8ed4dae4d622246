"""The command `yt8m`."""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from joblib import Parallel, delayed
from rich import box
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from yt8m import inspection, submission
from yt8m.data.manifest import DataError, Shard, describe, write_manifest
from yt8m.data.tfrecord import read_records
from yt8m.errors import InputError
from yt8m.params import load


def main(argv: list[str] | None = None) -> None:
    """Run a subcommand; a wrong input ends in one line and a non-zero exit."""
    parser = argparse.ArgumentParser(prog="yt8m", description="Tools around the pipeline.")
    commands = parser.add_subparsers(required=True, metavar="command")
    command = commands.add_parser("manifest", help="list the shards of a folder with sizes, counts and checksums")
    command.add_argument("folder", type=Path)
    command.add_argument("--output", type=Path, help="default: FOLDER/manifest.tsv")
    command.set_defaults(run=manifest)
    command = commands.add_parser("families", help="list the models of a parameter file with their sizes")
    command.add_argument("--params", type=Path, default=Path("params.yaml"), help="default: params.yaml")
    command.add_argument("--json", action="store_true", dest="as_json", help="for programs")
    command.set_defaults(run=families)
    command = commands.add_parser("predict", help="predict with a trained model, as the challenge's CSV")
    command.add_argument("--model", type=Path, required=True, metavar="DIR", help="data/distill, for one")
    command.add_argument("--input", required=True, metavar="GLOB", dest="pattern", help="shards, in quotes")
    command.add_argument("--output", type=Path, required=True, metavar="FILE.csv")
    command.add_argument("--top-k", type=int, default=20, help="classes of a video; default: 20")
    command.add_argument("--names", type=Path, metavar="FILE", help="write names: a file of a name a line")
    command.add_argument("--labels", type=Path, metavar="FILE.csv", help="write the shards' labels, for yt8m score")
    command.set_defaults(run=predict)
    command = commands.add_parser("export", help="write a model as a SavedModel, for TensorFlow alone")
    command.add_argument("--model", type=Path, required=True, metavar="DIR", help="data/distill, for one")
    command.add_argument("--output", type=Path, required=True, metavar="DIR", help="a new folder")
    command.add_argument("--top-k", type=int, default=20, help="classes of a video; default: 20")
    command.set_defaults(run=export)
    command = commands.add_parser("inspect", help="say what shards hold, and every problem found")
    command.add_argument("pattern", metavar="GLOB", help="shards, in quotes")
    command.add_argument("--json", action="store_true", dest="as_json", help="for programs")
    command.set_defaults(run=inspect)
    command = commands.add_parser("score", help="GAP, mAP, Hit@1 and PERR of predictions, as JSON")
    command.add_argument("predictions", type=Path, help="VideoId,LabelConfidencePairs")
    command.add_argument("labels", type=Path, help="VideoId,Labels")
    command.set_defaults(run=score)
    args = vars(parser.parse_args(argv))
    try:
        args.pop("run")(**args)
    except (InputError, OSError) as error:
        sys.exit(f"yt8m: {error}")


def manifest(folder: Path, output: Path | None) -> None:
    """Write a manifest of all `*.tfrecord` below a folder, for `data.source`; paths are relative to the manifest.

    Raises:
        InputError: where there is no shard, or one is damaged.
    """
    output = output or folder / "manifest.tsv"
    paths = sorted(folder.rglob("*.tfrecord"))
    if not paths:
        raise DataError(f"{folder}: expected shards (*.tfrecord), found none")
    shards = Parallel(n_jobs=-1, return_as="generator")(delayed(describe_file)(path, output.parent) for path in paths)
    listed = list(tqdm(shards, "reading", len(paths), unit="shard", disable=None))
    write_manifest(output, listed)
    print(f"{output}: {len(listed)} shards, {sum(shard.videos for shard in listed)} videos")


def predict(model: Path, pattern: str, output: Path, top_k: int, names: Path | None, labels: Path | None) -> None:
    """Write a model's predictions.

    Raises:
        InputError: where the model, a shard or a record is not what it should be.
    """
    if top_k < 1:
        raise DataError(f"--top-k: expected at least 1, received {top_k}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from yt8m.predicting import write_predictions  # imports Keras

    videos = write_predictions(model, pattern, output, top_k, names, labels)
    print(f"{output}: {videos} videos")


def export(model: Path, output: Path, top_k: int) -> None:
    """Write a model as a SavedModel.

    Raises:
        InputError: where the model is not what it should be, or the output is there already.
    """
    if top_k < 1:
        raise DataError(f"--top-k: expected at least 1, received {top_k}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from yt8m import export as exporting  # imports Keras

    exporting.export(model, output, top_k)
    print(output)


def inspect(pattern: str, as_json: bool) -> None:
    """Print what shards hold and what is wrong with them; end with status 1 where something is.

    Raises:
        InputError: where there is no shard.
    """
    found = inspection.inspect(pattern)
    if as_json:
        print(json.dumps(found.summary() | {"problems": found.problems}, indent=2))
    else:
        table = Table(box=box.SIMPLE, show_header=False)
        for name, value in found.summary().items():
            table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
        Console().print(table)
        print("\n".join(found.problems) or "no problems found")
    if found.problems:
        sys.exit(1)


def score(predictions: Path, labels: Path) -> None:
    """Print metrics as JSON.

    Raises:
        SubmissionError: where a file is malformed, or the videos differ.
    """
    print(json.dumps(submission.score(predictions, labels), indent=2))


def describe_file(path: Path, root: Path) -> Shard:
    """What a manifest records of a shard; its level is that of its first record."""
    records = read_records(path)
    first = next(records, None)
    if first is None:
        raise DataError(f"{path}: expected records, received an empty shard")
    level = inspection.level_of(first)
    absolute = path.resolve()
    name = absolute.relative_to(root.resolve()) if absolute.is_relative_to(root.resolve()) else absolute
    return replace(describe(path, level, 1 + sum(1 for _ in records)), path=str(name))


def families(params: Path, as_json: bool) -> None:
    """Print each model's family, parameters, bytes in two types, and whether it keeps to the limit.

    Raises:
        ParamsError: where the file is wrong.
    """
    checked = load(params)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from yt8m.families import sizes  # imports Keras

    rows = list(sizes(checked))
    if as_json:
        print(json.dumps([row._asdict() for row in rows], indent=2))
        return
    limit = checked.distill.max_bytes
    table = Table(box=box.SIMPLE, caption=f"The limit is distill.max_bytes, {limit:,} bytes.", caption_justify="left")
    for heading in ("model", "family", "parameters", "fp32 bytes", "fp16 bytes", "fits"):
        right = heading.startswith(("parameters", "fp"))
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    for row in rows:
        figures = [f"{value:,}" for value in (row.parameters, row.bytes_fp32, row.bytes_fp16)]
        table.add_row(row.model, row.family, *figures, ", ".join(row.fits) or "no")
    Console(width=None if sys.stdout.isatty() else 100).print(table)

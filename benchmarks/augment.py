"""Augmentation against the obvious loops, and its memory: `python -m benchmarks.augment FOLDER_OR_MANIFEST`.

Each measurement has a process of its own. docs/benchmarks.md says what the lines mean.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks._augmenting import Work
from benchmarks._common import Failed, apart, console
from yt8m.augmentation.recipes import Kind
from yt8m.commands._trained import positive
from yt8m.core.errors import InputError
from yt8m.core.schema import Level
from yt8m.intake.split import scan
from yt8m.records.manifest import SOURCE, DataError, locate, read_manifest
from yt8m.settings.params import Params, load

SAMPLE = 10_000  # seeds of the loop: 10 to 40 seconds
FULL_SHARDS = 256  # of a chunk at full size


@dataclass(frozen=True)
class Memory:
    """A chunk's peak memory."""

    shards: int
    videos: int
    made: int
    bytes: int


def find_shards(source: Path, params: Params) -> list[Path]:
    """The video-level shards of a folder, or of a manifest that `yt8m manifest` or `split` wrote.

    Raises:
        InputError: where there are none.
    """
    if source.is_dir():
        paths = sorted(source.rglob("*.tfrecord"))
    elif source.is_file():
        listed = [shard for shard in read_manifest(source) if shard.level is Level.VIDEO]
        paths = [
            locate(shard, params.data.source) if shard.path.startswith(SOURCE) else source.parent / shard.path
            for shard in listed
        ]
    else:
        raise DataError(f"expected a folder of shards or a manifest file, received {source}, which does not exist")
    if not paths:
        raise DataError(f"{source}: expected video-level shards, found none")
    return [path.resolve() for path in paths]


def survey(paths: Sequence[Path], params: Params, threshold: int | None) -> Work:
    """Count videos and labels.

    Raises:
        InputError: where a record does not fit the schema, or no video has a label of a rare class.
    """
    scans = [scan(path, Level.VIDEO, params.data.layout) for path in paths]
    counts = np.sum([each.labels for each in scans], axis=0)
    # A scheduler's workers would be no children, so that their memory were not counted.
    changes = {"scheduler": None} | ({"threshold": threshold} if threshold else {})
    augment = params.augment.model_copy(update=changes)
    most = counts.sum() if augment.threshold is None else augment.threshold
    if not ((counts > 0) & (counts <= most)).any():
        raise DataError(f"expected a class of 1 to {most} videos, found none")
    return Work(
        shards=[(path, each.shard.videos) for path, each in zip(paths, scans, strict=True)],
        counts=counts.tolist(),
        layout=params.data.layout,
        augment=augment,
    )


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.augment", description="Time the augmentation.")
    parser.add_argument("source", type=Path, metavar="FOLDER_OR_MANIFEST", help="of video-level shards")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="default: params.yaml")
    parser.add_argument("--threshold", type=positive, help="default: the parameter file's augment.threshold")
    parser.add_argument("--sample", type=positive, default=SAMPLE, help=f"seeds of the loop; default: {SAMPLE}")
    parser.add_argument("--shards", type=positive, nargs=2, default=[8, 16], help="of random chunks; default: 8 16")
    parser.add_argument("--videos-per-shard", type=positive, default=1300, help="of random chunks; default: 1300")
    args = parser.parse_args(argv)
    if args.shards[0] >= args.shards[1]:
        parser.error(f"--shards: expected the smaller number first, received {args.shards}")
    try:
        params = load(args.params)
        work = survey(find_shards(args.source, params), params, args.threshold)
        sys.exit(run(work, args.sample, args.shards, args.videos_per_shard))
    except (InputError, Failed) as error:
        sys.exit(f"augment: {error}")


def run(work: Work, sample: int, shards: Sequence[int], videos_per_shard: int) -> int:
    """Measure and print; the exit status."""
    out, arguments = console(), {"work": work.model_dump(mode="json")}
    with TemporaryDirectory() as folder:
        out.print("augmenting all shards ...", markup=False)
        whole = apart("_augmenting.augmented", {**arguments, "folder": folder})
        show_augmented(out, work, whole)
        out.print(f"the loop, {sample:,} seeds ...", markup=False)
        loop = apart("_augmenting.looped", {**arguments, "folder": folder, "sample": sample})
    out.print("the loop's work at once ...", markup=False)
    show_loop(out, whole, loop, apart("_augmenting.at_once", {**arguments, "sample": sample}))
    out.print("neighbour searches alone ...", markup=False)
    show_searches(out, apart("_augmenting.searched", arguments))
    out.print("random shards ...", markup=False)
    show_memory(out, [measure_memory(work, number, videos_per_shard) for number in shards], videos_per_shard)
    differing = {what: number for what, number in loop["differing"].items() if number}
    if differing:
        out.print(f"failed: expected the loop's videos to be augment's, received others: {differing}", markup=False)
    return int(bool(differing))


def measure_memory(work: Work, shards: int, videos: int) -> Memory:
    """The memory of augmenting one chunk of random shards; what is written is removed."""
    with TemporaryDirectory() as folder:
        arguments = {"work": work.model_dump(mode="json"), "folder": folder, "shards": shards, "videos": videos}
        other = apart("_augmenting.write_random", arguments)
        result = apart("_augmenting.augmented", {"work": other, "folder": str(Path(folder) / "out")})
    return Memory(shards, shards * videos, sum(result["kinds"]), result["memory"])


def show_augmented(out: Console, work: Work, result: Mapping[str, Any]) -> None:
    """Print what became of the input."""
    total, seconds = sum(result["kinds"]), result["seconds"]
    kinds = [f"{count:,}" for count in result["kinds"]]
    row = [f"{work.videos:,}", f"{total:,}", *kinds, f"{seconds:.1f}", f"{total / seconds:,.0f}"]
    row += [f"{result['bytes'] / 1e9:.2f}", f"{result['memory'] / 1e9:.2f}"]
    header = ["videos before", "after", *(kind.name.lower() for kind in Kind), "s", "videos/s", "GB written", "peak GB"]
    title = f"augment, threshold {work.augment.threshold}, at most {work.augment.neighbours} neighbours"
    print_table(out, title, header, [row])


def show_loop(out: Console, whole: Mapping[str, Any], loop: Mapping[str, Any], once: Mapping[str, Any]) -> None:
    """Print speeds of augment and of the loop, and their ratios."""
    by_loop = (loop["videos"], loop["search"] + loop["make"])
    pairs = {
        "all of it": ((sum(whole["kinds"]), whole["seconds"]), by_loop),
        "without reading": ((once["videos"], once["search"] + once["make"]), by_loop),
        "over the same neighbours": (
            (once["videos_of_sample"], once["make_sample"]),
            (loop["videos"], loop["make"]),
        ),
    }
    rows = []
    for name, measured in pairs.items():
        speeds = [videos / seconds for videos, seconds in measured]
        cells = [f"{videos:,} in {seconds:.2f} s" for videos, seconds in measured]
        rows.append([name, *cells, *(f"{speed:,.0f}" for speed in speeds), f"{speeds[0] / speeds[1]:.1f}"])
    header = ["", "augment: videos", "loop: videos", "augment: videos/s", "loop: videos/s", "augment / loop"]
    print_table(out, "augment and the loop", header, rows)
    out.print(
        f"The loop's {loop['seeds']:,} seeds were compared with {loop['members']:.1f} videos each, which took "
        f"{loop['search']:.1f} s; over all seeds it would be {loop['members_of_all']:.1f}. Augment's time includes the "
        "checksums of what was written; the loop's does not.",
        markup=False,
    )


def show_searches(out: Console, results: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the searches' times."""
    header = ["", "searches", "seeds", "videos compared with", "nearest s", "scikit-learn s"]
    header += ["scikit-learn / nearest", "equal neighbours"]
    rows = [
        [
            name,
            *(f"{result[key]:,}" for key in ("searches", "seeds")),
            *(f"{result[key]:.2f}" for key in ("members", "seconds", "sklearn")),
            f"{result['sklearn'] / result['seconds']:.1f}",
            f"{100 * result['equal']:.3f} %",
        ]
        for name, result in results.items()
    ]
    print_table(out, "neighbour searches", header, rows)


def show_memory(out: Console, measured: Sequence[Memory], videos_per_shard: int) -> None:
    """Print the chunks' memory, and what follows for a chunk of full size."""
    rows = [[str(m.shards), f"{m.videos:,}", f"{m.made:,}", f"{m.bytes / 1e9:.3f}"] for m in measured]
    print_table(out, "memory of a chunk", ["shards", "videos", "videos written", "peak GB"], rows)
    small, large = measured
    slope = (large.bytes - small.bytes) / (large.videos - small.videos)
    full = FULL_SHARDS * videos_per_shard
    more = full - large.videos
    out.print(
        f"{slope:,.0f} bytes a video; {FULL_SHARDS} shards of {videos_per_shard:,} videos: {large.bytes / 1e9:.3f} GB "
        f"+ {slope:,.0f} x ({full:,} - {large.videos:,}) = {(large.bytes + slope * more) / 1e9:.2f} GB",
        markup=False,
    )


def print_table(out: Console, title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows; numbers, which all columns with a heading hold, at the right."""
    table = Table(title=title, title_justify="left")
    for heading in header:
        table.add_column(heading, justify="right" if heading else "left")
    for row in rows:
        table.add_row(*row)
    out.print(table)


if __name__ == "__main__":
    main()

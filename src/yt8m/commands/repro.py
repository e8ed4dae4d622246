"""Reproduce the pipeline as `dvc repro` does, stages side by side on this machine or on a Dask cluster.

Each stage is recorded as soon as it has ended, so that a run that was cut off goes on where it was. What a stage prints
is in data/runs/logs.
"""

import signal
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from yt8m.commands._trained import positive
from yt8m.core.cluster import cores
from yt8m.core.errors import InputError
from yt8m.core.files import read_json
from yt8m.intake import checks
from yt8m.settings.loading import ParamsError, load, load_data
from yt8m.settings.params import Params

SIMULATED = Path("data/simulated")
COUNTS = Path("metrics/split/metrics.json")  # which the stage split writes


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--gpus", type=numbers, default=[], metavar="0-7", help="GPUs, one for each stage that needs one"
    )
    where.add_argument(
        "--scheduler", metavar="tcp://HOST:PORT", help="of a Dask cluster whose workers run in this folder"
    )
    parser.add_argument("--jobs", type=positive, metavar="N", help="stages at a time; default: by cores, and by GPUs")
    parser.add_argument("stages", nargs="*", metavar="STAGE", help="these and what they depend on; default: all")


def numbers(text: str) -> list[str]:
    """The numbers of a list such as `0-3,6`."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    if not found or len(set(found)) < len(found):
        raise ValueError
    return [str(number) for number in found]


def run(gpus: list[str], scheduler: str | None, jobs: int | None, stages: Sequence[str]) -> int:
    """Run what has changed and what depends on it; return 1 where a stage failed.

    Raises:
        InputError: where the parameters, the data that they name, the stages or the cluster are not as expected.
    """
    params = checked()
    from yt8m.scheduling import pipeline, run  # imports Dask

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # in order, as for Ctrl-C
    # One more than there are cores for: DVC lets one stage at a time begin or end, for a second or two.
    jobs = jobs or len(gpus) + max(1, cores() // params.train.threads) + 1
    with run.remote(scheduler) if scheduler else run.local(jobs, gpus) as client:
        status = pipeline.reproduce(client, stages, gpus)
    if COUNTS.is_file():
        for warning in checks.warnings(params, read_json(COUNTS)):
            print(f"warning: {warning}")
    return status


def checked() -> Params:
    """The parameters, where all is right with them and with the data that they name.

    Raises:
        InputError: naming all that is wrong with both.
    """
    params, wrong = None, list[str]()
    try:
        params = load()
    except ParamsError as error:
        wrong = str(error).splitlines()
    data, split = load_data() or (None, None)
    if data and split and SIMULATED not in Path(data.source).parents:  # what a stage makes is not there before
        wrong += checks.problems(data, split)
    if wrong or params is None:
        raise InputError("\n".join(wrong))
    return params

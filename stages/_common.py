"""What stages share: checked parameters, errors in one line, and where things lie."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from yt8m.errors import InputError
from yt8m.params import Params, load

if TYPE_CHECKING:
    from dvclive import Live


DATA, METRICS = Path("data"), Path("metrics")
SPLIT = DATA / "split"
PREDICTIONS = DATA / "predictions"
STATES = DATA / "states"  # of trainings that were cut off; not an output of any stage


def run(stage: Callable[..., None]) -> None:
    """Call a stage with the checked parameters and the command line's words; end with a line, not a traceback."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # or a log file shows no progress
    try:
        stage(load(), *sys.argv[1:])
    except (InputError, OSError) as error:
        sys.exit(f"{Path(sys.argv[0]).stem}: {error}")


@contextmanager
def live(*name: str) -> Iterator["Live"]:
    """Log to `metrics/NAME/…` as text, leaving dvc.yaml and experiments to DVC."""
    from dvclive import Live

    with Live(str(METRICS.joinpath(*name)), dvcyaml=None, save_dvc_exp=False) as log:
        yield log


def summarize(values: dict[str, object], *name: str) -> None:
    """Write figures without steps to `metrics/NAME/…/metrics.json`."""
    with live(*name) as log:
        log.summary.update(values)
        log.make_summary()


__all__ = ["DATA", "METRICS", "PREDICTIONS", "SPLIT", "STATES", "Params", "live", "run", "summarize"]

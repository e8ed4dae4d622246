"""What the project in the current folder says of one of its own models."""

from pathlib import Path
from typing import NamedTuple

from yt8m.core.errors import InputError
from yt8m.core.files import read_csv, read_json
from yt8m.core.schema import Schema
from yt8m.settings.loading import load_data
from yt8m.settings.params import STUDENT, UNTAUGHT

RESULTS, SPLIT = Path("metrics/evaluate/results.csv"), Path("metrics/split/metrics.json")


class Known(NamedTuple):
    """What is known of a model's data and quality.

    Attributes:
        source: the data set's name.
        videos: how many, by split.
        test: the model's row of `metrics/evaluate/results.csv`; empty where it has none.
    """

    source: str
    videos: dict[str, int]
    test: dict[str, float]


def known(folder: Path, scheme: str | None, schema: Schema) -> Known | None:
    """What is known of a model; None where it is not an output of this project, or takes other videos.

    Args:
        folder: where it is stored.
        scheme: of an ensemble.
    """
    row = _row(folder, scheme)
    try:
        described = load_data() if row else None
    except InputError:  # there are no parameters here
        return None
    if not described or described[0].layout != schema or not SPLIT.is_file():
        return None
    videos = {split: int(figures["videos"]) for split, figures in read_json(SPLIT).items()}
    return Known(Path(described[0].source).name, videos, _results().get(row, {}))


def _row(folder: Path, scheme: str | None) -> str:
    """What a model of `data/` is called in the results; empty for any other."""
    data = Path("data").resolve()
    place = folder.resolve()
    parts = place.relative_to(data).parts if place.is_relative_to(data) else ()
    match parts:
        case ("distill",):
            return STUDENT
        case ("untaught",):
            return UNTAUGHT
        case ("ensemble",):
            return "mean_of_all" if scheme == "equal" else str(scheme)
        case ("finetune", name):
            return name
        case ("train_moe", kind):
            return f"moe_{kind}"
    return ""


def _results() -> dict[str, dict[str, float]]:
    """The figures of every system on test, by its name."""
    if not RESULTS.is_file():
        return {}
    return {row.pop("model"): {key: float(value) for key, value in row.items()} for row in read_csv(RESULTS)}

"""What is scored: which stages train it, and where its predictions of the test videos lie."""

from typing import NamedTuple

from yt8m.scoring.table2 import WITHOUT
from yt8m.settings.params import STUDENT, UNTAUGHT

ENSEMBLE = "ensemble"


class System(NamedTuple):
    """A system of `metrics/evaluate/metrics.json` that is one model.

    Attributes:
        trainings: the stages that train it, each from where the one before has ended.
        predictions: their file.
    """

    trainings: tuple[str, ...]
    predictions: str


def model(name: str) -> System:
    """What is known of a model by its name in the results."""
    if name == STUDENT:
        return System(("distill",), "data/infer_student/test.parquet")
    if name == UNTAUGHT:
        return System(("untaught",), "data/beside/untaught/test.parquet")
    if name.startswith("moe_"):
        return System((f"train_moe@{name.removeprefix('moe_')}",), f"data/beside/{name}/test.parquet")
    if name.endswith(WITHOUT):
        member = name.removesuffix(WITHOUT)
        return System((f"train@{member}", f"train_on@{member}"), f"data/beside/{member}/test.parquet")
    return System((f"train@{name}", f"finetune@{name}"), f"data/predictions/test/{name}.parquet")


def metrics_of(stage: str) -> str:
    """The file of figures that a training writes."""
    return f"metrics/{stage.replace('@', '/')}/metrics.json"

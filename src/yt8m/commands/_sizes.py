"""How large the models of a parameter file are."""

from collections.abc import Iterator
from typing import NamedTuple

from yt8m.core.schema import Level
from yt8m.models.building import Description, count_parameters
from yt8m.settings.params import STUDENT, Model, Params


class Row(NamedTuple):
    """A model's size; `fit_…` says how many like it take no more than the limit together, in each of two types."""

    model: str
    family: str
    parameters: int
    bytes_fp32: int
    bytes_fp16: int
    fit_fp32: int
    fit_fp16: int


def sizes(params: Params) -> Iterator[Row]:
    """A row for each of the ensemble's models, the video-level model and the student, if it is none of these.

    Parameters are all that is stored: trainable weights and moving statistics. The limit is `distill.max_bytes`.
    """
    listed: dict[str, Model] = {**params.models, "train_moe": params.train_moe}
    if student := params.distill.own:
        listed[STUDENT] = student.times(params.distill.members)
    counted: dict[str, int] = {}
    for name, model in listed.items():
        level = Level.VIDEO if name == "train_moe" else params.data.level
        key = f"{model.family} {level} {model.args}"
        if key not in counted:
            counted[key] = count_parameters(Description.of(model, params.train, params.data.layout, level))
        count, limit = counted[key], params.distill.max_bytes
        yield Row(name, model.family, count, 4 * count, 2 * count, limit // (4 * count), limit // (2 * count))

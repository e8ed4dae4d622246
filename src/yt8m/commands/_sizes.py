"""How large the models of a parameter file are."""

from collections.abc import Iterator
from typing import NamedTuple

from yt8m.core.schema import Level
from yt8m.models.building import Description, count_parameters
from yt8m.settings.params import STUDENT, Model, Params


class Row(NamedTuple):
    """A model's size; `fits` says in which of the two types its weights take no more than the limit."""

    model: str
    family: str
    parameters: int
    bytes_fp32: int
    bytes_fp16: int
    fits: list[str]


def sizes(params: Params) -> Iterator[Row]:
    """A row for each of the ensemble's models, the video-level model and the student, if it is none of these.

    Parameters are all that is stored: trainable weights and moving statistics. The limit is `distill.max_bytes`.
    """
    listed: dict[str, Model] = {**params.models, "train_moe": params.train_moe}
    if student := params.distill.own:
        listed[STUDENT] = student
    counted: dict[str, int] = {}
    for name, model in listed.items():
        level = Level.VIDEO if name == "train_moe" else params.data.level
        key = f"{model.family} {level} {model.args}"
        if key not in counted:
            counted[key] = count_parameters(Description.of(model, params.train, params.data.layout, level))
        count, limit = counted[key], params.distill.max_bytes
        fits = [kind for kind, size in (("fp32", 4), ("fp16", 2)) if count * size <= limit]
        yield Row(name, model.family, count, 4 * count, 2 * count, fits)

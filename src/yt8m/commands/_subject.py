"""What is exported: a trained model, or an ensemble as one model."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from yt8m.commands._scoring import weights_of
from yt8m.commands._trained import load
from yt8m.core.errors import InputError
from yt8m.core.schema import Level, Schema
from yt8m.ensembling import fitting
from yt8m.ensembling.ensemble import DESCRIPTION, Ensemble

if TYPE_CHECKING:
    import keras

    from yt8m.models.building import Description


class Subject(NamedTuple):
    """A model to export.

    Attributes:
        folder: where it is stored.
        model: from `Batch.inputs` to (B, C) scores.
        members: what it is made of, by name; of a single model itself, by its family.
        scheme: whose weights combine an ensemble's members; None for a single model.
        top_k: the most classes that it gives of a video.
    """

    folder: Path
    model: "keras.Model"
    members: "dict[str, Description]"
    scheme: str | None
    top_k: int

    @property
    def title(self) -> str:
        """What it is, for people."""
        return f"an ensemble of {len(self.members)} models" if self.scheme else next(iter(self.members))

    @property
    def schema(self) -> Schema:
        """What videos hold, to every member."""
        return next(iter(self.members.values())).layout

    @property
    def level(self) -> Level:
        """How videos are described."""
        return next(iter(self.members.values())).level


def read(folder: Path, float32: bool = False) -> Subject:
    """The model or the ensemble of a folder; Keras is imported here.

    Args:
        float32: compute in it, whatever precision was trained with.

    Raises:
        InputError: where the folder holds neither, or a part of it is damaged or does not go with the others.
    """
    if (folder / DESCRIPTION).is_file():
        return _ensemble(folder, float32)
    model, description = _load(folder, float32)
    return Subject(folder, model, {description.family: description}, None, description.layout.classes)


def _ensemble(folder: Path, float32: bool) -> Subject:
    ensemble = Ensemble.read(folder)
    weights, power = weights_of(folder, ensemble.scheme), fitting.power(ensemble.scheme)
    loaded = {name: _load(folder / path, float32) for name, path in ensemble.members.items()}
    members = {name: description for name, (_, description) in loaded.items()}
    _require_alike(folder, members)
    models, first = [model for model, _ in loaded.values()], next(iter(members.values()))
    schema, expected = first.layout, (len(members), first.layout.classes)
    if weights.shape != expected:
        raise InputError(f"{folder}: expected weights of {expected} members and classes, received {weights.shape}")
    from yt8m.ensembling import network

    top_k = min(ensemble.top_k, schema.classes)
    model = network.build(models, schema, first.level, weights, power, top_k)
    return Subject(folder, model, members, ensemble.scheme, top_k)


def _load(folder: Path, float32: bool) -> "tuple[keras.Model, Description]":
    model, description = load(folder)
    if float32 and description.precision != "float32":
        from yt8m.models.building import build

        trained, model = model, build(description.model_copy(update={"precision": "float32"}))
        model.set_weights(trained.get_weights())
    return model, description


def _require_alike(folder: Path, members: "dict[str, Description]") -> None:
    """Refuse members that take other videos than the first."""
    (first, expected), *others = (
        (name, {"level": one.level, **one.layout.model_dump()}) for name, one in members.items()
    )
    for name, received in others:
        for key, value in expected.items():
            if received[key] != value:
                raise InputError(
                    f"{folder}: {name}: expected {key} {value}, as {first} has it, received {received[key]}"
                )

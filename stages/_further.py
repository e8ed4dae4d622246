"""The training of a member that goes on: with label relations, or for as long without."""

from dataclasses import replace

from stages._places import DATA
from yt8m.settings.params import Params
from yt8m.training.training import Training

OTHER_ORDER = 1_000_000  # added to the seed: the videos come in another order than in training


def further(params: Params, model: str, set: str, stage: str) -> Training:
    """A training of `finetune`'s length and rate by the labels alone, whose files are a stage's."""
    name, settings = f"{model}-{set}", params.finetune
    section = params.models[model].model_copy(
        update={"learning_rate": settings.learning_rate, "epochs": settings.epochs or 1}
    )
    training = Training.of(params, section, params.sets[set].seed + OTHER_ORDER, f"{stage}/{name}")
    training = replace(training, start=DATA / "train" / name)
    return training.lasting(settings.steps) if settings.steps else training

"""Train one model of the ensemble: `python -m stages train MODEL SET`."""

from yt8m.settings.params import Params
from yt8m.training.run import run
from yt8m.training.training import Training


def main(params: Params, model: str, set: str) -> None:
    run(Training.of(params, params.models[model], params.sets[set].seed, f"train/{model}-{set}"))

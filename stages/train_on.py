"""Train a model on for as long as label relations take, without them: `python -m stages train_on MODEL-SET`.

What the model with label relations is measured against in Table 2.
"""

from stages._further import further
from yt8m.settings.params import Params
from yt8m.training.run import run


def main(params: Params, member: str) -> None:
    model, set = member.split("-")
    run(further(params, model, set, "train_on"))

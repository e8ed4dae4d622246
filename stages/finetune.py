"""Fine-tune a trained model with label relations, or pass it on: `python -m stages finetune MODEL SET`."""

import shutil
from dataclasses import replace

from stages._places import DATA, METRICS
from yt8m.core.files import whole, write_json, write_text
from yt8m.core.startup import starting
from yt8m.settings.params import Params


def main(params: Params, model: str, set: str) -> None:
    if params.sets[set].finetune:
        finetune(params, model, set)
    else:
        pass_on(f"{model}-{set}")


def finetune(params: Params, model: str, set: str) -> None:
    """Go on with eq. 5's objective."""
    with starting():  # Keras is not needed, and not loaded, to pass a model on
        from stages._further import further
        from yt8m.relations.regularizer import Relations
        from yt8m.training.run import run

    settings = params.finetune
    relations = Relations(settings.lambda1, settings.lambda2, settings.damping, settings.period)
    run(replace(further(params, model, set, "finetune"), objective=relations))


def pass_on(name: str) -> None:
    """Copy the model as it was trained; there is nothing to log."""
    with whole(DATA / "finetune" / name) as folder:
        shutil.copytree(DATA / "train" / name, folder)
    write_json(METRICS / "finetune" / name / "metrics.json", {})
    write_text(METRICS / "finetune" / name / "plots" / "metrics" / "holdout_gap.tsv", "step\tholdout_gap\n")
    print(f"finetune/{name}: as trained")

"""Fine-tune a trained model with label relations, or pass it on: `python -m stages.finetune NAME`."""

import json
import shutil
from pathlib import Path

from stages._common import DATA, METRICS, SPLIT, Params, live, run
from yt8m.files import whole


def main(params: Params, name: str) -> None:
    trained, out = DATA / "train" / name, DATA / "finetune" / name
    if params.models[name].finetune:
        finetune(params, name, trained, out)
        return
    # Keras is not needed, and not loaded, to pass a model on.
    with whole(out) as folder:
        shutil.copytree(trained, folder)
    gap = json.loads((METRICS / "train" / name / "metrics.json").read_text(encoding="utf-8"))["gap"]
    with live("finetune", name) as log:
        log.step = 0
        log.log_metric("holdout_gap", gap)
        log.summary.update(gap_before=gap, gap=gap)
        log.make_summary()
    print(f"finetune/{name}: as trained, holdout GAP {gap:.4f}")


def finetune(params: Params, name: str, trained: Path, out: Path) -> None:
    from stages._training import make_plan
    from yt8m import models
    from yt8m.data.dataset import Dataset
    from yt8m.training.determinism import make_deterministic
    from yt8m.training.fit import fit, samples
    from yt8m.training.relations import Alternate, RelatedModel
    from yt8m.training.scores import dataset_gap

    make_deterministic()
    settings, member, data = params.finetune, params.models[name], params.data
    plain, description = models.load(trained)
    model = RelatedModel(
        plain.inputs, plain.outputs, lambda1=settings.lambda1, lambda2=settings.lambda2, damping=settings.damping
    )
    train = Dataset(SPLIT / "train" / "frames.tsv", data.source, data.layout)
    holdout = Dataset(SPLIT / "holdout" / "frames.tsv", data.source, data.layout)
    schedule = make_plan(params, train.size, member.batch_size, settings.learning_rate, settings.epochs)
    # Another order of videos than in training.
    batches = train.shuffled(member.batch_size, member.seed + 1_000_000, params.train.shuffle_buffer)
    with live("finetune", name) as log:
        log.summary["gap_before"] = dataset_gap(plain, holdout, schedule.batch_size)
        gap = fit(
            model,
            samples(batches),
            holdout,
            schedule,
            log,
            callbacks=[Alternate(settings.period)],
            score_start=True,
        )
    with whole(out) as folder:
        models.save(plain, description, folder)
    print(f"finetune/{name}: holdout GAP {log.summary['gap_before']:.4f} before, {gap:.4f} after")


if __name__ == "__main__":
    run(main)

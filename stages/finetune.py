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
    was = json.loads((METRICS / "train" / name / "metrics.json").read_text(encoding="utf-8"))
    gap = was["gap"]
    with live("finetune", name) as log:
        log.step = 0
        log.log_metric("holdout_gap", gap)
        log.summary.update(gap_before=gap, gap=gap, bytes=was["bytes"])
        log.make_summary()
    print(f"finetune/{name}: as trained, holdout GAP {gap:.4f}")


def finetune(params: Params, name: str, trained: Path, out: Path) -> None:
    from stages._training import fit_model
    from yt8m import models
    from yt8m.data.dataset import Dataset
    from yt8m.report.relations import learnt, write_relations
    from yt8m.training.devices import prepare
    from yt8m.training.relations import Alternate, RelatedModel

    devices, data = prepare(params.train.xla), params.data
    settings, member = params.finetune, params.models[name]

    def save(folder: Path) -> dict[str, float]:
        models.save(plain, description, folder)
        labels = [video.labels for video in Dataset(SPLIT / "train" / "videos.tsv", data.source, data.layout).videos()]
        names = (SPLIT / "classes.txt").read_text(encoding="utf-8").splitlines()
        relations = learnt(related.update_relations())
        return {"rank_correlation": write_relations(relations, labels, names, folder / "relations")}

    with devices.scope():
        plain, description = models.load(trained)
        related = RelatedModel(
            plain.inputs,
            plain.outputs,
            lambda1=settings.lambda1,
            lambda2=settings.lambda2,
            damping=settings.damping,
            name=plain.name,
        )
        fit_model(
            params,
            devices,
            related,
            Dataset(SPLIT / "train" / "frames.tsv", data.source, data.layout),
            "frames.tsv",
            "finetune",
            name,
            seed=member.seed + 1_000_000,  # another order of videos than in training
            batch_size=member.batch_size,
            learning_rate=settings.learning_rate,
            epochs=settings.epochs,
            out=out,
            save=save,
            decisive=[description, settings.model_dump()],
            inputs=[trained / models.WEIGHTS],
            callbacks=[Alternate(settings.period)],
            score_start=True,
        )


if __name__ == "__main__":
    run(main)

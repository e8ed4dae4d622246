"""What stages read, made up: small, and of no training."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tests.records import made
from yt8m.augmentation.recipes import Kind
from yt8m.core.files import write_csv, write_json, write_text
from yt8m.core.schema import Level
from yt8m.records.manifest import describe, write_manifest
from yt8m.relations import omega
from yt8m.scoring import predictions
from yt8m.settings import registry

MEMBERS = {"netvlad-a": "netvlad", "lstm-a": "lstm", "netvlad-b": "netvlad", "lstm-b": "lstm"}
CLASSES = made.SCHEMA.classes


def write_scored(root: Path) -> None:
    """All that the stage `evaluate` reads, with weights of every scheme that there is."""
    videos = [made.frame_video(np.random.default_rng(seed), str(seed)) for seed in range(12)]
    beside = [f"beside/{name}" for name in ("moe_original", "moe_augmented", "untaught", "plain", "netvlad-b")]
    splits = ("train", "holdout", "test")
    stores = [f"predictions/test/{name}" for name in MEMBERS]
    stores += [f"{name}/{split}" for name in [*beside, "infer_student"] for split in splits]
    folders = [f"finetune/{name}" for name in MEMBERS] + ["train_moe/original", "train_moe/augmented"]
    for folder in [*folders, "distill", "untaught"]:
        write_json(root / "data" / folder / "model.json", {"family": "lstm"})
        save_file({"weights": np.zeros((2, 3), np.float32)}, root / "data" / folder / "model.safetensors")
    counts = [(number, number) for number in range(CLASSES)]
    write_csv(root / "data/split/label_counts/train.csv", ("index", "videos"), counts)
    for seed, store in enumerate(stores):
        scores = np.random.default_rng(seed).random((len(videos), CLASSES), np.float32)
        with predictions.writer(root / "data" / f"{store}.parquet", CLASSES, CLASSES) as out:
            out.write([video.id for video in videos], [video.labels for video in videos], scores)
    write_json(root / "data/members.json", MEMBERS)
    write_json(root / "metrics/fit_ensemble/metrics.json", {"teacher": "per_model"})
    write_csv(
        root / "metrics/fit_ensemble/members.csv",
        ("model", "train_gap", "holdout_gap"),
        [(name, 0.9, 0.5) for name in MEMBERS],
    )
    (root / "data/ensemble").mkdir()
    weights = dict.fromkeys(registry.schemes(), np.full((len(MEMBERS), CLASSES), 1 / len(MEMBERS)))
    np.savez(root / "data/ensemble/weights.npz", allow_pickle=False, **weights)


def write_trained(root: Path, finetuned: str) -> None:
    """What `report` reads beside what `evaluate` reads and writes.

    Args:
        finetuned: the member with label relations.
    """
    shard = root / "augmented.tfrecord"
    videos = made.write_shard(shard, Level.VIDEO, 40)
    write_manifest(root / "data/augment/videos.tsv", [describe(shard, Level.VIDEO, len(videos))], made.SCHEMA)
    kinds = {kind.name.lower(): number for number, kind in enumerate(Kind)}
    write_json(root / "metrics/augment/metrics.json", {"before": 40, "after": 90, "factor": 2.25, **kinds})
    counts = [(number, number, 2 * number) for number in range(CLASSES)]
    write_csv(root / "metrics/augment/label_counts.csv", ("index", "before", "after"), counts)
    write_json(root / "metrics/split/metrics.json", {split: {"videos": 12} for split in ("train", "holdout", "test")})
    write_text(root / "data/split/classes.txt", "".join(f"name {number} <&>\n" for number in range(CLASSES)))
    with predictions.writer(root / "data/ensemble/teacher.parquet", CLASSES, CLASSES) as out:
        out.write([video.id for video in videos], [video.labels for video in videos], np.zeros((40, CLASSES)))
    weights = [("", scheme, "paper", name, 0.5, -0.25, 1.0) for scheme in ("equal", "gap") for name in MEMBERS]
    header = ("set", "scheme", "of", "model", "weight", "lowest", "highest")
    write_csv(root / "metrics/fit_ensemble/weights.csv", header, weights)
    trainings = [f"train/{name}" for name in MEMBERS] + [f"finetune/{finetuned}", "distill", "untaught"]
    for name in [*trainings, "train_moe/original", "train_moe/augmented"]:
        folder = root / "metrics" / name / "plots" / "metrics"
        write_text(folder / "loss.tsv", "step\tloss\n10\t3.5\n20\t2.5\n")
        write_text(folder / "holdout_gap.tsv", "step\tholdout_gap\n0\t0.125\n10\t0.25\n20\t0.375\n")
    learnt = omega.relation(np.random.default_rng(0).normal(size=(7, CLASSES)))
    omega.save(learnt, root / "data/finetune" / finetuned / "omega.npz")

"""Augment the training videos in feature space: `python -m stages.augment`."""

import numpy as np

from stages._common import DATA, METRICS, SPLIT, Params, run, summarize
from yt8m.augmentation.recipes import Kind
from yt8m.augmentation.synthesis import augment_shards
from yt8m.data.classes import read_label_counts
from yt8m.data.dataset import Dataset
from yt8m.data.manifest import write_manifest
from yt8m.files import whole, write_text
from yt8m.report.figures import label_count_figure


def main(params: Params) -> None:
    data, folder = params.data, DATA / "augment"
    train = Dataset(SPLIT / "train" / "videos.tsv", data.source, data.layout)
    before = read_label_counts(SPLIT / "train" / "label_counts.csv")
    with whole(folder) as out:
        made = augment_shards(
            list(zip(train.paths, train.counts, strict=True)), before, data.layout, out, **params.augment.model_dump()
        )
        write_manifest(out / "videos.tsv", [shard.moved(folder) for shard in made.shards])
    after, total = made.labels, int(made.kinds.sum())
    kinds = {kind.name.lower(): int(count) for kind, count in zip(Kind, made.kinds, strict=True)}
    summarize({"before": train.size, "after": total, "factor": total / train.size, **kinds}, "augment")
    rows = "".join(f"{index},{n},{m}\n" for index, (n, m) in enumerate(zip(before, after, strict=True)))
    write_text(METRICS / "augment" / "label_counts.csv", "index,before,after\n" + rows)
    label_count_figure(
        np.sort(before)[::-1], after[np.argsort(-before, kind="stable")], METRICS / "augment" / "label_counts.png"
    )
    print(f"{train.size} videos became {total}: {kinds}")


if __name__ == "__main__":
    run(main)

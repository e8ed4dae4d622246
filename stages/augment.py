"""Augment the training videos in feature space: `python -m stages.augment`."""

import numpy as np

from stages._common import DATA, METRICS, SPLIT, Params, run, summarize
from yt8m.augmentation.synthesis import augment_shards
from yt8m.data.classes import read_label_counts
from yt8m.data.dataset import Dataset
from yt8m.data.manifest import Shard, checksum, write_manifest
from yt8m.files import whole, write_text
from yt8m.report.figures import label_count_figure
from yt8m.schema import Level


def main(params: Params) -> None:
    data, folder = params.data, DATA / "augment"
    train = Dataset(SPLIT / "train" / "videos.tsv", data.source, data.layout)
    before = read_label_counts(SPLIT / "train" / "label_counts.csv")
    with whole(folder) as out:
        written, kinds, after = augment_shards(train.paths, before, data.layout, out, **params.augment.model_dump())
        shards = [
            Shard(Level.VIDEO, str(folder / path.name), path.stat().st_size, videos, checksum(path))
            for path, videos in written
        ]
        write_manifest(out / "videos.tsv", shards)
    total = sum(kinds.values())
    summarize({"before": train.size, "after": total, "factor": total / train.size, **kinds}, "augment")
    rows = "".join(f"{index},{n},{m}\n" for index, (n, m) in enumerate(zip(before, after, strict=True)))
    write_text(METRICS / "augment" / "label_counts.csv", "index,before,after\n" + rows)
    label_count_figure(
        np.sort(before)[::-1], after[np.argsort(-before, kind="stable")], METRICS / "augment" / "label_counts.png"
    )
    print(f"{train.size} videos became {total}: {kinds}")


if __name__ == "__main__":
    run(main)

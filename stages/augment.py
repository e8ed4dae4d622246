"""Augment the training videos in feature space: `python -m stages augment`."""

from stages._places import DATA, LABEL_COUNTS, METRICS, SPLIT
from yt8m.augmentation.recipes import Kind
from yt8m.augmentation.synthesis import augment_shards, chunks_of
from yt8m.core.cluster import processes_for, workers
from yt8m.core.files import whole, write_csv, write_json
from yt8m.records.cache import Cache
from yt8m.records.classes import read_label_counts
from yt8m.records.dataset import Dataset
from yt8m.records.manifest import write_manifest
from yt8m.records.remote import total_size
from yt8m.settings.params import Params


def main(params: Params) -> None:
    folder = DATA / "augment"
    train = Dataset(SPLIT / "videos" / "train.tsv", params.data.source, cache=Cache.of(params.data))
    before = read_label_counts(SPLIT / "label_counts" / "train.csv")
    shards = list(zip(train.paths, train.counts, strict=True))
    chunks = len(chunks_of(shards, params.augment.chunk_shards))
    with whole(folder) as out, workers(params.cluster, min(chunks, processes_for(total_size(train.paths)))) as spread:
        made = augment_shards(shards, before, train.schema, out, params.augment, spread)
        write_manifest(out / "videos.tsv", [shard.moved(folder) for shard in made.shards], train.schema)
    total = int(made.kinds.sum())
    kinds = {kind.name.lower(): int(count) for kind, count in zip(Kind, made.kinds, strict=True)}
    figures = {"before": train.size, "after": total, "factor": total / train.size, **kinds}
    write_json(METRICS / "augment" / "metrics.json", figures)
    counts = zip(range(len(before)), before.tolist(), made.labels.tolist(), strict=True)
    write_csv(LABEL_COUNTS, ("index", "before", "after"), counts)
    print(f"{train.size} videos became {total}: {kinds}")

"""Sort shards into train, holdout and test, checking every record: `python -m stages split`."""

import hashlib
from pathlib import Path

from stages._places import CODE, METRICS, SCANS, SPLIT
from yt8m.core.cluster import processes_for, workers
from yt8m.core.files import remove, whole, write_json, write_text
from yt8m.intake.checks import problems, warnings
from yt8m.intake.split import Source, split
from yt8m.records.cache import Cache
from yt8m.records.classes import read_class_names
from yt8m.records.manifest import DataError
from yt8m.settings.params import Params


def main(params: Params) -> None:
    data = params.data
    if wrong := problems(data, params.split):
        raise DataError("\n".join(wrong))
    names = read_class_names(Path(data.class_names), data.layout.classes)
    source = Source(data.source, data.globs, data.layout, Cache.of(data))
    kept = scans_of(data.layout.model_dump_json())
    with whole(SPLIT) as out, workers(params.cluster, processes_for(source.size)) as spread:
        counts = split(source, params.split.patterns.model_dump(), out, SPLIT, kept, spread)
        write_text(out / "classes.txt", "\n".join(names) + "\n")
    write_json(METRICS / "split" / "metrics.json", counts)
    for name, count in counts.items():
        print(f"{name}: {count}")
    for warning in warnings(params, counts):
        print(f"warning: {warning}")


def scans_of(schema: str) -> Path:
    """The folder of what this code found in shards of this schema; what other code found is removed."""
    about = schema + (CODE / "split.txt").read_text(encoding="utf-8")
    kept = SCANS / hashlib.blake2b(about.encode(), digest_size=8).hexdigest()
    for other in SCANS.glob("*"):
        if other != kept:
            remove(other)
    return kept

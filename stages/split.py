"""Sort shards into train, holdout and test, checking every record: `python -m stages split`."""

from pathlib import Path

from stages._places import METRICS, SPLIT
from yt8m.core.files import whole, write_json, write_text
from yt8m.intake.split import split
from yt8m.records.classes import read_class_names
from yt8m.settings.params import Params


def main(params: Params) -> None:
    data = params.data
    names = read_class_names(Path(data.class_names), data.layout.classes)
    with whole(SPLIT) as out:
        counts = split(data.source, data.globs, params.split.patterns.model_dump(), data.layout, out, SPLIT)
        write_text(out / "classes.txt", "\n".join(names) + "\n")
    write_json(METRICS / "split" / "metrics.json", counts)
    for name, count in counts.items():
        print(f"{name}: {count}")

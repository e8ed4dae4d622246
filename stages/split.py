"""Sort shards into train, holdout and test, checking every record: `python -m stages.split`."""

from pathlib import Path

from stages._common import SPLIT, Params, run, summarize
from yt8m.data.classes import read_class_names
from yt8m.data.manifest import root
from yt8m.data.split import split
from yt8m.files import whole, write_text


def main(params: Params) -> None:
    data = params.data
    names_file = data.class_names and root(data.source) / data.class_names
    names = read_class_names(Path(names_file) if names_file else None, data.layout.classes)
    with whole(SPLIT) as out:
        counts = split(data.source, data.globs, params.split.patterns.model_dump(), data.layout, out, SPLIT)
        write_text(out / "classes.txt", "\n".join(names) + "\n")
    summarize(dict(counts), "split")
    for name, count in counts.items():
        print(f"{name}: {count}")


if __name__ == "__main__":
    run(main)

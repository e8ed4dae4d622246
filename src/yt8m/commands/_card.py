"""The model card of an export: README.md as Hugging Face lays it out, of what is known and nothing else."""

from importlib.metadata import version
from pathlib import Path
from string import Template

from yt8m.commands import _recipes
from yt8m.commands._project import Known, known
from yt8m.commands._subject import Subject
from yt8m.core.files import read_json
from yt8m.core.schema import Level
from yt8m.records.remote import total_size

UNKNOWN = "not known here"
METRICS = {"gap": "GAP@20", "map": "mAP", "hit1": "Hit@1", "perr": "PERR"}
LIBRARIES = {"savedmodel": "tensorflow", "onnx": "onnx"}

CARD = Template("""\
---
license: other
license_name: as-the-training-data
library_name: $library
pipeline_tag: video-classification
tags: [$tags]
metrics: [$metrics]
---

# $title

It scores the classes of a video by its features and gives the $top_k highest of $classes. Written by yt8m $version.

| | |
| --- | --- |
$table

## Data

- Data set: $source.
- Videos: $videos.
- Features: $features.

## Metrics

$test

## Licence

The code that trained and wrote the model is under Apache-2.0. The weights are under the licence of the data that they
were trained on: YouTube-8M and AudioSet are under CC BY 4.0; for other data say here which licence it is.

## How to call it

$use""")


def text(subject: Subject, format: str, top_k: int, folder: Path) -> str:
    """The card.

    Args:
        format: `savedmodel` or `onnx`.
        top_k: classes that the export gives.
        folder: where the export lies.
    """
    schema, level = subject.schema, subject.level
    project = known(subject.folder, subject.scheme, schema)
    families = list(dict.fromkeys(member.family for member in subject.members.values()))
    figures = project.test if project else {}
    use = _recipes.onnx(schema, level, folder) if format == "onnx" else _recipes.savedmodel(schema, level)
    return CARD.substitute(
        library=LIBRARIES[format],
        tags=", ".join(["video-classification", *families]),
        metrics=", ".join(METRICS) if figures else "",
        title=subject.title[0].upper() + subject.title[1:],
        top_k=top_k,
        classes=schema.classes,
        version=version("yt8m"),
        table="\n".join(f"| {name} | {value} |" for name, value in _table(subject, format, folder).items()),
        source=f"`{project.source}`" if project else UNKNOWN,
        videos=", ".join(f"{count:,} {split}" for split, count in project.videos.items()) if project else UNKNOWN,
        features=", ".join(f"`{name}` ({size} {_values(level)})" for name, size in schema.features.items()),
        test=_test(project),
        use=use,
    )


def _table(subject: Subject, format: str, folder: Path) -> dict[str, str]:
    """The model itself."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    rows = {
        "parameters": f"{subject.model.count_params():,}",
        "bytes": f"{total_size(files):,}",
        "computed in": _precision(subject, format),
        "frames of a video": f"up to {subject.schema.frames(subject.level)}",
    }
    if subject.scheme:
        members = ", ".join(f"{name} ({member.family})" for name, member in subject.members.items())
        return rows | {"members": members, "combined by the scheme": subject.scheme}
    if made := read_json(subject.folder / "model.json").get("made"):
        versions = ", ".join(f"{name} {number}" for name, number in made["versions"].items())
        rows["trained with"] = f"{versions}; seed {made['training']['seed']}"
    return rows


def _precision(subject: Subject, format: str) -> str:
    trained = ", ".join(sorted({member.precision for member in subject.members.values()}))
    if format != "onnx" or trained == "float32":
        return trained
    return f"float32; `yt8m predict` computes in {trained}, and its scores differ by thousandths"


def _values(level: Level) -> str:
    return "bytes a frame" if level is Level.FRAME else "floats a video"


def _test(project: Known | None) -> str:
    """The figures on test; the standard error is GAP's, from resamples of the videos."""
    if not project or not project.test:
        return f"{UNKNOWN[0].upper()}{UNKNOWN[1:]}."
    figures = {name: f"{project.test[f'test_{key}']:.4f}" for key, name in METRICS.items()}
    figures["GAP@20"] += f" ± {project.test['gap_error']:.4f}"
    rows = "\n".join(f"| {name} | {value} |" for name, value in figures.items())
    return f"""\
On {project.videos["test"]:,} test videos, from the project's `metrics/evaluate/results.csv`. The error is a standard
error over resamples of these videos.

| metric | test |
| --- | --- |
{rows}"""

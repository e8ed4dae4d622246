"""A parameter file for packed videos: a complete alternative of `params/`, scaled to them.

It is where work begins, not a tuning: sizes and lengths that train on such data, on those values that were tuned on the
template's.
"""

from io import StringIO
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ruamel.yaml import YAML
from ruamel.yaml.representer import RoundTripRepresenter

from yt8m.core.errors import InputError
from yt8m.core.schema import Level, Schema
from yt8m.packing.splits import SPLITS
from yt8m.settings.loading import parse

TEMPLATES = {Level.FRAME: Path("params/audioset.yaml"), Level.VIDEO: Path("params/youtube8m_video.yaml")}
HEADER = """\
# Made for this data on {template}. What follows from the data is set; all else was tuned on other data: a start.
#
#   yt8m repro     # with this as params.yaml, in the project's folder

"""
STEPS = 200  # of a training at least
EVAL_STEPS, EVAL_EXAMPLES = 30, 400_000  # between scores: at least, at most (the paper's)
SMALLEST = 8  # videos of a batch
WIDE = 256  # numbers of a frame; a feature of more has fewer clusters, so that descriptors stay as large
FREQUENT = 0.95  # of classes have no more videos than augment.threshold: so it is with the paper's on YouTube-8M
FRAMES = 30  # drawn of a video in training
TOP_K = (20, 100)  # classes kept of a video: GAP's, and what mAP needs


class Facts(NamedTuple):
    """What the parameters say of the data, or follow from it.

    Attributes:
        source: the folder of the shards, as it will be called from the project's.
        videos: of each split.
        counts: training videos by class, (classes,).
    """

    source: str
    level: Level
    schema: Schema
    videos: dict[str, int]
    counts: np.ndarray


def read_template(level: Level) -> Any:
    """The project's parameters for a level, comments and all.

    Raises:
        InputError: where this is not the project's folder.
    """
    path = TEMPLATES[level]
    if not path.is_file():
        raise InputError(f"{path}: expected the project's parameters to start from; yt8m pack runs in its folder")
    return _yaml().load(path.read_text(encoding="utf-8"))


def fill(params: Any, facts: Facts) -> str:
    """The text of a parameter file: the template with the data's values in it."""
    _fill_data(params, facts)
    for model in params["models"].values():
        _fit_arguments(model["args"], facts.schema)
    if params["distill"]["args"]:
        _fit_arguments(params["distill"]["args"], facts.schema)
    _fill_lengths(params, facts.videos["train"])
    params["evaluate"]["paper"] = False
    params["infer"]["top_k"] = int(np.clip(facts.schema.classes, *TOP_K))
    params["ensemble"]["folds"] = min(params["ensemble"]["folds"], facts.videos["validate"])
    parse(params)
    params.ca.comment = None  # the template's header
    text = StringIO()
    text.write(HEADER.format(template=TEMPLATES[facts.level]))
    _yaml().dump(params, text)
    return text.getvalue()


def _fill_data(params: Any, facts: Facts) -> None:
    data, patterns = params["data"], params["split"]["patterns"]
    data["source"], data["class_names"] = facts.source, f"{facts.source}/classes.csv"
    data["frames" if facts.level is Level.FRAME else "videos"] = f"{facts.level}/*.tfrecord"
    for key, value in facts.schema.model_dump().items():
        data["schema"][key] = value
    for split, name in zip(("train", "holdout", "test"), SPLITS, strict=True):
        del patterns[split][:-1]  # in place, or the blank line behind is lost
        patterns[split][0] = f"{name}*"
    patterns["extra"].clear()
    if params["augment"]["threshold"] is not None:
        params["augment"]["threshold"] = max(1, int(np.quantile(facts.counts[facts.counts > 0], FREQUENT)))


def _fill_lengths(params: Any, videos: int) -> None:
    """Steps of all trainings, of which there are some hundreds however few videos there are."""
    train_moe, finetune, distill = params["train_moe"], params["finetune"], params["distill"]
    original = train_moe["original_epochs"] / train_moe["epochs"]
    models = [*params["models"].values(), train_moe]
    for model in [*models, distill] if distill["batch_size"] else models:
        _lengthen(model, videos)
    train_moe["original_epochs"] = round(original * train_moe["epochs"])
    largest = max(model["batch_size"] for model in models)
    params["train"]["eval_examples"] = min(max(videos, EVAL_STEPS * largest), EVAL_EXAMPLES)
    finetune["epochs"] = max(finetune["epochs"], ceil(STEPS / 2 * largest / videos))
    finetune["period"] = max(1, min(finetune["period"], finetune["epochs"] * videos // largest // 5))
    distill["epochs"] = max(distill["epochs"], ceil(2 * STEPS * largest / videos))


def _lengthen(model: Any, videos: int) -> None:
    """Smaller batches and more epochs where there are few videos."""
    while model["batch_size"] > max(SMALLEST, videos / 16):
        model["batch_size"] //= 2
    model["batch_size"] = max(model["batch_size"], SMALLEST)
    model["epochs"] = max(model["epochs"], ceil(STEPS * model["batch_size"] / videos))


def _fit_arguments(args: Any, schema: Schema) -> None:
    """Clusters for each of the schema's features, and no more frames than there are."""
    if "clusters" in args:
        most = max(args["clusters"].values())
        clusters = {name: max(2, most * WIDE // max(size, WIDE)) for name, size in schema.features.items()}
        args["clusters"] = clusters
        if "rank" in args:
            args["rank"] = max(1, clusters[schema.primary] // 4)
    if "frames" in args:
        args["frames"] = min(FRAMES, schema.max_frames)


class _Representer(RoundTripRepresenter):
    """Writes null as the project's files do."""


_Representer.add_representer(type(None), lambda on, _: on.represent_scalar("tag:yaml.org,2002:null", "null"))


def _yaml() -> YAML:
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width, yaml.preserve_quotes = 120, True
    return yaml

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline import ROOT, load_yaml
from yt8m.core.errors import InputError
from yt8m.core.schema import Level
from yt8m.settings.params import ParamsError, load, parse

DEFAULT = load_yaml("params.yaml")
MISSING = object()


def changed(changes: dict[str, Any]) -> dict:
    """The default parameters with some set (or left out) by their full names."""
    content = deepcopy(DEFAULT)
    for name, value in changes.items():
        *path, last = name.split(".")
        section = content
        for part in path:
            section = section[part]
        section[last] = value
        if value is MISSING:
            del section[last]
    return content


@pytest.mark.parametrize("path", ["params.yaml", *(f"params/{p.name}" for p in (ROOT / "params").glob("*.yaml"))])
def test_files_load(path):
    params = load(ROOT / path)
    content = load_yaml(path)
    assert set(params.models) == set(content["models"])
    assert params.data.layout.features == content["data"]["schema"]["features"]
    assert list(params.data.layout.features) == list(content["data"]["schema"]["features"])
    assert params.data.globs == {
        Level.FRAME: content["data"]["frames"],
        Level.VIDEO: content["data"]["videos"],
    }
    assert params.distill.share == content["distill"]["lambda"]


# The parameter, its value, and all that the line says behind its name.
BAD = [
    ("extra", 1, "unknown key, received 1"),
    ("train.momentun", 0.9, "unknown key, received 0.9"),
    ("models.netvlad_1.sed", 1, "unknown key, received 1"),
    ("models.netvlad_1.args.hiden", 1, "unknown key, received 1"),
    ("data.schema.labels", "x", "unknown key, received 'x'"),
    (
        "models.netvlad_1.family",
        "resnet",
        r"unknown family: expected one of \['dbow', .*\], received 'resnet'",
    ),
    ("distill.family", "resnet", r"unknown family: expected one of \['dbow', .*\], received 'resnet'"),
    ("train_moe.family", "resnet", r"unknown family: expected one of \['dbow', .*\], received 'resnet'"),
    ("train_moe.settle", 5, "expected at most the 4 epochs, received 5"),
    ("train_moe.settle", -1, "expected greater than or equal to 0, received -1"),
    ("ensemble.teacher", "worst", r"expected one of \['best', 'equal', .*\], received 'worst'"),
    ("ensemble.folds", 1, "expected greater than or equal to 2, received 1"),
    ("models.netvlad_1.args.hidden", -5, "expected greater than 0, received -5"),
    ("models.netvlad_1.args.l2", -1.0, "expected greater than or equal to 0, received -1.0"),
    ("models.gru_1.args.units", 1.5, "expected a valid integer, received 1.5"),
    ("models.gru_1.args.units", MISSING, "expected a value, received none"),
    ("models.netvlad_1.args.clusters.rgb", 0, "expected greater than 0, received 0"),
    (
        "models.netvlad_1.args.clusters",
        {"rgb": 8, "sound": 4},
        r"expected the features \['rgb', 'audio'\], received \['rgb', 'sound'\]",
    ),
    ("distill.args.clusters", {"rgb": 8}, r"expected the features \['rgb', 'audio'\], received \['rgb'\]"),
    ("distill.lambda", 1.5, "expected less than or equal to 1, received 1.5"),
    ("distill.lambda", -0.1, "expected greater than or equal to 0, received -0.1"),
    ("distill.lambda", MISSING, "expected a value, received none"),
    ("distill.storage", "bfloat16", "expected 'float32' or 'float16', received 'bfloat16'"),
    ("distill.storage", MISSING, "expected a value, received none"),
    ("augment", MISSING, "expected a value, received none"),
    ("models.gru_1", 5, "expected .*, received 5"),
    ("models.net-vlad", DEFAULT["models"]["netvlad_1"], "expected .*, received 'net-vlad'"),
    ("models.2netvlad", DEFAULT["models"]["netvlad_1"], "expected .*, received '2netvlad'"),
    ("models.gru_1.finetune", "yes", "expected a valid boolean, received 'yes'"),
    ("train.patience", "two", "expected a valid integer, received 'two'"),
    ("train.patience", True, "expected a valid integer, received True"),
    ("train.clip_norm", "1.0", "expected a valid number, received '1.0'"),
    ("train.clip_norm", float("nan"), "expected .*, received nan"),
    ("train.clip_norm", float("inf"), "expected .*finite.*, received inf"),
    ("data.schema.classes", 0, "expected greater than 0, received 0"),
    ("data.schema.features", {}, "expected .*at least 1 item.*, received {}"),
    ("data.schema.features.rgb", -1, "expected greater than 0, received -1"),
    ("infer.top_k", 19, "expected greater than or equal to 20, received 19"),
    ("split.patterns.test", [], r"expected .*at least 1 item.*, received \[\]"),
    ("split.patterns.test", "test*", r"expected a valid list, received 'test\*'"),
    ("evaluate.plain", "netvlad_9", r"expected one of the models \['netvlad_1', .*\], received 'netvlad_9'"),
    (
        "evaluate.related",
        "netvlad_9",
        r"expected one of the models \['netvlad_1', .*\], received 'netvlad_9'",
    ),
    ("simulate.demo.shards.train", 0, "expected greater than 0, received 0"),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD, ids=[f"{name}: {message}" for name, _, message in BAD])
def test_bad_value(name, value, message):
    with pytest.raises(ParamsError) as caught:
        parse(changed({name: value}))
    assert re.fullmatch(f"params.yaml: {re.escape(name)}: {message}", str(caught.value))


def test_no_level():
    with pytest.raises(ParamsError, match="data: expected a pattern for frames or videos, received null for both"):
        parse(changed({"data.frames": None, "data.videos": None}))


def test_all_problems_are_named_at_once():
    with pytest.raises(ParamsError) as caught:
        parse(changed({"train.patience": 0, "models.gru_1.epochs": -1, "infer.batch_size": MISSING}))
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert all(line.startswith("params.yaml: ") for line in lines)
    with pytest.raises(ParamsError) as caught:
        parse(changed({"models.gru_1.family": "x", "models.lstm_1.args.units": 0, "evaluate.plain": "y"}))
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize("share", [0, 0.5, 1, 1.0])
def test_the_ends_of_lambda(share):
    assert parse(changed({"distill.lambda": share})).distill.share == share


@pytest.mark.parametrize("key", ["frames", "videos"])
def test_one_level_is_enough(key):
    assert None in parse(changed({f"data.{key}": None})).data.globs.values()


@pytest.mark.parametrize("teacher", ["best", "equal", "per_model", "per_class"])
def test_teachers(teacher):
    assert parse(changed({"ensemble.teacher": teacher})).ensemble.teacher == teacher


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("train: [1, 2", "not YAML"),
        ("train: 1\ntrain: 2\n", "not YAML"),
        ("\tx", "not YAML"),
        ("", "expected sections, received NoneType"),
        ("- a\n- b\n", "expected sections, received list"),
        ("{}", "models: expected a value, received none"),
    ],
)
def test_bad_file(tmp_path, text, match):
    path = tmp_path / "my.yaml"
    path.write_text(text)
    with pytest.raises(ParamsError, match=rf"my\.yaml: (.|\n)*{match}"):
        load(path)


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "my.yaml").write_bytes(b"a: \xff\xfe\n")
    with pytest.raises(ParamsError, match=r"my\.yaml: "):
        load(tmp_path / "my.yaml")


def test_missing_file(tmp_path: Path):
    with pytest.raises(InputError, match=r"my\.yaml: expected a parameter file, found none"):
        load(tmp_path / "my.yaml")


def test_parameters_do_not_change():
    params = parse(DEFAULT)
    with pytest.raises(ValueError, match="frozen"):
        params.train.patience = 5  # type: ignore[misc]

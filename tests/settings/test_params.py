import re
from copy import deepcopy
from typing import Any

import pytest

from tests.pipeline import load_yaml
from yt8m.settings.loading import ParamsError, parse

DEFAULT = load_yaml("tests/params.yaml")
MISSING = object()


def changed(changes: dict[str, Any]) -> dict:
    """The default parameters with some set (or left out) by their full names."""
    content = deepcopy(DEFAULT)
    for name, value in changes.items():
        *path, last = name.split(".")
        section = content
        for part in path:
            section = section[part]
        section[int(last) if isinstance(section, list) else last] = value
        if value is MISSING:
            del section[last]
    return content


OWN = DEFAULT["models"]["netvlad"]["args"]
STUDENT = DEFAULT["distill"] | {"family": "netvlad", "batch_size": 8, "learning_rate": 0.1, "args": OWN}
ANY, RELATED = r"\['netvlad-a', 'lstm-a', 'netvlad-b', 'lstm-b'\]", r"\['netvlad-b', 'lstm-b'\]"
# The parameter, its value, and all that the line says behind its name.
BAD = [
    ("extra", 1, "unknown key, received 1"),
    ("train.momentun", 0.9, "unknown key, received 0.9"),
    ("models.netvlad.seed", 1, "unknown key, received 1"),
    ("models.netvlad.finetune", True, "unknown key, received True"),
    ("train_moe.settle", 0, "unknown key, received 0"),
    ("models.netvlad.args.hiden", 1, "unknown key, received 1"),
    ("data.schema.labels", "x", "unknown key, received 'x'"),
    (
        "models.netvlad.family",
        "resnet",
        r"unknown family: expected one of \[.*'dbow', .*\], received 'resnet'",
    ),
    ("train_moe.family", "resnet", r"unknown family: expected one of \[.*'dbow', .*\], received 'resnet'"),
    ("train_moe.original_epochs", 5, "expected at most the 1 epochs, received 5"),
    ("train_moe.original_epochs", -1, "expected greater than or equal to 0, received -1"),
    ("train_moe.original_epochs", MISSING, "expected a value, received none"),
    ("train_moe.seed", MISSING, "expected a value, received none"),
    ("train.backend", "torch", "expected 'tensorflow' or 'jax', received 'torch'"),
    ("train.backend", None, "expected 'tensorflow' or 'jax', received None"),
    ("train.backend", MISSING, "expected a value, received none"),
    ("data.class_names", None, "expected a valid string, received None"),
    ("data.class_names", MISSING, "expected a value, received none"),
    ("sets", {}, "expected .*at least 1 item.*, received {}"),
    ("sets", MISSING, "expected a value, received none"),
    ("models", {}, "expected .*at least 1 item.*, received {}"),
    ("sets.a.seed", -1, "expected greater than or equal to 0, received -1"),
    ("sets.a.seed", MISSING, "expected a value, received none"),
    ("sets.b.finetune", "yes", "expected a valid boolean, received 'yes'"),
    ("sets.b.finetune", MISSING, "expected a value, received none"),
    ("sets.a.epochs", 1, "unknown key, received 1"),
    ("sets.a-b", {"seed": 1, "finetune": True}, "expected .*, received 'a-b'"),
    ("sets.B", {"seed": 1, "finetune": True}, "expected .*, received 'B'"),
    ("ensemble.teacher", "worst", r"expected one of \['best', .*'equal', .*\], received 'worst'"),
    ("ensemble.folds", 1, "expected greater than or equal to 2, received 1"),
    ("models.netvlad.args.hidden", -5, "expected greater than 0, received -5"),
    ("models.netvlad.args.l2", -1.0, "expected greater than or equal to 0, received -1.0"),
    ("models.lstm.args.units", 1.5, "expected a valid integer, received 1.5"),
    ("models.lstm.args.units", MISSING, "expected a value, received none"),
    ("models.netvlad.args.clusters.rgb", 0, "expected greater than 0, received 0"),
    (
        "models.netvlad.args.clusters",
        {"rgb": 8, "sound": 4},
        r"expected the features \['rgb', 'audio'\], received \['rgb', 'sound'\]",
    ),
    ("distill.lambda", 1.5, "expected less than or equal to 1, received 1.5"),
    ("distill.lambda", -0.1, "expected greater than or equal to 0, received -0.1"),
    ("distill.lambda", MISSING, "expected a value, received none"),
    ("distill.storage", "bfloat16", "expected 'float32' or 'float16', received 'bfloat16'"),
    ("distill.storage", MISSING, "expected a value, received none"),
    ("distill.members", 0, "expected greater than 0, received 0"),
    ("augment", MISSING, "expected a value, received none"),
    ("models.lstm", 5, "expected .*, received 5"),
    ("models.net-vlad", DEFAULT["models"]["netvlad"], "expected .*, received 'net-vlad'"),
    ("models.2netvlad", DEFAULT["models"]["netvlad"], "expected .*, received '2netvlad'"),
    ("train.eval_examples", "two", "expected a valid integer, received 'two'"),
    ("train.eval_examples", True, "expected a valid integer, received True"),
    ("train.schedule", {"kind": "steps"}, "expected .*'staircase', 'drop'.*, received .*"),
    ("train.schedule", MISSING, "expected a value, received none"),
    ("train.clip_norm", "1.0", "expected a valid number, received '1.0'"),
    ("train.clip_norm", float("nan"), "expected .*, received nan"),
    ("train.clip_norm", float("inf"), "expected .*finite.*, received inf"),
    ("data.schema.classes", 0, "expected greater than 0, received 0"),
    ("data.schema.features", {}, "expected .*at least 1 item.*, received {}"),
    ("data.schema.features.rgb", -1, "expected greater than 0, received -1"),
    ("infer.top_k", 19, "expected greater than or equal to 20, received 19"),
    ("split.patterns.test", [], r"expected .*at least 1 item.*, received \[\]"),
    ("split.patterns.test", "test*", r"expected a valid list, received 'test\*'"),
    *(
        ("evaluate.plain", name, rf"expected one of the models, {ANY}, received '{name}'")
        for name in ("netvlad-c", "gru-a", "netvlad", "netvlad_a", "a-netvlad")
    ),
    *(
        ("evaluate.related.0", name, rf"expected one of the fine-tuned models, {RELATED}, received '{name}'")
        for name in ("netvlad-c", "gru-b", "lstm-a", "")
    ),
    ("evaluate.related", "netvlad-b", "expected a valid list, received 'netvlad-b'"),
    ("evaluate.related", ["netvlad-b", "netvlad-b"], r"expected each once, received .*"),
    ("finetune", DEFAULT["finetune"] | {"steps": 3}, "expected epochs or steps, the other null, received 1 and 3"),
    (
        "finetune",
        DEFAULT["finetune"] | {"epochs": None},
        "expected epochs or steps, the other null, received None and None",
    ),
    ("evaluate.plain", None, "expected a valid string, received None"),
    ("evaluate.plain", MISSING, "expected a value, received none"),
    ("evaluate.related", MISSING, "expected a value, received none"),
    ("simulate.demo.shards.train", 0, "expected greater than 0, received 0"),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD, ids=[f"{name}: {message}" for name, _, message in BAD])
def test_bad_value(name, value, message):
    with pytest.raises(ParamsError) as caught:
        parse(changed({name: value}))
    assert re.fullmatch(f"params.yaml: {re.escape(name)}: {message}", str(caught.value))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"family": "resnet"}, r"distill.family: expected one of \['best', .*'dbow', .*\], received 'resnet'"),
        ({"args": OWN | {"clusters": {"rgb": 8}}}, r"distill.args.clusters: expected the features .*, received .*"),
        ({"batch_size": None}, "distill: expected a value, with family netvlad, received batch_size None"),
        ({"args": None}, "distill: expected a value, with family netvlad, received args None"),
        ({"family": "best"}, "distill: expected null, which the best model says, with family best, received .* 8"),
    ],
)
def test_a_student_is_the_best_model_or_of_its_own(change, message):
    """And has all that makes a model, or nothing of it."""
    own = parse(changed({"distill": STUDENT})).distill.own
    assert own is not None
    assert (own.family, own.args, own.epochs) == ("netvlad", OWN, STUDENT["epochs"])
    none = dict.fromkeys(("batch_size", "learning_rate", "args"))
    assert parse(changed({"distill": STUDENT | none | {"family": "best"}})).distill.own is None
    with pytest.raises(ParamsError, match=f"^params.yaml: {message}$"):
        parse(changed({"distill": STUDENT | change}))


def test_so_many_networks_are_one_model_of_their_own_family():
    one = parse(changed({"distill": STUDENT})).distill.own
    assert one is not None
    assert one.times(1) == one
    three = one.times(3)
    assert (three.family, three.args) == ("average", {"members": [{"family": "netvlad", "args": OWN}] * 3})
    assert (three.epochs, three.batch_size, three.learning_rate) == (one.epochs, one.batch_size, one.learning_rate)


def test_no_level():
    with pytest.raises(ParamsError, match="data: expected a pattern for frames or videos, received null for both"):
        parse(changed({"data.frames": None, "data.videos": None}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"share": 0.8}, "share: expected at most 0.7, what warmup leaves, received 0.8"),
        ({"share": 0.0}, "share: expected greater than 0, received 0.0"),
        ({"shape": "step"}, "shape: expected 'linear' or 'cosine', received 'step'"),
        ({"patience": 2}, "patience: unknown key, received 2"),
    ],
)
def test_a_schedule_has_the_keys_of_its_kind(change, message):
    drop = {"kind": "drop", "warmup": 0.3, "share": 0.4, "shape": "linear"}
    assert parse(changed({"train.schedule": drop})).train.schedule.model_dump() == drop
    with pytest.raises(ParamsError) as caught:
        parse(changed({"train.schedule": drop | change}))
    assert str(caught.value) == f"params.yaml: train.schedule.{message}"


def test_all_problems_are_named_at_once():
    with pytest.raises(ParamsError) as caught:
        parse(changed({"train.eval_examples": 0, "models.lstm.epochs": -1, "infer.batch_size": MISSING}))
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert all(line.startswith("params.yaml: ") for line in lines)
    with pytest.raises(ParamsError) as caught:
        parse(changed({"models.netvlad.family": "x", "models.lstm.args.units": 0, "evaluate.plain": "y"}))
    assert len(str(caught.value).splitlines()) == 3
    wrong = {
        "models.student": DEFAULT["models"]["lstm"],
        "models.lstm.args.units": 0,
        "evaluate.plain": "y",
        "evaluate.related": ["netvlad-b", "netvlad-a"],
    }
    with pytest.raises(ParamsError) as caught:
        parse(changed(wrong))
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == [
        "models.lstm.args.units",
        "models.student",
        "evaluate.plain",
        "evaluate.related.1",
    ]


NO_FINETUNING = {"sets.b.finetune": False, "evaluate.related": []}


def test_no_model_need_be_fine_tuned():
    params = parse(changed(NO_FINETUNING))
    assert params.evaluate.related == []
    assert parse(changed(NO_FINETUNING | {"evaluate.plain": "netvlad-b"})).evaluate.plain == "netvlad-b"
    assert parse(changed({"evaluate.related": []})).evaluate.related == []
    with pytest.raises(ParamsError, match=r"related\.0: expected one of the fine-tuned models, \[\], received"):
        parse(changed(NO_FINETUNING | {"evaluate.related": ["netvlad-b"]}))


@pytest.mark.parametrize("name", ["lstm-a", "lstm-b", "lstm-c"])
def test_table_2_may_start_from_any_member(name):
    params = parse(changed({"sets.c": {"seed": 1, "finetune": False}, "evaluate.plain": name}))
    assert params.evaluate.plain == name


@pytest.mark.parametrize("name", ["netvlad", "moe2", "my_moe", "b", "x", "gru", "students"])
def test_other_names_are_free(name):
    """Those of families too, and of the other section's keys."""
    model, set = DEFAULT["models"]["lstm"], {"seed": 3, "finetune": True}
    params = parse(changed({f"models.{name}": model, f"sets.{name}": set}))
    assert name in params.models
    assert name in params.sets


@pytest.mark.parametrize("epochs", [0, 1, 3])
def test_the_last_epochs_may_all_be_of_the_original_videos(epochs):
    changes = {"train_moe.epochs": 3, "train_moe.original_epochs": epochs}
    assert parse(changed(changes)).train_moe.original_epochs == epochs


@pytest.mark.parametrize("share", [0, 0.5, 1, 1.0])
def test_the_ends_of_lambda(share):
    assert parse(changed({"distill.lambda": share})).distill.share == share


@pytest.mark.parametrize("key", ["frames", "videos"])
def test_one_level_is_enough(key):
    assert None in parse(changed({f"data.{key}": None})).data.globs.values()


@pytest.mark.parametrize("teacher", ["best", "equal", "per_model", "per_class"])
def test_teachers(teacher):
    assert parse(changed({"ensemble.teacher": teacher})).ensemble.teacher == teacher


def test_parameters_do_not_change():
    params = parse(DEFAULT)
    with pytest.raises(ValueError, match="frozen"):
        params.train.eval_examples = 5  # type: ignore[misc]

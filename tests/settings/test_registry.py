import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.pipeline import ROOT
from tests.records.made import SCHEMA
from yt8m import models
from yt8m.settings import registry

EXPERTS = {"mixtures": 2, "l2": 1e-6, "input_dropout": 0.0, "dropout": 0.0}
POOLED = {"frames": 3, "clusters": {"rgb": 3, "audio": 2}, "hidden": 4} | EXPERTS
RECURRENT = {"layers": 2, "units": 4} | EXPERTS
PAPERS: dict[str, dict] = {
    "netvlad": POOLED,
    "netfv": POOLED,
    "gated_dbow": POOLED | {"rank": 2},
    "dbow": POOLED,
    "netrvlad": POOLED,
    "gru": RECURRENT,
    "lstm": RECURRENT,
    "moe": EXPERTS,
}
BEYOND: dict[str, dict] = {
    "attention": {"frames": 3, "hidden": 8, "input_dropout": 0.0, "dropout": 0.25, "l2": 1e-6},
    "chain": EXPERTS | {"stages": 2, "hidden": 4},
    "moments": {"hidden": [8, 4], "input_dropout": 0.0, "dropout": 0.25, "l2": 1e-6},
    "mlp": {"hidden": [8, 4], "input_dropout": 0.0, "dropout": 0.25, "l2": 1e-6},
    "nextvlad": POOLED | {"groups": {"rgb": 4, "audio": 2}, "expansion": 2, "reduction": 2, "pooled_dropout": 0.5},
    "transformer": EXPERTS | {"frames": 3, "layers": 2, "width": 8, "heads": 2},
}
ARGS = PAPERS | BEYOND
BAD = {
    int: [-5, 0, 2.5, "8"],
    float: [-1.0, "1e-6"],
    dict: [{}, 5, {"rgb": 8}, {"rgb": 8, "audio": -1}],
    list: [5, [0], ["8"]],
}


def test_names():
    """Of those that are known; there may be others."""
    assert set(registry.families()) >= ARGS.keys()
    assert set(registry.schemes()) >= {
        "equal",
        "per_model",
        "per_class",
        "exact_per_model",
        "exact_per_class",
        "gap",
        "selection",
    }
    assert set(registry.modules("yt8m.commands")) >= {"export", "families", "inspect", "manifest", "predict", "score"}
    for found in (registry.families(), registry.schemes(), registry.modules("yt8m.commands")):
        assert list(found) == sorted(found)
        assert not any(name.startswith("_") for name in found)


def test_what_stands_beside_families_and_schemes_is_none():
    assert not {"building", "contract", "storage"} & set(registry.families())
    assert not {"blocks", "moments", "fitting", "problems", "paper", "beyond"} & set(registry.schemes())


def test_names_stand_for_modules():
    assert registry.families()["netvlad"] == "yt8m.models.netvlad"
    assert registry.schemes()["per_class"] == "yt8m.ensembling.paper.per_class"
    assert registry.schemes()["gap"] == "yt8m.ensembling.beyond.gap"


def test_modules_of_a_package_are_its_public_files_and_folders(tmp_path, monkeypatch):
    for name in ("__init__.py", "b.py", "a.py", "_hidden.py", "notes.txt", "folder/__init__.py", "empty/x.txt"):
        (tmp_path / "made_for_tests" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "made_for_tests" / name).touch()
    monkeypatch.syspath_prepend(tmp_path)
    found = registry.modules("made_for_tests")
    assert found == {name: f"made_for_tests.{name}" for name in ("a", "b", "folder")}


@pytest.mark.parametrize("family", registry.families())
def test_every_family_has_a_readable_signature(family):
    fields = registry.arguments(family).model_fields
    assert "momentum" not in fields
    assert all(field.is_required() for field in fields.values())
    assert fields


@pytest.mark.parametrize("family", ARGS)
def test_arguments(family):
    """Good ones come back; none may lack, none be added, none be of a wrong kind."""
    args = ARGS[family]
    assert registry.check_arguments(family, SCHEMA, args).model_dump() == args
    for name, value in args.items():
        with pytest.raises(ValidationError, match=name):
            registry.check_arguments(family, SCHEMA, {key: args[key] for key in args if key != name})
        for bad in BAD[type(value)]:
            with pytest.raises(ValueError, match=name):
                registry.check_arguments(family, SCHEMA, args | {name: bad})
    with pytest.raises(ValidationError, match="momentum"):
        registry.check_arguments(family, SCHEMA, args | {"momentum": 0.9})


@pytest.mark.parametrize("name", ["resnet", "__init__", "", "netvlad.py", "contract", "netvlad.network"])
def test_unknown_family(name):
    with pytest.raises(ValueError, match=f"expected one of .*netvlad.*, received '{name}'"):
        registry.check_arguments(name, SCHEMA, {})
    with pytest.raises(ValueError, match=f"expected one of .*netvlad.*, received '{name}'"):
        registry.arguments(name)


@pytest.mark.parametrize("name", ["_adam", "problems", "worst"])
def test_unknown_scheme(name):
    with pytest.raises(ValueError, match=rf"expected one of .*per_model.*, received '{name}'"):
        registry.require(registry.schemes(), name)


def test_require():
    assert registry.require({"a": "package.a"}, "a") == "package.a"
    with pytest.raises(ValueError, match=r"expected one of \['a', 'b'\], received 'c'"):
        registry.require({"a": "package.a", "b": "package.b"}, "c")


FAMILY = '''
from pydantic import PositiveInt

from yt8m.settings import arguments


class Arguments(arguments.Arguments):
    """Of a family of the tests."""

    depth: PositiveInt
    sizes: dict[str, PositiveInt]

    def check(self, schema):
        super().check(schema)
        if self.depth > schema.max_frames:
            raise ValueError(f"depth: expected at most {schema.max_frames}, received {self.depth}")
'''


@pytest.fixture
def family_folder(tmp_path, monkeypatch):
    """A family, as a folder of `models`; the name of it."""
    folder = tmp_path / "models"
    (folder / "tests_own").mkdir(parents=True)
    (folder / "tests_own" / "__init__.py").write_text(FAMILY)
    for path in Path(*models.__path__).iterdir():
        (folder / path.name).symlink_to(path)
    monkeypatch.setattr(models, "__path__", [str(folder)])
    registry.families.cache_clear()
    yield "tests_own"
    registry.families.cache_clear()


def test_a_family_is_a_folder(family_folder):
    assert {*ARGS, family_folder} <= set(registry.families())
    args = {"depth": 6, "sizes": {"rgb": 1, "audio": 2}}
    assert registry.check_arguments(family_folder, SCHEMA, args).model_dump() == args
    for name, bad in (("depth", 0), ("depth", 7), ("sizes", {"rgb": 1}), ("sizes", {"rgb": 1, "audio": 0})):
        with pytest.raises(ValueError, match=name):
            registry.check_arguments(family_folder, SCHEMA, args | {name: bad})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"import heavy{FAMILY}", "expected yt8m.models.tests_own to import no Keras, which its network.py alone may"),
        ("", "expected a class Arguments in yt8m.models.tests_own, a subclass of one in yt8m.settings.arguments"),
        ("Arguments = dict", "expected a class Arguments in yt8m.models.tests_own, a subclass of one in .*"),
    ],
    ids=["Keras", "nothing", "another class"],
)
def test_a_family_that_cannot_be_checked_is_refused(text, said, family_folder, tmp_path, monkeypatch):
    """A module of the test's own stands for Keras."""
    (tmp_path / "heavy.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "KERAS", "heavy")
    (tmp_path / "models" / family_folder / "__init__.py").write_text(text)
    for name in ("heavy", f"yt8m.models.{family_folder}"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ValueError, match=f"^{said}$"):
        registry.arguments(family_folder)


def test_parameters_are_checked_without_keras():
    """Whatever families there are: each is asked for its arguments."""
    code = """
import sys
from yt8m.settings import loading, registry
loading.load("tests/params.yaml")
for family in registry.families():
    registry.arguments(family)
print(sorted({"keras", "tensorflow", "jax"} & sys.modules.keys()))
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr

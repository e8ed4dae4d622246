from pathlib import Path

import pytest

from tests.pipeline import ROOT, load_yaml
from yt8m.core.errors import InputError
from yt8m.core.schema import Level
from yt8m.settings.loading import ParamsError, load

ALTERNATIVES = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("params/*.yaml"))


@pytest.mark.parametrize("path", ["params.yaml", "tests/params.yaml", *ALTERNATIVES])
def test_files_load(path):
    params = load(ROOT / path)
    content = load_yaml(path)
    assert list(params.models) == list(content["models"])
    assert {name: (set.seed, set.finetune) for name, set in params.sets.items()} == {
        name: (set["seed"], set["finetune"]) for name, set in content["sets"].items()
    }
    assert params.data.layout.features == content["data"]["schema"]["features"]
    assert list(params.data.layout.features) == list(content["data"]["schema"]["features"])
    assert params.data.globs == {
        Level.FRAME: content["data"]["frames"],
        Level.VIDEO: content["data"]["videos"],
    }
    assert params.distill.share == content["distill"]["lambda"]


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

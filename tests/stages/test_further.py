"""How long and how fast a member is trained further."""

import pytest

from stages._further import OTHER_ORDER, further
from tests.models import tiny
from tests.pipeline import load_yaml
from tests.training.made import make_videos, write_dataset
from yt8m.settings.loading import parse


@pytest.mark.parametrize(("epochs", "steps", "expected"), [(3, None, 3 * 40 // 16), (None, 9, 9)])
def test_finetune_says_how_a_member_goes_on(epochs, steps, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("train", "holdout"):
        write_dataset(tmp_path / "data/split/frames", name, make_videos(40, 0))
    content = load_yaml("tests/params.yaml")
    content["data"]["schema"] = tiny.SCHEMA.model_dump()
    content["models"]["netvlad"]["args"]["clusters"] = {"rgb": 3, "audio": 2}
    content["finetune"] |= {"epochs": epochs, "steps": steps}
    found = further(parse(content), "netvlad", "b", "train_on")
    assert found.schedule.steps == found.phases[0].steps == expected
    assert found.schedule.learning_rate == content["finetune"]["learning_rate"]
    assert found.seed == content["sets"]["b"]["seed"] + OTHER_ORDER
    assert str(found.start) == "data/train/netvlad-b"
    assert str(found.out).endswith("data/train_on/netvlad-b")

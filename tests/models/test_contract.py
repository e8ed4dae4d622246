"""What holds families to their contract before they are trained."""

from contextlib import nullcontext

import keras
import numpy as np
import pytest

from tests.models import broken, test_families, tiny
from tests.training.made import assert_same
from yt8m.core.errors import InputError
from yt8m.core.schema import Level
from yt8m.models import contract
from yt8m.models.building import build
from yt8m.settings import registry

every_family = pytest.mark.parametrize("family", registry.families())
# A level without frames has one frame a video, and nothing behind it.
BEHIND = [name for name, (*_, said) in broken.BROKEN.items() if said in (broken.BEHIND, broken.PADDING)]
FRAMES_ALONE = [*BEHIND, *(name for name, (*_, said) in broken.BROKEN.items() if said == broken.ROOM)]


@every_family
@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("schema", [tiny.SCHEMA, tiny.ONE_FEATURE], ids=["two features", "one feature"])
def test_every_family_keeps_it(family, level, schema):
    contract.check(tiny.describe(family, schema, level))


@every_family
def test_every_family_keeps_it_in_mixed_precision(family):
    """Looked at in single: products of other shapes would round by more than what is looked for."""
    contract.check(tiny.describe(family, precision="mixed_bfloat16"))
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("name", broken.KEPT)
@pytest.mark.parametrize("level", Level)
def test_a_family_that_keeps_it_is_taken(name, level, tmp_path):
    """Each a broken one mended: what is refused below is refused for its one fault."""
    with broken.family(tmp_path, name, *broken.KEPT[name]):
        contract.check(tiny.describe(name, level=level))


@pytest.mark.parametrize("name", broken.BROKEN)
@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("schema", [tiny.SCHEMA, tiny.ONE_FEATURE], ids=["two features", "one feature"])
def test_a_family_that_breaks_it_is_refused_by_name(name, level, schema, tmp_path):
    body, head, said = broken.BROKEN[name]
    refused = pytest.raises(InputError, match=f"^family '{name}': {said}")
    harmless = level is Level.VIDEO and name in FRAMES_ALONE
    expected = nullcontext() if harmless else refused
    with broken.family(tmp_path, name, body, head), expected:
        contract.check(tiny.describe(name, schema, level))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "expected a module yt8m.models.own.network, found none"),
        ("", "expected a function build in yt8m.models.own.network, found none"),
        (
            "def build(schema, args): ...",
            r"expected build\(schema, level, momentum, args\), received build\(schema, args\)",
        ),
    ],
    ids=["no module", "no function", "other arguments"],
)
def test_a_family_that_cannot_be_built_is_refused_by_name(text, said, tmp_path):
    with broken.family(tmp_path, "own", *broken.KEPT["mean"]):
        path = tmp_path / "own" / "network.py"
        path.unlink() if text is None else path.write_text(text)
        with pytest.raises(InputError, match=f"^family 'own': {said}$"):
            contract.check(tiny.describe("own"))


def padding(name):
    for frames, room in test_families.ROOMS:
        test_families.test_longer_padding_changes_nothing(name, frames, room)


def behind(name):
    test_families.test_what_lies_behind_a_videos_frames_changes_nothing(name)


@pytest.mark.parametrize("name", ["mean", "maximum", "normalized", "rectified"])
@pytest.mark.parametrize("test", [padding, behind])
def test_the_tests_of_all_families_pass_for_one_that_looks_at_frames_alone(name, test, tmp_path):
    with broken.family(tmp_path, name, *broken.KEPT[name]):
        test(name)


@pytest.mark.parametrize("name", BEHIND)
def test_the_tests_of_all_families_fail_for_one_that_looks_at_padding(name, tmp_path):
    """A family put into `yt8m/models` is held to these tests too; here they are seen to catch what they look for."""
    body, head, said = broken.BROKEN[name]
    test = behind if said == broken.BEHIND else padding
    with broken.family(tmp_path, name, body, head), pytest.raises(AssertionError, match="Not equal to tolerance"):
        test(name)


@pytest.mark.parametrize("family", ["netvlad", "nextvlad"])
def test_it_leaves_no_trace(family):
    """The model that is built behind it has the same weights, and draws the same frames and the same dropout."""
    description, inputs = tiny.describe(family), tiny.batch()
    plain = build(description)
    weights, drawn = plain.get_weights(), np.asarray(plain(inputs, training=True))
    contract.check(description)
    model = build(description)
    assert_same(model.get_weights(), weights)
    np.testing.assert_array_equal(model(inputs, training=True), drawn)


def test_wrong_arguments_are_refused_as_they_are_in_building():
    with pytest.raises(ValueError, match="hidden"):
        contract.check(tiny.describe("netvlad", hidden=-1))

import numpy as np
import pytest

from tests.models import tiny
from yt8m.layers.head import OUTPUT
from yt8m.models import storage
from yt8m.models.building import build, count_parameters
from yt8m.settings import registry
from yt8m.training.losses import cross_entropy

MEMBERS = [{"family": name, "args": tiny.arguments(name)} for name in ("moe", "netvlad", "moe")]


@pytest.fixture
def model():
    return tiny.randomized("average", members=MEMBERS)


def networks(model):
    return [model.get_layer(f"member_{index}") for index in range(len(MEMBERS))]


def test_scores_are_the_networks_mean(model):
    inputs = tiny.batch()
    each = [tiny.score(network, inputs) for network in networks(model)]
    assert len({scores.tobytes() for scores in each}) == len(MEMBERS)
    np.testing.assert_allclose(tiny.score(model, inputs), np.mean(each, axis=0), atol=1e-6)


def test_its_parameters_are_all_of_them():
    each = sum(count_parameters(tiny.describe(member["family"])) for member in MEMBERS)
    assert count_parameters(tiny.describe("average", members=MEMBERS)) == each


def test_each_network_learns_from_its_own_loss(model):
    """In training all scores come out; the loss is the mean of each one's."""
    members = [{"family": "moe", "args": tiny.arguments("moe")}] * 2
    model, inputs = tiny.randomized("average", members=members), tiny.batch()
    targets = np.eye(5, dtype=np.float32)[[0, 1, 2]]
    scores = np.asarray(model(inputs, training=True))
    assert scores.shape == (3, 2, 5)
    expected = -(targets[:, None] * np.log(scores + 1e-5) + (1 - targets[:, None]) * np.log(1 - scores + 1e-5))
    np.testing.assert_allclose(np.asarray(cross_entropy(targets, scores)), expected.sum(-1).mean(-1), rtol=1e-5)


def test_training_moves_each_network_and_lowers_the_loss(model):
    inputs, targets = tiny.batch((3, 7) * 8), np.eye(5, dtype=np.float32)[np.arange(16) % 5]
    before = [[weight.copy() for weight in network.get_weights()] for network in networks(model)]
    model.compile("adam", cross_entropy)
    losses = [float(model.train_on_batch(inputs, targets)) for _ in range(40)]
    assert losses[-1] < losses[0]
    for network, old in zip(networks(model), before, strict=True):
        assert all((new != was).any() for new, was in zip(network.get_weights(), old, strict=True) if was.ndim > 1)


def test_it_is_stored_and_read(model, tmp_path):
    description, inputs = tiny.describe("average", members=MEMBERS), tiny.batch()
    storage.save(model, description, tmp_path)
    loaded, read = storage.load(tmp_path)
    assert read == description
    np.testing.assert_array_equal(tiny.score(loaded, inputs), tiny.score(model, inputs))
    assert loaded.get_layer(OUTPUT)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([], "members"),
        ([{"family": "resnet", "args": {}}], r"members\.0: unknown family: expected one of .*, received 'resnet'"),
        ([MEMBERS[0], {"family": "moe", "args": {}}], r"members\.1: .*mixtures"),
        ([{"family": "moe"}], r"members\.0\.args"),
    ],
    ids=["none", "no such family", "no arguments of its family", "no arguments"],
)
def test_wrong_members_are_named(members, said):
    with pytest.raises(ValueError, match=f"(?s){said}"):
        registry.check_arguments("average", tiny.SCHEMA, {"members": members})


def test_two_alike_start_otherwise():
    members = [MEMBERS[0]] * 2
    one, other = (build(tiny.describe("average", members=members)).get_layer(f"member_{i}") for i in (0, 1))
    assert any((a != b).any() for a, b in zip(one.get_weights(), other.get_weights(), strict=True))

"""Label relations: both penalties of eq. 5 against their definitions, and when Omega is set anew."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from dvclive import Live

from tests.layers import reference
from tests.models import tiny
from tests.relations.test_omega import direct, matrix
from tests.training.made import logged, make_training, write_sets
from yt8m.layers.head import OUTPUT
from yt8m.models import storage
from yt8m.relations import omega
from yt8m.relations.regularizer import OMEGA, RelatedModel, Relations, class_weights, output_kernel
from yt8m.training.devices import make_deterministic
from yt8m.training.fit import fit
from yt8m.training.losses import cross_entropy
from yt8m.training.state import State

LAMBDAS = {"lambda1": 0.3, "lambda2": 0.02, "damping": 0.1}


def test_each_expert_of_a_class_gives_it_further_features():
    kernel = np.arange(2 * 5 * 3).reshape(2, 15)  # 2 features, 5 classes of 3 experts
    w = np.asarray(class_weights(kernel, 5))
    assert w.shape == (6, 5)
    for c in range(5):
        assert sorted(w[:, c]) == sorted(kernel[:, 3 * c : 3 * c + 3].ravel())


def related(**args):
    """Soft-DBoW, whose kernels all lie below the experts; hidden 2 makes W wide, 8 tall."""
    plain = tiny.randomized("dbow", **{"l2": 0.0} | args)
    return plain, RelatedModel(plain.inputs, plain.outputs, **LAMBDAS)


def penalties(model):
    """What the model adds to its loss."""
    return float(sum(model.losses))


def test_centres_scales_and_the_probability_gate_are_no_kernels_below_the_experts():
    plain = tiny.randomized("netfv")
    model = RelatedModel(plain.inputs, plain.outputs, **LAMBDAS)
    assert {weight.path for weight in model.below} == {
        "pool_rgb/assignment/kernel",
        "pool_audio/assignment/kernel",
        "hidden/kernel",
        "context_gate/kernel",
    }


def kernels(model):
    names = ("pool_rgb", "pool_audio")
    below = [model.get_layer(name).assignment.kernel for name in names] + [model.get_layer("hidden").kernel]
    return below, model.get_layer(OUTPUT).expert_kernel


def penalty(below, kernel, inverse):
    """Eq. 5's penalties for kernels in numpy; the columns of W are each class's experts, one under the other."""
    w = np.stack([kernel[:, 2 * c : 2 * c + 2].ravel() for c in range(5)], axis=1)
    squares = sum((weight**2).sum() for weight in below)
    return LAMBDAS["lambda1"] / 2 * squares + LAMBDAS["lambda2"] * np.trace(w @ inverse @ w.T)


def inverse_of(kernel):
    w = np.stack([kernel[:, 2 * c : 2 * c + 2].ravel() for c in range(5)], axis=1)
    return np.linalg.inv(direct(w) + LAMBDAS["damping"] / 5 * np.eye(5))


@pytest.mark.parametrize("hidden", [2, 8])
class TestPenalty:
    def test_equals_the_direct_formula(self, hidden):
        _, model = related(hidden=hidden)
        model.update_relations()
        below, kernel = kernels(model)
        expected = penalty([reference.of(w) for w in below], reference.of(kernel), inverse_of(reference.of(kernel)))
        assert penalties(model) == pytest.approx(expected, rel=1e-4)

    def test_equals_the_direct_formula_for_weights_of_low_rank(self, hidden):
        _, model = related(hidden=hidden)
        below, kernel = kernels(model)
        kernel.assign(matrix(tuple(kernel.shape), rank=1))
        model.update_relations()
        expected = penalty([reference.of(w) for w in below], reference.of(kernel), inverse_of(reference.of(kernel)))
        assert penalties(model) == pytest.approx(expected, rel=1e-4)

    def test_keeps_omega_while_the_weights_move(self, hidden):
        _, model = related(hidden=hidden)
        model.update_relations()
        below, kernel = kernels(model)
        inverse = inverse_of(reference.of(kernel))
        kernel.assign(np.random.default_rng(1).normal(size=kernel.shape))
        expected = penalty([reference.of(w) for w in below], reference.of(kernel), inverse)
        assert penalties(model) == pytest.approx(expected, rel=1e-4)

    def test_gradient_equals_finite_differences_of_the_formula(self, hidden):
        _, model = related(hidden=hidden)
        model.update_relations()
        below, kernel = kernels(model)
        variables = [*below, kernel]
        with tf.GradientTape() as tape:
            value = sum(model.losses)
        gradients = tape.gradient(value, [variable.value for variable in variables])
        values = [reference.of(variable) for variable in variables]
        inverse = inverse_of(values[-1])
        for gradient, array in zip(gradients, values, strict=True):
            for index in np.ndindex(array.shape):
                at, sides = array[index], []
                for step in (1e-4, -1e-4):
                    array[index] = at + step
                    sides.append(penalty(values[:-1], values[-1], inverse))
                array[index] = at
                assert float(gradient[index]) == pytest.approx((sides[0] - sides[1]) / 2e-4, rel=1e-3, abs=1e-4)

    def test_is_added_to_the_loss(self, hidden):
        """Beside the experts' own, which stays."""
        args = {"hidden": hidden, "l2": 0.1}
        inputs, labels = tiny.batch(), np.eye(5, dtype=np.float32)[:3]
        _, model = related(**args)
        model.update_relations()
        model.compile("adam", cross_entropy)
        loss = float(model.compute_loss(inputs, labels, model(inputs)))
        below, kernel = kernels(model)
        expected = penalty([reference.of(w) for w in below], reference.of(kernel), inverse_of(reference.of(kernel)))
        own = sum(float(0.05 * (reference.of(w) ** 2).sum()) for w in (kernel, model.get_layer(OUTPUT).gate_kernel))
        assert loss - float(np.mean(cross_entropy(labels, model(inputs)))) == pytest.approx(expected + own, rel=1e-4)


def test_the_related_model_scores_as_the_plain_one_and_shares_its_weights():
    plain, model = related()
    np.testing.assert_array_equal(tiny.score(model, tiny.batch()), tiny.score(plain, tiny.batch()))
    ids = sorted(map(id, model.trainable_weights))
    assert ids == sorted(map(id, plain.trainable_weights))  # each once


@pytest.mark.parametrize("family", ["netvlad", "mlp"])
def test_the_output_kernel_is_that_of_experts_or_of_sigmoids(family):
    model = tiny.new(family)
    layer = model.get_layer(OUTPUT)
    kernel, classes = output_kernel(model)
    assert kernel is (layer.kernel if family == "mlp" else layer.expert_kernel)
    assert classes == tiny.SCHEMA.classes


def test_sigmoids_have_their_kernel_as_weights():
    kernel = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    np.testing.assert_array_equal(class_weights(kernel, 5), kernel)


def test_the_objective_trains_its_own_kind_of_model_by_labels():
    relations = Relations(**LAMBDAS, period=4)
    plain = tiny.randomized("dbow", l2=0.0)
    model = relations.trained(plain)
    model.update_relations()
    assert isinstance(model, RelatedModel)
    assert model.name == plain.name
    below, kernel = kernels(plain)
    expected = penalty([reference.of(w) for w in below], reference.of(kernel), inverse_of(reference.of(kernel)))
    assert penalties(model) == pytest.approx(expected, rel=1e-4)


@pytest.fixture(scope="module", autouse=True)
def deterministic():
    make_deterministic()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_sets(tmp_path_factory.mktemp("shards"))


@pytest.fixture
def finetune(folder, tmp_path):
    """Fine-tune a mixture of experts for six steps, scored each third; of the plain and the related model, the log."""

    def finetune(period):
        objective = Relations(**LAMBDAS, period=period)
        training = make_training(folder, tmp_path, objective=objective, learning_rate=0.01, steps=6, eval_steps=3)
        plain = tiny.randomized("moe")
        model = objective.trained(plain)
        with Live(str(tmp_path / "live"), dvcyaml=None, save_dvc_exp=False) as live:
            fit(model, replace(training, start=tmp_path), live, State(tmp_path / "state"))
        return plain, model, objective, live

    return finetune


@pytest.mark.parametrize(("period", "updates"), [(1, 7), (2, 4), (3, 3), (7, 1)])
def test_omega_is_set_at_the_start_and_after_each_period(finetune, monkeypatch, period, updates):
    """Six steps: each update finds weights that the steps before it have moved."""
    seen, update = [], RelatedModel.update_relations

    def record(model):
        seen.append(np.asarray(model.kernel))
        return update(model)

    monkeypatch.setattr(RelatedModel, "update_relations", record)
    finetune(period)
    assert len(seen) == updates
    assert len({kernel.tobytes() for kernel in seen}) == updates


def test_the_share_of_the_loss_and_the_way_of_the_weights_are_logged(finetune, monkeypatch):
    """At each score but the start's; the penalty by its formula, with the start's Omega, which a period of 7 keeps."""
    start = reference.of(tiny.randomized("moe").get_layer(OUTPUT).expert_kernel)
    inverse, seen, figures = inverse_of(start), [], Relations.figures

    def record(objective, model, loss):
        kernel = reference.of(model.kernel)
        seen.append((penalty([], kernel, inverse) / loss, np.linalg.norm(kernel - start) / np.linalg.norm(start)))
        return figures(objective, model, loss)

    monkeypatch.setattr(Relations, "figures", record)
    _, _, _, live = finetune(period=7)
    for name, expected in zip(("relations_share", "output_moved"), zip(*seen, strict=True), strict=True):
        steps, values = logged(live.dir, name)
        assert steps == [3, 6]
        assert values == pytest.approx(expected, rel=1e-4)


def test_finetuned_weights_are_saved_through_the_plain_model(finetune, tmp_path):
    plain, model, _, live = finetune(period=2)
    assert logged(live.dir, "holdout_gap")[0] == [0, 3, 6]
    storage.save(plain, tiny.describe("moe"), tmp_path / "model")
    loaded, _ = storage.load(tmp_path / "model")
    np.testing.assert_array_equal(tiny.score(loaded, tiny.batch()), tiny.score(model, tiny.batch()))


def test_the_omega_that_is_saved_is_that_of_the_weights_that_were_kept(finetune, tmp_path):
    """Not the last that was set: with a period of 7 that is the start's."""
    _, model, objective, _ = finetune(period=7)
    objective.save(model, tmp_path)
    kernel = reference.of(model.get_layer(OUTPUT).expert_kernel)
    w = np.stack([kernel[:, 2 * c : 2 * c + 2].ravel() for c in range(5)], axis=1)
    found = omega.load(tmp_path / OMEGA)
    np.testing.assert_allclose(found.vectors @ np.diag(found.values) @ found.vectors.T, direct(w), atol=1e-5)

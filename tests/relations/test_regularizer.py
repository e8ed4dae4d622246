"""Label relations: Omega and both penalties of eq. 5 against their definitions."""

import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf

from tests.layers import reference
from tests.models import tiny
from yt8m import models
from yt8m.layers.head import OUTPUT
from yt8m.relations.regularizer import Alternate, RelatedModel, class_weights, relation
from yt8m.training.fit import Plan, fit, samples
from yt8m.training.losses import cross_entropy

SHAPES = [pytest.param((3, 8), id="wide"), pytest.param((9, 4), id="tall"), pytest.param((5, 5), id="square")]
LAMBDAS = {"lambda1": 0.3, "lambda2": 0.02, "damping": 0.1}


def matrix(shape, rank=None):
    random = np.random.default_rng(0)
    if rank is None:
        return random.normal(size=shape)
    return random.normal(size=(shape[0], rank)) @ random.normal(size=(rank, shape[1]))


def direct(w):
    """Eq. 6 as it is written."""
    root = scipy.linalg.sqrtm(w.T @ w).real
    return root / np.trace(root)


def product(omega):
    return omega.vectors @ np.diag(omega.values) @ omega.vectors.T


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rank", [None, 2])
class TestOmega:
    def test_is_the_normalised_root(self, shape, rank):
        w = matrix(shape, rank)
        omega = product(relation(w))
        np.testing.assert_allclose(omega @ omega, w.T @ w / np.linalg.norm(w, "nuc") ** 2, atol=1e-9)
        np.testing.assert_allclose(omega, direct(w), atol=1e-5)

    def test_has_trace_one_and_no_negative_value(self, shape, rank):
        omega = relation(matrix(shape, rank))
        assert omega.values.sum() == pytest.approx(1)
        assert (omega.values >= 0).all()
        assert np.trace(product(omega)) == pytest.approx(1)

    def test_vectors_are_orthonormal(self, shape, rank):
        vectors = relation(matrix(shape, rank)).vectors
        np.testing.assert_allclose(vectors.T @ vectors, np.eye(vectors.shape[1]), atol=1e-6)

    def test_does_not_depend_on_the_weights_scale(self, shape, rank):
        w = matrix(shape, rank)
        for scale in (1e-4, 1e4):
            np.testing.assert_allclose(product(relation(scale * w)), product(relation(w)), atol=1e-7)


def test_classes_with_like_weights_are_related():
    """Two classes of equal weights, one of opposite ones, and one of its own."""
    w = np.array([[1, 1, -1, 0], [0, 0, 0, 1.0]])
    omega = product(relation(w))
    assert omega[0, 1] == pytest.approx(omega[0, 0])
    assert omega[0, 2] == pytest.approx(-omega[0, 0])
    np.testing.assert_allclose(omega[3, :3], 0, atol=1e-9)


@pytest.mark.parametrize("value", [0, np.nan, np.inf])
def test_weights_without_an_omega_are_refused(value):
    with pytest.raises(ValueError, match="label relations: expected finite weights"):
        relation(np.full((3, 4), value))


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


def finetune(training, holdout, live, state, period):
    plain = tiny.randomized("moe")
    model = RelatedModel(plain.inputs, plain.outputs, **LAMBDAS)
    schedule = Plan(10, 0.01, 1.0, 1000, 1.0, steps=6, eval_steps=3, patience=9, ema=0.0, xla=False)

    def batches(start):
        return samples(training.shuffled(10, seed=1, buffer=20, start=start))

    return plain, model, fit(model, batches, holdout, schedule, live, state, callbacks=[Alternate(period)])


@pytest.mark.parametrize(("period", "updates"), [(1, 7), (3, 3), (7, 1)])
def test_omega_is_set_at_the_start_and_after_each_period(training, holdout, live, state, monkeypatch, period, updates):
    """Six steps: each update finds weights that the steps before it have moved."""
    seen, update = [], RelatedModel.update_relations

    def record(model):
        seen.append(np.asarray(model.kernel))
        return update(model)

    monkeypatch.setattr(RelatedModel, "update_relations", record)
    finetune(training, holdout, live, state, period)
    assert len(seen) == updates
    assert len({kernel.tobytes() for kernel in seen}) == updates


def test_finetuned_weights_are_saved_through_the_plain_model(training, holdout, live, state, tmp_path):
    plain, model, _ = finetune(training, holdout, live, state, period=2)
    models.save(plain, tiny.describe("moe"), tmp_path)
    loaded, _ = models.load(tmp_path)
    np.testing.assert_array_equal(tiny.score(loaded, tiny.batch()), tiny.score(model, tiny.batch()))

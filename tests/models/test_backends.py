"""The same scores from the same weights on every backend, in every precision."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.models import tiny
from tests.pipeline import ROOT
from yt8m.layers.head import OUTPUT
from yt8m.models import storage
from yt8m.settings import registry

FAMILIES = list(registry.families())
LENGTHS = (1, 4, 7, 2, 7)
SCORE = """
import sys
from pathlib import Path
from yt8m.core.startup import starting
with starting():
    import keras, numpy as np
    from tests.models import tiny
    from yt8m.models import storage
assert keras.backend.backend() == sys.argv[2]
for folder in sorted(Path(sys.argv[1]).iterdir()):
    model, _ = storage.load(folder)
    np.save(folder / "scores.npy", model.predict_on_batch(tiny.batch((1, 4, 7, 2, 7))))
"""


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """By family: the scores of TensorFlow here, and those of JAX in a process of its own."""
    pytest.importorskip("jax")
    folder, here = tmp_path_factory.mktemp("models"), {}
    for family in FAMILIES:
        model = tiny.randomized(family)
        here[family] = model.predict_on_batch(tiny.batch(LENGTHS))
        storage.save(model, tiny.describe(family), folder / family)
    done = subprocess.run(
        [sys.executable, "-c", SCORE, str(folder), "jax"],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},  # or it compiles longer
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {family: (here[family], np.load(folder / family / "scores.npy")) for family in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES)
def test_tensorflow_and_jax_give_the_same_scores(family, scores):
    tensorflow, jax = scores[family]
    np.testing.assert_allclose(jax, tensorflow, atol=1e-4)
    assert np.ptp(tensorflow) > 0.05  # scores that could differ


@pytest.mark.parametrize("family", FAMILIES)
def test_mixed_precision_keeps_weights_and_scores_in_single(family):
    single, mixed = tiny.randomized(family), tiny.randomized(family, precision="mixed_bfloat16")
    assert {weight.dtype for weight in mixed.weights} == {"float32"}
    if family != "average":  # whose members' layers compute
        assert mixed.get_layer(OUTPUT).compute_dtype == "bfloat16"
    scores = tiny.score(mixed, tiny.batch(LENGTHS))
    assert scores.dtype == np.float32
    expected = tiny.score(single, tiny.batch(LENGTHS))
    np.testing.assert_allclose(scores, expected, atol=0.01)
    assert (scores != expected).any()
    assert len(np.unique(scores)) > 0.9 * scores.size  # bfloat16 scores would be full of ties

"""Which backend Keras is told to run on, and which flags XLA gets."""

import os
import subprocess
import sys

import pytest

from yt8m.core.backend import choose, flag_determinism
from yt8m.core.errors import InputError


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """One without both variables, put back afterwards."""
    for name in ("KERAS_BACKEND", "XLA_FLAGS"):
        monkeypatch.setenv(name, "")  # so that it is put back, whatever sets it
        monkeypatch.delenv(name)


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_the_parameter_decides_where_the_environment_says_nothing(backend):
    choose(backend)
    assert os.environ["KERAS_BACKEND"] == backend
    choose(backend)


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_the_environment_may_say_the_same(monkeypatch, backend):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    choose(backend)
    assert os.environ["KERAS_BACKEND"] == backend


@pytest.mark.parametrize(("backend", "asked"), [("tensorflow", "jax"), ("jax", "tensorflow"), ("jax", "torch")])
def test_an_environment_that_says_another_is_refused(monkeypatch, backend, asked):
    monkeypatch.setenv("KERAS_BACKEND", asked)
    with pytest.raises(InputError) as caught:
        choose(backend)
    assert str(caught.value) == (
        f"KERAS_BACKEND: expected {backend}, as train.backend in params.yaml says, received {asked}"
    )
    assert os.environ["KERAS_BACKEND"] == asked


def test_keras_starts_on_what_was_chosen():
    code = "from yt8m.core.backend import choose; choose('jax'); import keras; print(keras.backend.backend())"
    environment = os.environ | {"JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == "jax\n", done.stderr


@pytest.mark.parametrize("before", [None, "", "--xla_dump_to=x --xla_other=1"])
def test_flags_are_added_once_to_those_there(monkeypatch, before):
    if before is not None:
        monkeypatch.setenv("XLA_FLAGS", before)
    flag_determinism()
    flag_determinism()
    assert os.environ["XLA_FLAGS"].split() == [*(before or "").split(), "--xla_gpu_deterministic_ops=true"]

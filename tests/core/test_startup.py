"""What is left of the standard error while Keras starts, in processes of their own."""

import os
import re
import subprocess
import sys

import pytest

# As TensorFlow 2.21 writes them on machines without and with a GPU.
NOISE = [
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1795613667.379634    9253 cudart_stub.cc:31] Could not find cuda drivers on your machine.",
    "I0000 00:00:1795613691.693561    9505 cpu_feature_guard.cc:227] This TensorFlow binary is optimized to use",
    "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow with the flags.",
    "I0000 00:00:1795613691.586936    9505 port.cc:153] oneDNN custom operations are on.",
    "E0000 00:00:1795613691.586936 9505 cuda_fft.cc:467] Unable to register cuFFT factory: Attempting to register",
    "W0000 00:00:1795613691.586936 9505 computation_placer.cc:177] computation placer already registered.",
    "E0000 00:00:1795613691.586936 9505 cuda_diagnostics.cc:9] Unable to register cuDNN factory: Attempting to",
]
SAID = [
    "Traceback (most recent call last):",
    "UserWarning: To enable the following instructions",
    "E0000 00:00:1795613691.586936 9505 gpu_device.cc:2342] Cannot dlopen some GPU libraries.",
    "E0000 00:00:1795613691.586936 9505 cuda_diagnostics.cc:9] failed call to cuInit",
    "",
    "ünï",
]
BOTH = [line for pair in zip(NOISE, [*SAID, "", "x"], strict=True) for line in pair]
REST = [line for line in BOTH if line not in NOISE]


def run(body: str, **environment: str) -> subprocess.CompletedProcess:
    """Run lines in a process that has `starting` and `say`, which writes to the descriptor as C++ does."""
    begin = f"""
import os, sys
from yt8m.core.startup import starting
BOTH = {BOTH!r}
def say(*lines):
    for line in lines:
        os.write(2, f"{{line}}\\n".encode())
"""
    return subprocess.run(
        [sys.executable, "-c", begin + body],
        env={key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"} | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_lines_of_the_start_are_left_out_and_others_come_through_in_order():
    done = run("with starting():\n    say(*BOTH)\nsay('behind')")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [*REST, "behind"]


def test_outside_of_the_start_nothing_is_left_out():
    done = run("say(*BOTH)\nwith starting():\n    pass\nsay(*BOTH)")
    assert done.stderr.splitlines() == [*BOTH, *BOTH]


def test_pythons_own_lines_come_through():
    body = """
print("first", file=sys.stderr)
with starting():
    import warnings
    warnings.warn("careful")
    print("in between", file=sys.stderr)
    print("out")
print("last", file=sys.stderr)
"""
    done = run(body)
    lines = done.stderr.splitlines()
    assert (lines[0], lines[-1]) == ("first", "last")
    assert lines.index("in between") > next(row for row, line in enumerate(lines) if "careful" in line)
    assert done.stdout == "out\n"


@pytest.mark.parametrize("error", ["ModuleNotFoundError('no keras')", "KeyboardInterrupt()", "SystemExit('ended')"])
def test_lines_before_an_exception_come_through(error):
    done = run(f"with starting():\n    say(*BOTH)\n    raise {error}")
    assert done.returncode != 0
    lines = done.stderr.splitlines()
    assert lines[: len(REST)] == REST
    assert error.partition("(")[0] in lines[-1] or lines[-1] == "ended"


def test_the_environment_is_set_and_what_it_says_is_kept():
    body = "with starting():\n    print(os.environ['TF_CPP_MIN_LOG_LEVEL'], os.environ['XLA_FLAGS'])"
    assert run(body, XLA_FLAGS="").stdout == "3 --xla_gpu_deterministic_ops=true\n"
    assert run(body, TF_CPP_MIN_LOG_LEVEL="0", XLA_FLAGS="--a=1").stdout == "0 --a=1 --xla_gpu_deterministic_ops=true\n"


def test_one_start_within_another():
    body = "with starting():\n    say(*BOTH)\n    with starting():\n        say(*BOTH)\n    say(*BOTH)"
    assert run(body).stderr.splitlines() == 3 * REST


def test_what_is_hidden_is_hidden_from_keras_alone():
    body = """
with starting():
    import matplotlib
    from types import ModuleType
    for name in ("keras.wrappers", "tensorflow.lite"):
        module = ModuleType(name)
        try:
            exec("import sklearn", module.__dict__)
        except ModuleNotFoundError as error:
            print(name, error)
import sklearn
exec("import sklearn", module.__dict__)
print("seen")
"""
    assert run(body).stdout.splitlines() == [
        "keras.wrappers No module named 'sklearn'",
        "tensorflow.lite No module named 'sklearn'",
        "seen",
    ]


def test_on_jax_keras_does_without_tensorflow_for_good():
    """Which takes longer to start than all the rest; who asks for it has it."""
    pytest.importorskip("jax")
    body = """
with starting():
    import keras
keras.utils.set_random_seed(1)
print(keras.backend.backend(), {"sklearn", "tensorflow"} & set(sys.modules))
from keras.src.utils.module_utils import tensorflow
print(tensorflow.available)
import tensorflow
"""
    assert run(body, KERAS_BACKEND="jax").stdout.splitlines() == ["jax set()", "False"]


def test_what_tensorflow_says_of_its_start_is_left_out():
    """As it is: a new version may say more. And it starts without what it has no use for."""
    names = ("jax", "matplotlib", "sklearn")
    done = run(
        f"with starting():\n    import tensorflow\nprint(tensorflow.__version__, {{*{names}}} & {{*sys.modules}})"
    )
    assert re.match(r"\d+\.\d+\S* set\(\)$", done.stdout)
    for word in ("absl::InitializeLog", "cudart_stub", "cpu_feature_guard", "To enable the following", "Unable to"):
        assert word not in done.stderr

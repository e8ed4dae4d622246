import numpy as np
import pytest
from safetensors.numpy import save_file

from yt8m.core.errors import InputError
from yt8m.core.files import write_json
from yt8m.scoring.sizes import Size, size_of


@pytest.fixture
def folder(tmp_path):
    write_json(tmp_path / "model.json", {"family": "mlp"})
    weights = {"kernel": np.zeros((3, 4), np.float32), "bias": np.zeros(4, np.float16), "scale": np.array(1.0)}
    save_file({**weights, "seed_generator/0": np.zeros(2, np.uint32)}, tmp_path / "model.safetensors")
    return tmp_path


def test_parameters_are_all_but_the_generators_states(folder):
    assert size_of(folder) == Size("mlp", 17, (folder / "model.safetensors").stat().st_size)


def test_no_model(tmp_path):
    with pytest.raises(FileNotFoundError):
        size_of(tmp_path)


def test_damaged_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:9])
    with pytest.raises(InputError, match="expected the weights of a model"):
        size_of(folder)

"""Networks by name, from files and from SavedModels: the same vectors whatever else is looked at, and what is none."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.extraction import made
from yt8m.core.errors import InputError
from yt8m.extraction import networks

PICTURES = np.random.default_rng(0).integers(0, 256, (45, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    made.networks(folder)
    made.small().export(folder / "saved", verbose=False)
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A file as Keras publishes them."""
    path = tmp_path_factory.mktemp("weights") / "mobilenet_no_top.weights.h5"
    keras.utils.set_random_seed(1)
    keras.applications.MobileNet(weights=None, include_top=False, input_shape=(224, 224, 3)).save_weights(path)
    return path


def test_a_file_gives_what_its_model_gives(folder):
    network = networks.from_file(folder / "pictures.keras")
    model = keras.saving.load_model(folder / "pictures.keras")
    assert network.shape == (32, 32, 3)
    found = network(PICTURES)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, model(PICTURES.astype("float32")), rtol=1e-4, atol=1e-5)


def test_a_saved_model_gives_what_its_model_gives(folder):
    network = networks.from_file(folder / "saved")
    assert network.shape == (32, 32, 3)
    assert network(PICTURES).shape == (45, 32)


def test_vectors_do_not_depend_on_what_else_is_looked_at(folder):
    network = networks.from_file(folder / "pictures.keras")
    everything = network(PICTURES)
    for count in (1, 7, 8, 31, 33):
        np.testing.assert_array_equal(network(PICTURES[:count]), network(PICTURES)[:count])
        np.testing.assert_allclose(network(PICTURES[:count]), everything[:count], rtol=1e-5, atol=1e-6)


def test_a_network_by_name_is_keras_s_with_its_preparation(weights):
    network = networks.named("MobileNet", weights)
    assert network.shape == (224, 224, 3)
    assert network.family == "mobilenet"
    pictures = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    model = keras.applications.MobileNet(weights=None, include_top=False, pooling="avg", input_shape=(224, 224, 3))
    model.load_weights(weights)
    prepared = pictures.astype(np.float32) / 127.5 - 1  # as it says of itself
    np.testing.assert_allclose(network(pictures), model(prepared), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["pictures.keras", "saved"])
def test_a_network_that_is_kept_is_the_same_again(name, folder, tmp_path):
    network = networks.from_file(folder / name)
    kept = networks.read(tmp_path / network.save(tmp_path, "rgb"), network.family, network.digest)
    np.testing.assert_array_equal(kept(PICTURES), network(PICTURES))


def test_a_named_network_is_kept_with_its_weights_and_preparation(weights, tmp_path):
    network = networks.named("MobileNet", weights)
    kept = networks.read(tmp_path / network.save(tmp_path, "rgb"), network.family, network.digest)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    np.testing.assert_allclose(kept(pictures), network(pictures), rtol=1e-5, atol=1e-6)


def test_a_named_network_is_kept_as_the_same_bytes(weights, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        networks.named("MobileNet", weights).save(tmp_path / name, "rgb")
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["rgb.json", "rgb.safetensors"]
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_digests_tell_networks_apart(folder, weights):
    digests = [networks.from_file(folder / name).digest for name in ("pictures.keras", "sound.keras", "saved")]
    digests.append(networks.named("MobileNet", weights).digest)
    assert len(set(digests)) == 4
    assert networks.from_file(folder / "saved").digest == digests[2]
    assert networks.named("MobileNet", weights).digest == digests[3]


def test_missing_weights_are_named_with_the_place_where_they_are_expected(monkeypatch, tmp_path):
    url = "https://example.org/some/path/inception_v3_notop.h5"

    def fetch(**_):
        raise Exception(f"URL fetch failure on {url}: None -- no route")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(networks, "_application", lambda name: ("inception_v3", made_or(fetch)))
    with pytest.raises(InputError) as raised:
        networks.named("InceptionV3", None)
    assert f"{tmp_path}/models/inception_v3_notop.h5" in str(raised.value)
    assert "example.org does not answer" in str(raised.value)
    assert "\n" not in str(raised.value)


def made_or(fetch):
    """A constructor that has a shape without weights, and fetches them."""
    return lambda weights, **options: (
        keras.applications.MobileNet(weights=None) if weights is None else fetch(weights=weights)
    )


def test_what_is_no_network_is_named(folder, tmp_path):
    with pytest.raises(InputError, match=r"expected a file, a folder or one of .*InceptionV3.*, received Nothing"):
        networks.named("Nothing", None)
    with pytest.raises(InputError, match="no_such: expected a network, found no file"):
        networks.from_file(tmp_path / "no_such")
    (tmp_path / "text.keras").write_text("no network")
    with pytest.raises(InputError, match=r"text\.keras: expected a Keras model"):
        networks.from_file(tmp_path / "text.keras")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="folder: expected a Keras model or a SavedModel"):
        networks.from_file(tmp_path / "folder")
    with pytest.raises(InputError, match=r"pictures\.keras: expected weights of MobileNet without its classifier"):
        networks.named("MobileNet", folder / "pictures.keras")
    with pytest.raises(InputError, match=r"none\.h5: expected a file of weights"):
        networks.named("MobileNet", tmp_path / "none.h5")


def test_a_network_for_pictures_of_any_size_is_refused(tmp_path):
    keras.applications.MobileNet(weights=None, include_top=False, pooling="avg").save(tmp_path / "any.keras")
    with pytest.raises(InputError, match=r"any\.keras: expected a network of one input of one size"):
        networks.from_file(tmp_path / "any.keras")
    one, other = keras.Input((4,)), keras.Input((4,))
    keras.Model([one, other], keras.layers.Add()([one, other])).save(tmp_path / "two.keras")
    with pytest.raises(InputError, match=r"two\.keras: expected a network of one input of one size"):
        networks.from_file(tmp_path / "two.keras")

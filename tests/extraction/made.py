"""Networks of random weights, which tell colours and tones apart all the same."""

from pathlib import Path

import keras
from keras import layers

from yt8m.extraction.sound import BANDS, WINDOWS


def networks(folder: Path, pictures: str = "small") -> tuple[Path, Path]:
    """Write one for pictures, `small` or of InceptionV3's size, and one for sound."""
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(3)
    make = {"small": small, "inception": inception}[pictures]
    paths = folder / "pictures.keras", folder / "sound.keras"
    for path, network in zip(paths, (make(), sound()), strict=True):
        network.save(path)
    return paths


def small() -> keras.Model:
    """For pictures of 32 x 32."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 127.5, -1),
            layers.Conv2D(16, 5, 2, activation="relu"),
            layers.Conv2D(32, 3, 2, activation="relu"),
            layers.GlobalAveragePooling2D(),
        ]
    )


def inception() -> keras.Model:
    """InceptionV3 as it is made, for pictures of 299 x 299."""
    shape = (299, 299, 3)
    network = keras.applications.InceptionV3(weights=None, include_top=False, pooling="avg", input_shape=shape)
    return keras.Sequential([keras.Input(shape), layers.Rescaling(1 / 127.5, -1), network])


def sound() -> keras.Model:
    """For patches of sound."""
    return keras.Sequential(
        [keras.Input((WINDOWS, BANDS)), layers.Conv1D(16, 5, 2, activation="relu"), layers.GlobalAveragePooling1D()]
    )

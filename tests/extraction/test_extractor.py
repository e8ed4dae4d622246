"""An extractor in its folder: the same again, told from others, and what it refuses."""

import json
import pickle

import numpy as np
import pytest

from tests.extraction import clips, made
from tests.extraction.clips import Clip
from yt8m.core.errors import InputError
from yt8m.extraction import raw
from yt8m.extraction.extractor import Extractor, features, unfitted
from yt8m.records.extractors import digest, require


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Networks' files and a folder of what they have said of two videos."""
    folder = tmp_path_factory.mktemp("done")
    pictures, sound = made.networks(folder)
    videos = {}
    for id, colour in (("a", "red"), ("b", "blue")):
        videos[id] = clips.render(folder / f"{id}.mp4", Clip(colour, "dark", 6))
    raw.look(videos, unfitted(str(pictures), None, sound, None).networks, 300, folder / "raw")
    return pictures, sound, folder / "raw"


def fitted(done, ids=("a", "b")) -> Extractor:
    pictures, sound, folder = done
    return unfitted(str(pictures), None, sound, None).fitted(folder, ids)


def test_an_extractor_that_was_saved_is_the_same(done, tmp_path):
    extractor = fitted(done)
    extractor.save(tmp_path / "extractor")
    read = Extractor.read(tmp_path / "extractor")
    assert read.max_frames == 300
    assert read.networks.keys() == {"rgb", "audio"}
    read.save(tmp_path / "again")
    assert digest(tmp_path / "again") == digest(tmp_path / "extractor")
    with np.load(raw.file_of(done[2], "a")) as said:
        for name, feature in features(tmp_path / "extractor", done[2], ["a"]).items():
            expected = extractor.whitenings[name](said[name])
            np.testing.assert_array_equal(feature.read("a"), expected)
            np.testing.assert_array_equal(pickle.loads(pickle.dumps(feature)).read("a"), expected)


def test_extractors_of_other_networks_videos_or_lengths_are_others(done, tmp_path):
    pictures, sound, folder = done
    made_of = {
        "both": fitted(done),
        "videos": fitted(done, ("a",)),
        "sound": unfitted(str(pictures), None, None, None).fitted(folder, ("a", "b")),
        "length": unfitted(str(pictures), None, sound, 20).fitted(folder, ("a", "b")),
    }
    for name, extractor in made_of.items():
        extractor.save(tmp_path / name)
    assert len({digest(tmp_path / name) for name in made_of}) == 4
    require(tmp_path / "both", digest(tmp_path / "both"))
    require(tmp_path / "none", "anything")  # nothing is known there
    for expected in (digest(tmp_path / "both"), None):
        with pytest.raises(InputError, match=r"length: expected features of the extractor"):
            require(tmp_path / "length", expected)


def test_without_training_videos_nothing_is_fitted(done):
    with pytest.raises(InputError, match="expected training videos"):
        fitted(done, ())


def test_a_damaged_folder_is_refused(done, tmp_path):
    with pytest.raises(InputError, match="expected the folder of an extractor"):
        Extractor.read(tmp_path)
    fitted(done).save(tmp_path / "extractor")
    description = tmp_path / "extractor" / "extractor.json"
    about = json.loads(description.read_text())
    for text in ("{", "[]", json.dumps(about | {"max_frames": 0})):
        description.write_text(text)
        with pytest.raises(InputError, match=r"extractor\.json: expected the description"):
            Extractor.read(tmp_path / "extractor")
    description.write_text(json.dumps(about))
    (tmp_path / "extractor" / "rgb.keras").unlink()
    with pytest.raises(InputError, match=r"rgb\.keras: expected a Keras model"):
        Extractor.read(tmp_path / "extractor")


def test_networks_that_do_not_take_what_they_are_given_are_refused(done):
    pictures, sound, _ = done
    with pytest.raises(InputError, match="--network: expected one that takes pictures"):
        unfitted(str(sound), None, None, None)
    with pytest.raises(InputError, match="--sound: expected a network that takes patches"):
        unfitted(str(pictures), None, pictures, None)
    with pytest.raises(InputError, match="--weights: expected a network of Keras's own"):
        unfitted(str(pictures), sound, None, None)

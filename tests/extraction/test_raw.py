"""What networks have said of videos: kept, not asked for twice, never mixed with others'."""

import numpy as np
import pytest

from tests.extraction import clips, made
from tests.extraction.clips import Clip
from yt8m.core.errors import InputError
from yt8m.extraction import networks, raw
from yt8m.extraction.decoding import pictures, waveform
from yt8m.extraction.sound import patches


class Counting:
    """A network that counts what it looks at, in the place of another."""

    def __init__(self, network):
        self.network, self.seen = network, 0
        self.shape, self.digest = network.shape, network.digest

    def __call__(self, items):
        self.seen += len(items)
        return self.network(items)


@pytest.fixture
def looking(tmp_path):
    paths = made.networks(tmp_path / "networks")
    return {name: Counting(networks.from_file(path)) for name, path in zip(("rgb", "audio"), paths, strict=True)}


@pytest.fixture
def videos(tmp_path):
    made = {"a": Clip("red", "dark", 3), "b": Clip("blue", "light", 5), "silent": Clip("red", "light", 2, tone=None)}
    return {id: clips.render(tmp_path / f"{id}.mp4", clip) for id, clip in made.items()}


def test_vectors_are_those_of_each_second_s_picture_and_sound(looking, videos, tmp_path):
    assert raw.look(videos, looking, 4, tmp_path / "raw") == {}
    for id, seconds in (("a", 3), ("b", 4), ("silent", 2)):
        with np.load(raw.file_of(tmp_path / "raw", id)) as found:
            np.testing.assert_array_equal(found["rgb"], looking["rgb"].network(pictures(videos[id], 32, 32, 4)))
            heard = waveform(videos[id], seconds)
            heard = np.zeros(0, np.float32) if heard is None else heard
            np.testing.assert_array_equal(found["audio"], looking["audio"].network(patches(heard, seconds)))
    assert raw.silent(tmp_path / "raw", videos) == 1


def test_a_video_that_was_done_is_not_done_again(looking, videos, tmp_path):
    raw.look({"a": videos["a"]}, looking, 9, tmp_path / "raw")
    assert looking["rgb"].seen == 3
    raw.look(videos, looking, 9, tmp_path / "raw")
    assert looking["rgb"].seen == 3 + 5 + 2
    raw.look(videos, looking, 9, tmp_path / "raw")
    assert looking["rgb"].seen == 10


def test_a_video_that_has_changed_and_vectors_that_are_cut_off_are_done_again(looking, videos, tmp_path):
    raw.look(videos, looking, 9, tmp_path / "raw")
    clips.render(videos["a"], Clip("green", "dark", 6))
    kept = raw.file_of(tmp_path / "raw", "b")
    kept.write_bytes(kept.read_bytes()[:100])
    looking["rgb"].seen = 0
    raw.look(videos, looking, 9, tmp_path / "raw")
    assert looking["rgb"].seen == 6 + 5


def test_files_that_are_broken_are_named_and_the_others_done(looking, videos, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    broken = raw.look({"a": videos["a"], "bad": tmp_path / "bad.mp4", "b": videos["b"]}, looking, 9, tmp_path / "raw")
    assert list(broken) == ["bad"]
    assert "bad.mp4: expected a video" in broken["bad"]
    assert sorted(path.stem for path in (tmp_path / "raw").glob("*.npz")) == ["a", "b"]


def test_what_others_have_said_is_refused(looking, videos, tmp_path):
    raw.look({}, looking, 9, tmp_path / "raw")
    with pytest.raises(InputError, match="raw: expected what these networks have said"):
        raw.look(videos, looking, 8, tmp_path / "raw")
    looking["rgb"].digest = "another"
    with pytest.raises(InputError, match=r"raw: expected what these networks have said.*another"):
        raw.look(videos, looking, 9, tmp_path / "raw")


def test_a_network_that_gives_no_numbers_is_refused(looking, videos, tmp_path):
    looking["rgb"].network = lambda items: np.full((len(items), 2), np.nan, np.float32)
    with pytest.raises(InputError, match=r"a\.mp4: expected finite numbers of the network for rgb"):
        raw.look(videos, looking, 9, tmp_path / "raw")
    assert not list((tmp_path / "raw").glob("*.npz"))

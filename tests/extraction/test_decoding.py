"""Pictures and sound of clips against what was drawn, and what is no video."""

import av
import numpy as np
import pytest

from tests.extraction import clips
from tests.extraction.clips import Clip
from yt8m.extraction import sound
from yt8m.extraction.decoding import BrokenVideo, pictures, waveform

STORED = [("libx264", ".mp4"), ("libx265", ".mp4"), ("mpeg4", ".avi"), ("libvpx-vp9", ".webm"), ("mjpeg", ".mkv")]


@pytest.mark.parametrize(("codec", "ending"), STORED)
def test_pictures_are_what_is_shown_at_each_second(codec, ending, tmp_path):
    clip = Clip("red", "light", 5, codec, ending)
    path = clips.render(tmp_path / f"clip{ending}", clip)
    found = pictures(path, 64, 96, 300)
    expected = np.stack([clips.picture(clip, second / 5) for second in range(5)])
    assert found.shape == (5, 64, 96, 3)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - expected).mean() < 8  # lossy


@pytest.mark.parametrize("rate", [1, 3, 25, 30])
def test_there_is_a_picture_for_each_second_that_has_begun(rate, tmp_path):
    assert len(pictures(clips.render(tmp_path / "clip.mp4", Clip("red", "dark", 7, rate=rate)), 16, 16, 300)) == 7


def test_no_more_are_taken_than_the_limit(tmp_path):
    path = clips.render(tmp_path / "clip.mp4", Clip("red", "dark", 12))
    assert len(pictures(path, 16, 16, 4)) == 4
    np.testing.assert_array_equal(pictures(path, 16, 16, 4), pictures(path, 16, 16, 300)[:4])


def test_a_picture_that_stands_for_seconds_is_taken_for_each(tmp_path):
    path = tmp_path / "slides.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        for grey, tenth in ((0, 0), (120, 25), (250, 60)):  # changes at 2.5 and 6 seconds
            frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), grey, np.uint8), format="rgb24")
            frame.pts = tenth
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    shown = pictures(path, 8, 8, 300).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(shown, [0, 0, 0, 120, 120, 120, 250], atol=3)


def test_pictures_of_any_shape_are_scaled_to_one(tmp_path):
    for size in ((96, 64), (64, 96), (50, 50)):
        path = clips.render(tmp_path / f"{size[0]}.mp4", Clip("blue", "light", 2, size=size))
        assert pictures(path, 20, 30, 300).shape == (2, 20, 30, 3)


def test_sound_has_its_pitch_and_length(tmp_path):
    path = clips.render(tmp_path / "clip.mp4", Clip("red", "dark", 4, tone=880.0))
    heard = waveform(path, 3)
    assert heard is not None
    assert heard.shape == (3 * sound.RATE,)
    spectrum = np.abs(np.fft.rfft(heard[sound.RATE : 2 * sound.RATE]))
    assert abs(int(spectrum.argmax()) - 880) <= 1  # a bin a hertz
    assert 0.1 < np.abs(heard).max() < 1


def test_a_video_without_sound_has_none(tmp_path):
    assert waveform(clips.render(tmp_path / "clip.mp4", Clip("red", "dark", 2, tone=None)), 2) is None


def test_what_is_no_video_is_named(tmp_path):
    path = tmp_path / "text.mp4"
    path.write_bytes(b"no video at all")
    with pytest.raises(BrokenVideo, match=r"text\.mp4: expected a video"):
        pictures(path, 8, 8, 300)
    with pytest.raises(BrokenVideo, match=r"text\.mp4"):
        waveform(path, 3)
    with pytest.raises(BrokenVideo, match=r"empty\.mp4: expected pictures"):
        pictures(clips.empty(tmp_path / "empty.mp4"), 8, 8, 300)
    (tmp_path / "zero.mp4").touch()
    with pytest.raises(BrokenVideo, match=r"zero\.mp4"):
        pictures(tmp_path / "zero.mp4", 8, 8, 300)


def test_a_file_that_is_cut_off_is_broken(tmp_path):
    path = clips.render(tmp_path / "clip.mp4", Clip("red", "dark", 5))
    path.write_bytes(path.read_bytes()[:-2000])  # its index stands at the end
    with pytest.raises(BrokenVideo, match=r"clip\.mp4"):
        pictures(path, 8, 8, 300)


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
    with pytest.raises(BrokenVideo, match=r"sound\.mkv: expected pictures, received a file without any"):
        pictures(path, 8, 8, 300)

"""Clips that tests render: a shape of one colour moves over a background of another, and a tone sounds."""

from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 50, 220), "yellow": (230, 220, 40)}
BACKGROUNDS = {"dark": (20, 20, 20), "light": (235, 235, 235)}
RATE = 16_000  # of sound


class Clip(NamedTuple):
    """What a clip shows, and how it is stored."""

    colour: str
    background: str
    seconds: int
    codec: str = "libx264"
    ending: str = ".mp4"
    size: tuple[int, int] = (96, 64)  # width and height
    tone: float | None = 440.0
    rate: int = 4


def drawn(count: int, seed: int = 0) -> dict[str, Clip]:
    """Clips by id: of all colours, codecs and sizes, 10 to 30 seconds each, the first without sound."""
    random = np.random.default_rng(seed)
    stored = [("libx264", ".mp4"), ("mpeg4", ".avi"), ("libvpx-vp9", ".webm"), ("mjpeg", ".mkv")]
    clips = {}
    for index in range(count):
        codec, ending = stored[index % len(stored)]
        clips[f"clip{index:03d}"] = Clip(
            str(random.choice(list(COLOURS))),
            str(random.choice(list(BACKGROUNDS))),
            int(random.integers(10, 31)),
            codec,
            ending,
            [(96, 64), (64, 96), (128, 128)][index % 3],
            None if index == 0 else float(random.choice([220, 440, 880])),
        )
    return clips


def render(path: Path, clip: Clip) -> Path:
    """Write a clip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = clip.size
    with av.open(str(path), "w") as container:
        video = container.add_stream(clip.codec, rate=clip.rate)
        video.width, video.height = width, height
        video.pix_fmt = "yuvj420p" if clip.codec == "mjpeg" else "yuv420p"
        audio, tone = None, clip.tone
        if tone:
            audio = container.add_stream("libopus" if path.suffix == ".webm" else "aac", rate=48_000, layout="mono")
        for index in range(clip.seconds * clip.rate):
            frame = av.VideoFrame.from_ndarray(picture(clip, index / (clip.seconds * clip.rate)), format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio and tone:
            time = np.arange(clip.seconds * 48_000) / 48_000
            samples = (0.3 * np.sin(2 * np.pi * tone * time)).astype(np.float32)[None]
            sound = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            sound.sample_rate, sound.pts = 48_000, 0
            fifo = av.AudioFifo()
            fifo.write(sound)
            while piece := fifo.read(audio.frame_size or 960, partial=True):
                container.mux(audio.encode(piece))
            container.mux(audio.encode(None))
    return path


def picture(clip: Clip, progress: float) -> np.ndarray:
    """What a clip shows when so much of it has passed, (height, width, 3) uint8."""
    width, height = clip.size
    shown = np.empty((height, width, 3), np.uint8)
    shown[:] = BACKGROUNDS[clip.background]
    size = min(width, height) // 2
    left, top = int(progress * (width - size)), (height - size) // 2
    shown[top : top + size, left : left + size] = COLOURS[clip.colour]
    return shown


def empty(path: Path) -> Path:
    """A video of no frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=4)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.start_encoding()
    return path

"""Pictures and sound of a video file, one of each a second, as PyAV decodes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np

from yt8m.core.errors import InputError
from yt8m.extraction import sound

av.logging.set_level(None)  # what FFmpeg would write about broken files


class BrokenVideo(InputError):
    """A file has no pictures, or cannot be decoded; the message names it."""


def pictures(path: Path, height: int, width: int, limit: int) -> np.ndarray:
    """What a video shows at each full second from its start, scaled to one size whatever its own: YouTube-8M's rate.

    The way that a phone was held is made good.

    Args:
        limit: pictures taken.

    Returns:
        (T, height, width, 3) uint8, RGB, at least one.

    Raises:
        BrokenVideo: where there is no picture, or the file is damaged before the last one.
    """
    taken: list[np.ndarray] = []
    with _opened(path) as container:
        for frame, until in _shown(container, path):
            if until <= len(taken):
                continue
            picture = _scaled(frame, height, width)
            while len(taken) < min(until, limit):
                taken.append(picture)
            if len(taken) == limit:
                break
    if not taken:
        raise BrokenVideo(f"{path}: expected pictures, received a video of none")
    return np.stack(taken)


def waveform(path: Path, seconds: int) -> np.ndarray | None:
    """The sound of a video's first seconds, mono, at `sound.RATE`.

    Returns:
        (samples,) float32, from -1 to 1; None where it has no sound.

    Raises:
        BrokenVideo: where the file is damaged.
    """
    most, length = seconds * sound.RATE, 0
    parts: list[np.ndarray] = []
    with _opened(path) as container:
        if not container.streams.audio:
            return None
        resampler = av.AudioResampler(format="flt", layout="mono", rate=sound.RATE)
        for frame in container.decode(audio=0):
            if not parts and frame.time is not None:  # silence until the sound begins
                parts.append(np.zeros(max(0, round((frame.time - _start(container)) * sound.RATE)), np.float32))
            for piece in resampler.resample(frame):
                parts.append(piece.to_ndarray()[0])
                length += len(parts[-1])
            if length >= most:
                break
        parts += [piece.to_ndarray()[0] for piece in resampler.resample(None)] if parts else []
    return np.concatenate(parts)[:most] if parts else None


@contextmanager
def _opened(path: Path) -> Iterator[av.container.InputContainer]:
    try:
        with av.open(str(path)) as container:
            yield container
    except av.FFmpegError as error:
        raise BrokenVideo(f"{path}: expected a video, received what cannot be decoded: {error.strerror}") from None


def _start(container: av.container.InputContainer) -> float:
    return (container.start_time or 0) / av.time_base


def _shown(container: av.container.InputContainer, path: Path) -> Iterator[tuple[av.VideoFrame, int]]:
    """Each frame, and the number of full seconds, 0 the first, before which the next one is not shown yet."""
    if not container.streams.video:
        raise BrokenVideo(f"{path}: expected pictures, received a file without any")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    start, rate, before = _start(container), float(stream.average_rate or 25), None
    for index, frame in enumerate(container.decode(stream)):
        time = index / rate if frame.time is None else frame.time - start
        if before is not None:
            yield before, _seconds(time)
        before, end = frame, time + (float(frame.duration * frame.time_base) if frame.duration else 1 / rate)
    if before is not None:
        yield before, max(1, _seconds(end))


def _seconds(time: float) -> int:
    """How many full seconds, 0 among them, come before a time; frames' times are not exact."""
    return int(np.ceil(time - 1e-3))


def _scaled(frame: av.VideoFrame, height: int, width: int) -> np.ndarray:
    picture = frame.to_ndarray(format="rgb24", width=width, height=height)
    turns = round(frame.rotation / 90) % 4
    if not turns:
        return picture
    if turns % 2:  # scaled so that it has its size when it is turned
        picture = frame.to_ndarray(format="rgb24", width=height, height=width)
    return np.rot90(picture, turns)

"""What lies behind URLs, by fsspec: listed, described and fetched, again and again while the other side fails.

fsspec is imported where it is used, and finds endpoints and credentials by itself.
"""

import errno
import math
import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from yt8m.core.errors import DataError, InputError

Result = TypeVar("Result")
TRIES, PATIENCE = 5, 60.0  # failures are met by another try so often, and for so many seconds from the first one
PAUSES = (0.5, 16.0)  # seconds between tries: the first, doubled up to the longest
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}  # of this project, by protocol
TAG = "etag:"  # begins a checksum that is the provider's
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)
_WILD = re.compile(r"[*?\[]")
# Another try of these ends alike: what is asked for is wrong, or the disk here.
_LASTING = (
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    ImportError,
    NotImplementedError,
    ValueError,
    TypeError,
)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_OF_HTTP = ("aiohttp", "asyncio", "builtins")  # packages of the errors there
_HTTP_PASSING = (408, 429)  # of the statuses from 400 to 499, those that another try may change


class Entry(NamedTuple):
    """A file behind a URL: its bytes, and a checksum by the provider's ETag; None where that is not known."""

    url: str
    bytes: int | None
    checksum: str | None


def is_url(text: object) -> bool:
    """Whether a text is a URL (`s3://…`), and no path."""
    return bool(_URL.match(str(text)))


def is_wild(text: str) -> bool:
    """Whether a URL has a pattern in it."""
    return bool(_WILD.search(text))


def entries(pattern: str) -> list[Entry]:
    """The files that a pattern names, sorted; of a folder all files below it.

    Raises:
        DataError: where they cannot be listed.
    """

    def look() -> list[Entry]:
        system, path = _open(pattern)
        found = system.glob(path, detail=True) if is_wild(path) else system.find(path, detail=True)
        files = [about for about in found.values() if about.get("type", "file") == "file"]
        # Some listings are of names alone.
        return [_entry(system, each) if _complete(each) else _described(system, each["name"]) for each in files]

    return sorted(_patiently(pattern, look))


def entry(url: str) -> Entry:
    """A single file.

    Raises:
        DataError: where there is none, or it cannot be looked at.
    """
    return _patiently(url, lambda: _described(*_open(url)))


def folder_url(url: str) -> str:
    """The URL of a folder, as those of the files that are listed below it begin."""
    system, path = _open(url)
    return str(system.unstrip_protocol(path)).rstrip("/")


def fetch(url: str, path: Path, check: Callable[[Entry], Result]) -> Result:
    """Write a file's content to a path.

    Args:
        check: is given what the file is after it was read, and gives the result; with `OSError` it is read once more.

    Raises:
        DataError: where there is none, or it cannot be read.
    """

    def read() -> Result:
        system, name = _open(url)
        system.get_file(name, str(path))
        return check(_described(system, name))

    return _patiently(url, read)


def _open(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    from fsspec.core import url_to_fs

    try:
        found: tuple[Any, str] = url_to_fs(url, use_listings_cache=False)  # what is there now
    except ImportError as error:
        extra = EXTRAS.get(url.partition("://")[0].lower())
        hint = f'pip install "yt8m[{extra}]"' if extra else _line(error)
        raise InputError(f"{url}: expected the driver of its protocol to be installed: {hint}") from None
    except ValueError as error:
        raise InputError(f"{url}: expected a URL that fsspec knows: {_line(error)}") from None
    return found


def _described(system: Any, path: str) -> Entry:
    return _entry(system, system.info(path))


def _entry(system: Any, about: dict[str, Any]) -> Entry:
    tag = _tag(about)
    return Entry(str(system.unstrip_protocol(about["name"])), about.get("size"), TAG + tag if tag else None)


def _complete(about: dict[str, Any]) -> bool:
    return about.get("size") is not None and _tag(about) is not None


def _tag(about: dict[str, Any]) -> str | None:
    tag = about.get("ETag") or about.get("etag")
    return str(tag).strip('"') if tag else None


def _patiently(url: str, function: Callable[[], Result]) -> Result:
    """A function's result; where it fails in a way that may pass it is called again, after longer and longer pauses."""
    failures, end, (pause, longest) = 0, math.inf, PAUSES
    while True:
        try:
            return function()
        except InputError:
            raise
        except Exception as error:  # drivers' errors have no common type
            if getattr(error, "errno", None) in _FULL:
                raise
            if problem := _lasting(error):
                raise DataError(f"{url}: {problem}") from None
            said = f"{type(error).__name__}: {_line(error)}"
            failures, end = failures + 1, min(end, time.monotonic() + PATIENCE)
            if failures >= TRIES and time.monotonic() > end:
                raise DataError(f"{url}: cannot be read, tried {failures} times: {said}") from None
        print(f"{url}: {said}: trying again", file=sys.stderr)
        time.sleep(pause * random.uniform(0.5, 1))
        pause = min(2 * pause, longest)


def _lasting(error: Exception) -> str | None:
    """What is wrong, if another try would fail too."""
    status, cause = getattr(error, "status", None), error.__cause__
    if isinstance(error, FileNotFoundError):
        # fsspec's for HTTP says so of all that goes wrong when it looks at a file.
        driver = type(cause).__module__.partition(".")[0]
        if isinstance(cause, Exception) and driver in _OF_HTTP and getattr(cause, "status", None) != 404:
            return _lasting(cause)
        return f"expected shards, found none: {_line(error)}"
    if isinstance(error, PermissionError) or status in (401, 403):
        return f"no permission: {_line(error)}"
    if "Credential" in type(error).__name__:  # botocore's, which none of ours derives from
        return f"no credentials: {_line(error)}"
    refused = isinstance(status, int) and 400 <= status < 500 and status not in _HTTP_PASSING
    return f"{type(error).__name__}: {_line(error)}" if refused or isinstance(error, _LASTING) else None


def _line(error: BaseException) -> str:
    """An error's first line."""
    return next(iter(str(error).splitlines()), "")

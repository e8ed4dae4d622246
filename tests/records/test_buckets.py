"""What lies behind URLs: listed, fetched, tried again, and what is wrong in one line."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import fsspec
import pytest

from yt8m.core.errors import DataError, InputError
from yt8m.records import buckets
from yt8m.records.buckets import Entry, entries, entry, fetch, folder_url, is_url


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """No pauses, and no long patience."""
    monkeypatch.setattr(buckets, "PAUSES", (0.001, 0.001))
    monkeypatch.setattr(buckets, "PATIENCE", 0.2)


@pytest.fixture
def memory():
    """A folder in memory with two shards."""
    files = fsspec.filesystem("memory")
    for name in ("frame/a.tfrecord", "frame/b.tfrecord", "notes.txt"):
        files.pipe_file(f"/set/{name}", name.encode())
    yield "memory://set"
    files.store.clear()


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder; what has 500 in its name fails, and is counted."""

    asked: list[str] = []  # noqa: RUF012

    def send_head(self):
        self.asked.append(self.path)
        for status in (500, 403):
            if str(status) in self.path:
                return self.send_error(status)
        return super().send_head()

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def web(tmp_path):
    """A web server of a folder, which has no ETags."""
    (tmp_path / "frame").mkdir()
    (tmp_path / "frame" / "a.tfrecord").write_bytes(b"content")
    found = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    Thread(target=found.serve_forever, args=(0.01,), daemon=True).start()
    Quiet.asked.clear()
    yield f"http://127.0.0.1:{found.server_address[1]}"
    found.shutdown()
    found.server_close()


@pytest.mark.parametrize("text", ["s3://b/x", "gs://b", "https://h/x*", "memory://x", "S3A://b"])
def test_urls(text):
    assert is_url(text)


@pytest.mark.parametrize("text", ["a/b", "/a", "C:\\x", "s3:/b", "a b://c", "x/s3://b", Path("s3://b")])
def test_paths(text):
    assert not is_url(text)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", ["frame/a.tfrecord", "frame/b.tfrecord", "notes.txt"]),
        ("/frame/", ["frame/a.tfrecord", "frame/b.tfrecord"]),
        ("/frame/a*", ["frame/a.tfrecord"]),
        ("/**/[ab].*", ["frame/a.tfrecord", "frame/b.tfrecord"]),
        ("/notes.txt", ["notes.txt"]),
        ("/*", ["notes.txt"]),
        ("/none*", []),
    ],
)
def test_listed(memory, pattern, found):
    assert folder_url(memory) == "memory:///set"
    assert entries(memory + pattern) == [Entry(f"memory:///set/{name}", len(name), None) for name in found]


def test_a_provider_s_etag(bucket):
    bucket.write("frame/a.tfrecord", b"content")
    for url, found in ((bucket.url, entries), (f"{bucket.url}/frame/*", entries)):
        assert found(url) == [
            Entry(f"{bucket.url}/frame/a.tfrecord", 7, "etag:9a0364b9e99bb480dd25e1f0284c8555")  # MD5
        ]
    assert entry(f"{bucket.url}/frame/a.tfrecord").bytes == 7


def test_the_web(web, tmp_path):
    """Without ETags, and with what lies beside them."""
    url = f"{web}/frame/a.tfrecord"
    assert entry(url) == Entry(url, 7, None)
    assert entries(f"{web}/frame/*.tfrecord") == entries(f"{web}/frame") == [Entry(url, 7, None)]
    fetch(url, tmp_path / "x", lambda found: None)
    assert (tmp_path / "x").read_bytes() == b"content"


@pytest.mark.parametrize(
    ("path", "said", "tries"),
    [
        ("none.tfrecord", "expected shards, found none: ", 1),
        ("403.tfrecord", "no permission: 403", 1),
        ("500.tfrecord", "cannot be read, tried ", 3),
    ],
)
def test_what_the_web_refuses(web, capsys, path, said, tries):
    with pytest.raises(DataError) as error:
        entry(f"{web}/{path}")
    assert str(error.value).startswith(f"{web}/{path}: {said}")
    assert "\n" not in str(error.value)
    assert len(Quiet.asked) >= tries
    assert ("trying again" in capsys.readouterr().err) is (tries > 1)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("abc://x/y", "expected a URL that fsspec knows: Protocol not known: abc"),
        ("gs://x/y", 'expected the driver of its protocol to be installed: pip install "yt8m[gcs]"'),
        ("abfs://x/y", "expected the driver of its protocol to be installed: Install none"),
    ],
)
def test_what_cannot_be_read_here(monkeypatch, url, said):
    from fsspec.registry import known_implementations

    for protocol in ("gs", "abfs"):  # whatever is installed
        monkeypatch.setitem(known_implementations, protocol, {"class": "none.None", "err": "Install none"})
    with pytest.raises(InputError) as error:
        entry(url)
    assert str(error.value).startswith(f"{url}: {said}")
    assert "\n" not in str(error.value)


class NoCredentialsError(Exception):
    """As botocore's."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError("Access Denied"), "no permission: Access Denied"),
        (FileNotFoundError("The specified bucket does not exist"), "found none: The specified bucket"),
        (NoCredentialsError("Unable to locate"), "no credentials: Unable to locate"),
        (IsADirectoryError("x"), "IsADirectoryError: x"),
        (NotImplementedError(), "NotImplementedError: "),
    ],
)
def test_what_another_try_would_not_change(error, said, memory, monkeypatch):
    calls = []

    def fail(*_):
        calls.append(1)
        raise error

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "info", fail)
    with pytest.raises(DataError, match=f"^{memory}/x: .*{said}"):
        entry(f"{memory}/x")
    assert len(calls) == 1


@pytest.mark.parametrize("error", [OSError("reset\nby peer"), TimeoutError(), RuntimeError("any driver's")])
def test_what_passes(error, memory, monkeypatch, capsys):
    """It is tried again, and what is wrong in the end is one line."""
    real, left = fsspec.get_filesystem_class("memory").info, [3]

    def fail(self, path):
        left[0] -= 1
        if left[0] >= 0:
            raise error
        return real(self, path)

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "info", fail)
    assert entry(f"{memory}/notes.txt").bytes == 9
    assert capsys.readouterr().err.count("trying again") == 3
    left[0] = 10**6
    with pytest.raises(DataError, match=r"cannot be read, tried \d+ times: \w+Error: ") as raised:
        entry(f"{memory}/notes.txt")
    assert "\n" not in str(raised.value)


def test_a_slow_failure_is_met_by_other_tries_too(memory, monkeypatch):
    """Its time alone would be all of the patience."""
    calls = []

    def fail(*_):
        calls.append(1)
        raise OSError

    monkeypatch.setattr(buckets, "PATIENCE", 0.0)
    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "info", fail)
    with pytest.raises(DataError, match="tried 5 times: OSError"):
        entry(f"{memory}/notes.txt")
    assert len(calls) == 5


def test_a_full_disk_is_not_waited_for(memory, monkeypatch, tmp_path):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "get_file", fail)
    with pytest.raises(OSError, match="No space left"):
        fetch(f"{memory}/notes.txt", tmp_path / "x", lambda found: None)

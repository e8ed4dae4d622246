"""An S3 server on this machine's loopback, which can fail, end and come back."""

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from s3fs import S3FileSystem
from werkzeug.serving import BaseWSGIServer, make_server


class Server:
    """Serves buckets, which outlive its end.

    Attributes:
        share: of the requests that fail, half of them in the middle of what they give.
        requests: method and path of each so far.
        failed: how many failed.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server: BaseWSGIServer | None = None
        self._port = 0
        self.reset()

    def reset(self) -> None:
        """Answer everything, and forget what was asked."""
        self.share, self.requests, self.failed = 0.0, list[tuple[str, str]](), 0
        self._random = random.Random(0)

    @property
    def environment(self) -> dict[str, str]:
        """By which clients find it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",  # no tries of the driver's own below ours
        }

    def start(self) -> None:
        """Answer, at the same port as before."""
        self._server = make_server("127.0.0.1", self._port, self._answer, True, request_handler=MotoRequestHandler)
        self._port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections."""
        assert self._server
        self._server.shutdown()
        self._server.server_close()

    def fetched(self) -> list[str]:
        """The names of the shards that were read, sorted."""
        return sorted(Path(path).stem for method, path in self.requests if method == "GET" and ".tfrecord" in path)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self._lock:
            self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
            fails, within = self._random.random() < self.share, self._random.random() < 0.5
            self.failed += fails
        if not fails:
            return self._app(environ, start_response)
        if within:
            return self._cut(environ, start_response)
        start_response("503 Service Unavailable", [("Content-Length", "0")])
        return []

    def _cut(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        content = b"".join(self._app(environ, start_response))
        yield content[: len(content) // 2]
        raise ConnectionResetError


class Bucket:
    """A bucket of a server."""

    def __init__(self, server: Server, name: str):
        self.server, self.url = server, f"s3://{name}"
        S3FileSystem.clear_instance_cache()  # what it keeps may be another server's
        self._files = S3FileSystem()
        self._files.mkdir(name)

    def write(self, path: str, content: bytes) -> None:
        """Put a file into it, or replace it."""
        self._files.pipe_file(f"{self.url}/{path}", content)

    def remove(self, path: str) -> None:
        """Take a file out of it."""
        self._files.rm_file(f"{self.url}/{path}")

    def copy(self, folder: Path) -> str:
        """Put all that lies in a folder into it; return its URL."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.write(str(path.relative_to(folder)), path.read_bytes())
        self.server.requests.clear()
        return self.url

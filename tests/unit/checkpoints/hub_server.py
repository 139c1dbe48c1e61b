"""A model hub on 127.0.0.1, as small as the routes that a download uses.

    HEAD, GET  /{repository}/resolve/{revision}/{file}     one file; ranges are honoured
    GET        /api/models/{repository}[/revision/{revision}]  the list of its files

The hub's error codes travel in the ``X-Error-Code`` header. Every request is logged, so that a test can say what went
over the wire.
"""

import hashlib
import json
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Repository:
    """Files at one commit, and how the server treats who asks for them.

    token: what a request must carry to see the repository at all; gated: refuse everybody, as before terms are accepted.
    history: earlier commit → its files, where they are still to be had.
    cut_after: file → send that many bytes of it and drop the connection, once for each entry of ``cuts_left``.
    """

    files: dict[str, bytes]
    commit: str = "1" * 40
    branches: tuple[str, ...] = ("main",)
    token: str | None = None
    gated: bool = False
    status: int | None = None
    cut_after: dict[str, int] = field(default_factory=dict)
    cuts_left: int = 0
    history: dict[str, dict[str, bytes]] = field(default_factory=dict)


class HubServer:
    """Serves ``repositories`` while the ``with`` block lasts; ``requests`` is the log of (method, path)."""

    def __init__(self, repositories: dict[str, Repository]):
        self.repositories = repositories
        self.requests: list[tuple[str, str]] = []
        self.tokens: list[str | None] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def downloads(self) -> list[str]:
        """The files whose contents were sent, in order."""
        return [path.rsplit("/", 1)[-1] for method, path in self.requests if method == "GET" and "/resolve/" in path]

    def __enter__(self) -> "HubServer":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler_for(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Stay quiet: the log that counts is ``hub.requests``."""

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            hub.requests.append((self.command, self.path))
            hub.tokens.append(self.headers.get("Authorization"))
            if self.path.startswith("/api/models/"):
                name, _, revision = self.path.removeprefix("/api/models/").partition("/revision/")
                repository = self._repository(name, revision or "main", body)
                if repository is not None:
                    listing = {"id": name, "siblings": [{"rfilename": file} for file in repository.files]}
                    self._send(200, json.dumps(listing).encode(), {"Content-Type": "application/json"}, body)
                return
            name, _, rest = self.path.strip("/").partition("/resolve/")
            revision, _, filename = rest.partition("/")
            repository = self._repository(name, revision, body)
            if repository is None:
                return
            headers = {"X-Repo-Commit": repository.commit}
            if filename not in repository.files:
                self._send(404, b"", headers | {"X-Error-Code": "EntryNotFound"}, body)
                return
            self._send_file(repository, filename, headers, body)

        def _repository(self, name: str, revision: str, body: bool) -> Repository | None:
            """The repository, or None after having answered with the error."""
            repository = hub.repositories.get(name)
            hidden = (
                repository is not None
                and repository.token is not None
                and self.headers.get("Authorization") != f"Bearer {repository.token}"
            )
            if repository is None or hidden:
                self._send(404, b"", {"X-Error-Code": "RepoNotFound"}, body)
            elif revision in repository.history:
                return replace(repository, commit=revision, files=repository.history[revision])
            elif repository.gated:
                self._send(403, b"", {"X-Error-Code": "GatedRepo"}, body)
            elif repository.status is not None:
                self._send(repository.status, b"", {}, body)
            elif revision not in (*repository.branches, repository.commit):
                self._send(404, b"", {"X-Error-Code": "RevisionNotFound"}, body)
            else:
                return repository
            return None

        def _send_file(self, repository: Repository, filename: str, headers: dict[str, str], body: bool) -> None:
            content = repository.files[filename]
            etag = hashlib.sha256(content).hexdigest()
            headers |= {"ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
            status, start = 200, 0
            requested = self.headers.get("Range")
            if body and requested is not None:
                start = int(requested.removeprefix("bytes=").partition("-")[0])
                status = 206
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            if body and filename in repository.cut_after and repository.cuts_left > 0:
                repository.cuts_left -= 1
                end = start + repository.cut_after[filename]
                self._send(status, content[start:end], headers, body, announce=len(content) - start)
                self.close_connection = True
                return
            self._send(status, content[start:], headers, body)

        def _send(
            self, status: int, content: bytes, headers: dict[str, str], body: bool, announce: int | None = None
        ) -> None:
            """Answer; ``announce`` lies about the length, which is how a cut connection looks from the other end."""
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(content) if announce is None else announce))
            self.end_headers()
            if body:
                self.wfile.write(content)

    return Handler

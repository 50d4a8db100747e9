"""ASGI middleware that accepts only requests of the demo's own page, with at most one small upload."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from maskgen.demo.answer import LARGEST_FILE

# One file and the form around it.
LARGEST_REQUEST = LARGEST_FILE + (1 << 20)  # bytes
MOST_FILES = 1
# Total size of uploads and answers that are kept at a time.
MOST_KEPT = 500 * 2**20  # bytes

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_FILE = re.compile(rb"\r?\ncontent-disposition:[^\r\n]*\bfilename", re.IGNORECASE)


class Guard:
    """ASGI middleware that refuses requests which the page itself never sends.

    It protects against other web sites in the user's browser: against forms they post here (cross-site
    request forgery), and against domain names of theirs that resolve to this machine (DNS rebinding).

    Args:
        app: The wrapped application.
        host: The address that the server listens on.
        folder: The folder for uploads.
    """

    def __init__(self, app: App, host: str, folder: Path) -> None:
        self._app, self._host, self._folder = app, host, folder
        self._names = {"localhost", host, socket.gethostname()}

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the reason for the refusal."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        refusal = self._refuse_sender(headers)
        if scope["type"] == "websocket":
            # The page uses no web sockets.
            await send({"type": "websocket.close", "code": 1008})
            return
        if refusal is None and scope["method"] not in ("GET", "HEAD"):
            refusal, receive = await self._read(headers, receive)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        status, reason = refusal
        plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": status, "headers": plain})
        await send({"type": "http.response.body", "body": reason.encode()})

    def _refuse_sender(self, headers: Mapping[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self._is_ours(urlsplit(f"//{host}").hostname or ""):
            return 400, f"the host {host!r} is not this server; open the page by its address"
        origin = headers.get("origin")
        if (origin and urlsplit(origin).netloc != host) or headers.get("sec-fetch-site") == "cross-site":
            return 403, "requests from other sites are refused"
        return None

    def _is_ours(self, name: str) -> bool:
        """True for this machine's own names, and for IP addresses: DNS rebinding can fake neither."""
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return address.is_loopback or not is_loopback(self._host)

    async def _read(
        self, headers: Mapping[str, str], receive: Receive
    ) -> tuple[tuple[int, str] | None, Receive]:
        """Read the body: the status and reason to refuse it or None, and a ``receive`` that replays it."""
        too_large = 413, f"a request can have at most {LARGEST_REQUEST:,} bytes"
        if int(headers.get("content-length") or 0) > LARGEST_REQUEST:
            return too_large, receive
        body, more = bytearray(), True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = bool(message.get("more_body"))
            if len(body) > LARGEST_REQUEST:
                return too_large, receive
        files = len(_FILE.findall(body))
        if files > MOST_FILES:
            return (413, f"a request can have at most {MOST_FILES} file, got {files}"), receive
        if files and _folder_size(self._folder) > MOST_KEPT:
            return (413, "the upload folder is full; try again in an hour"), receive
        messages = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        return None, replay


def is_loopback(host: str) -> bool:
    """True for an address that only this machine can reach."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _folder_size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # gradio removes old files
            total += path.stat().st_size
    return total

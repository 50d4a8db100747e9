"""ASGI middleware that accepts only requests of the demo's own page, with at most one small upload."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from maskgen.demo.answer import LARGEST_FILE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_REQUEST = LARGEST_FILE + (1 << 20)  # bytes: one file and the form around it
MOST_FILES = 1
MOST_KEPT = 500 * 2**20  # bytes of uploads and answers at a time

Refusal = tuple[int, str]  # status and reason

_FILE = re.compile(rb"\r?\ncontent-disposition:[^\r\n]*\bfilename", re.IGNORECASE)


class Guard:
    """Refuse requests to ``app`` that its page never sends, by the server's address and upload folder.

    It protects against other web sites in the user's browser: against forms they post here (cross-site
    request forgery), and against domain names of theirs that resolve to this machine (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, host: str, folder: Path) -> None:
        self._app, self._folder = app, folder
        self._names = {"localhost", host, socket.gethostname()}
        self._is_loopback = host in ("localhost", "::1") or host.startswith("127.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the reason for the refusal."""
        if scope["type"] == "websocket":  # the page uses none
            await send({"type": "websocket.close", "code": 1008})
            return
        refusal = None
        if scope["type"] == "http":
            pairs = ((name.decode("latin-1"), text.decode("latin-1")) for name, text in scope["headers"])
            headers = {name.lower(): text for name, text in pairs}
            refusal = self._refuse_sender(headers)
            if refusal is None and scope["method"] not in ("GET", "HEAD"):
                refusal, receive = await self._read(headers, receive)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        status, reason = refusal
        plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": status, "headers": plain})
        await send({"type": "http.response.body", "body": reason.encode()})

    def _refuse_sender(self, headers: Mapping[str, str]) -> Refusal | None:
        host = headers.get("host", "")
        name = urlsplit(f"//{host}").hostname or ""
        # DNS rebinding can fake neither this machine's own names nor an IP address.
        try:
            is_ours = ipaddress.ip_address(name).is_loopback or not self._is_loopback
        except ValueError:
            is_ours = name in self._names
        if not is_ours:
            return 400, f"the host {host!r} is not this server; open the page by its address"
        origin = headers.get("origin")
        if (origin and urlsplit(origin).netloc != host) or headers.get("sec-fetch-site") == "cross-site":
            return 403, "requests from other sites are refused"
        return None

    async def _read(self, headers: Mapping[str, str], receive: Receive) -> tuple[Refusal | None, Receive]:
        """Read the body: a refusal or None, and a ``receive`` that replays it."""
        size, body, more = int(headers.get("content-length") or 0), bytearray(), True
        while more and max(size, len(body)) <= LARGEST_REQUEST:
            message = await receive()
            body += message.get("body", b"")
            more = bool(message.get("more_body"))
        if max(size, len(body)) > LARGEST_REQUEST:
            return (413, f"a request can have at most {LARGEST_REQUEST:,} bytes"), receive
        files = len(_FILE.findall(body))
        if files > MOST_FILES:
            return (413, f"a request can have at most {MOST_FILES} file, got {files}"), receive
        if files and _folder_size(self._folder) > MOST_KEPT:
            return (413, "the upload folder is full; try again in an hour"), receive
        messages = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        return None, replay


def _folder_size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # gradio removes old files
            total += path.stat().st_size
    return total

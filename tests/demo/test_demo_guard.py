"""What the guard in front of the demo's page lets through, and what is left of a killed demo."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from maskgen.demo import guard as demo_guard
from maskgen.demo.page import demo_folder


def test_no_more_is_kept_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_guard, "MOST_KEPT", 1000)
    (tmp_path / "kept.jpg").write_bytes(bytes(1001))
    sent = []

    async def receive():
        body = b'--x\r\nContent-Disposition: form-data; filename="a.jpg"\r\n\r\n'
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "headers": [(b"host", b"localhost:1")]}
    asyncio.run(demo_guard.Guard(None, "127.0.0.1", tmp_path)(scope, receive, send))
    assert sent[0]["status"] == 413 and b"try again" in sent[1]["body"]


@pytest.mark.parametrize(
    ("listening", "host", "taken"),
    [
        ("0.0.0.0", "192.168.1.7:7860", True),
        ("0.0.0.0", "evil.example", False),
        ("0.0.0.0", f"{socket.gethostname()}:7860", True),
        ("::1", "[::1]:7860", True),
        ("127.0.0.1", "192.168.1.7", False),
        ("127.0.0.1", "", False),
    ],
)
def test_hosts_that_are_this_program(listening, host, taken, tmp_path):
    guard = demo_guard.Guard(None, listening, tmp_path)
    assert (guard._refuse_sender({"host": host}) is None) == taken


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="what is left is found by Linux's process ids")
def test_what_a_killed_demo_left_goes_at_the_next_start(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left, other = tmp_path / "maskgen-demo-999999999-ab1_", tmp_path / "maskgen-demo-mine"
    alive = tmp_path / f"maskgen-demo-{os.getppid()}-cd"
    for folder in (left, other, alive):
        (folder / "deep").mkdir(parents=True)
    with demo_folder() as folder:
        assert set(tmp_path.iterdir()) == {folder, other, alive}
    assert set(tmp_path.iterdir()) == {other, alive}

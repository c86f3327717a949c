# SPDX-License-Identifier: BSD-3-Clause
"""The demo works for anybody, and leaves nothing behind however it ends."""

from __future__ import annotations

import os
import re
import signal
import tempfile
from pathlib import Path
from typing import Iterator, Optional

import pytest
from support import Registry, wait_until
from support.process import Process, ordinary_user

STEPS = (
    "add-port p0", "vuser-client --path $DIR/p0.sock --ip 10.0.0.1/24 respond", "ping 10.0.0.1",
    "rtt min/avg/p50/p99", "0 lost, 0 duplicated, 0 reordered, 0 corrupted", "dynamic", "static",
    "RX FRAMES", "memory   256 MiB of ordinary pages", "All of it worked",
)


@pytest.fixture
def place(workdir: Path) -> Iterator[Path]:
    """Where the demo may put its directory; it must be empty again at the end."""
    with tempfile.TemporaryDirectory(prefix="vsw-") as path:
        os.chmod(path, 0o1777)
        yield Path(path)
        assert os.listdir(path) == []
        wait_until("its processes are gone", lambda: not left_over(Path(path)), 10.0)


def left_over(place: Path) -> list[str]:
    """Command lines of processes that still use the directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(place) in line:
            found.append(line)
    return found


def start(registry: Registry, place: Path, user: Optional[int] = None) -> Process:
    env = {
        "TMPDIR": str(place), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(place),
        "XDG_RUNTIME_DIR": "/nonexistent",
    }
    return registry.start("demo", ["/usr/bin/python3", "-m", "demo"], env, user)


@pytest.mark.parametrize("who", ["self", "ordinary"])
def test_every_step_works(registry: Registry, place: Path, who: str) -> None:
    demo = start(registry, place, ordinary_user() if who == "ordinary" else None)
    assert demo.wait(50.0) == 0, demo.report("failed")
    out = demo.out()
    for words in STEPS:
        assert words in out, (words, out)
    median = re.search(r"rtt min/avg/p50/p99/max/mdev = [\d.]+/[\d.]+/([\d.]+)/", out)
    assert median is not None and float(median[1]) < 1.0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["== A switch", "add-port p2", "respond &", "send --dst-mac"])
def test_interrupt_leaves_nothing(
    registry: Registry, place: Path, number: int, moment: str
) -> None:
    demo = start(registry, place)
    wait_until("it is there", lambda: moment in demo.out(), 30.0)
    assert demo.end(number) == 130, demo.report("should have been interrupted")
    assert "taking everything down" in demo.log()


def test_failure_shows_the_logs(registry: Registry, place: Path) -> None:
    """The switch is killed under it."""
    demo = start(registry, place)
    wait_until("the ping is on", lambda: "ping 10.0.0.1" in demo.out(), 30.0)
    (pid,) = [
        int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline")
        if is_switch(path, place)
    ]
    os.kill(pid, signal.SIGKILL)
    assert demo.wait(50.0) == 1
    assert "demo: " in demo.log() and "vswitchd: stderr" in demo.log()


def is_switch(path: Path, place: Path) -> bool:
    try:
        line = path.read_bytes()
        name = path.with_name("comm").read_text().strip()  # not the reaper's, which has the same line
    except OSError:  # it has ended
        return False
    return name == "vswitchd" and b"vswitchd\0" in line and str(place).encode() in line

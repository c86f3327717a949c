# SPDX-License-Identifier: BSD-3-Clause
"""`./dev demo kernel` works, touches nothing of the host's network, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

import pytest
from support import Registry, wait_until
from support.process import Process, as_user
from test_demo import left_over

STEPS = (
    "add-port host0 --type kernel --ifname vsw0 --ip 10.0.0.254/24",
    "10.0.0.254 > 10.0.0.10: ICMP echo request", "10.0.0.10 > 10.0.0.254: ICMP echo reply",
    "add-port blue0 --type kernel --ifname eth0 --netns blue", "iperf Done.",
    "vuser-client --path $DIR/p1.sock --ip 10.0.0.1/24 kernel --ifname app0 --fast-udp 7",
    "3 packets transmitted, 3 received", "\n   hello from the kernel behind app0\n",
    "\n   the fast path\n", "All of it worked",
)

OWN = ("vsw0", "app0", "blue", "app")


def network() -> set[str]:
    """Interfaces of the host, and names of namespaces, that are called as those of the demo."""
    names = set()
    for words in (("-brief", "link"), ("netns",)):
        done = subprocess.run(
            ["/usr/sbin/ip", *words], capture_output=True, text=True, timeout=20, check=True
        )
        names |= {line.split()[0] for line in done.stdout.splitlines() if line.strip()}
    return {name for name in names if name in OWN or name.startswith("vuc")}


@pytest.fixture
def place(workdir: Path) -> Iterator[Path]:
    """Where the demo may put its directory; all must be as before at the end."""
    before = network()
    with tempfile.TemporaryDirectory(prefix="vsw-") as path:
        yield Path(path)
        assert os.listdir(path) == []
        wait_until("its processes are gone", lambda: not left_over(Path(path)), 10.0)
    assert network() == before


def environment(place: Path) -> dict[str, str]:
    return {
        "TMPDIR": str(place), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(place),
    }


def start(registry: Registry, place: Path) -> Process:
    argv = ["/usr/bin/python3", "-m", "demo", "kernel"]
    return registry.start("demo", argv, environment(place))


def test_every_step_works(registry: Registry, place: Path) -> None:
    demo = start(registry, place)
    assert demo.wait(50.0) == 0, demo.report("failed")
    out = demo.out()
    for words in STEPS:
        assert words in out, (words, out)
    # Newer releases of socat send an empty datagram behind the words.
    assert re.search(r"fast path: [12] frames, ", out), out


@pytest.mark.parametrize("moment", ["add-port host0", "iperf3 -c", "socat -t 2"])
def test_interrupt_leaves_nothing(registry: Registry, place: Path, moment: str) -> None:
    demo = start(registry, place)
    wait_until("it is there", lambda: moment in demo.out(), 30.0)
    assert demo.end(signal.SIGINT) == 130, demo.report("should have been interrupted")


def test_says_what_it_needs(workdir: Path) -> None:
    argv = [*as_user(65534), "/usr/bin/python3", "-m", "demo", "kernel"]
    done = subprocess.run(
        argv, env={**os.environ, **environment(workdir)}, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 1
    assert "needs root" in done.stderr and "sudo ./dev demo kernel" in done.stderr


def test_wrong_word(workdir: Path) -> None:
    argv = ["/usr/bin/python3", "-m", "demo", "kernle"]
    done = subprocess.run(
        argv, env={**os.environ, **environment(workdir)}, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 2 and "kernle" in done.stderr and "[kernel]" in done.stderr

# SPDX-License-Identifier: BSD-3-Clause
"""vuser-client as a person meets it: words, statuses, and how each run ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from shell import Shell
from support import Registry, Switch, VuserClient, wait_until
from support.fixture_types import MakeStation
from support.process import as_user, binary, ordinary_user

OK, FAILED, USAGE, NO_SOCKET, NO_PERMISSION, REFUSED, GONE, NOBODY = range(8)
INTERRUPTED = 9
PEER = "02:00:00:00:00:ee"

ROLES: dict[str, list[str]] = {
    "respond": ["respond", "--ip", "10.0.0.1/24"],
    "ping": ["ping", "10.0.0.9", "--ip", "10.0.0.2/24", "--interval", "0.05"],
    "send": ["send", "--rate", "1k"],
    "receive": ["receive"],
    "echo": ["echo"],
}


def start(registry: Registry, path: Path, role: str, *more: str) -> VuserClient:
    return VuserClient(registry, path, *ROLES[role], *more)


@pytest.mark.parametrize("role", ROLES)
def test_backend_that_dies(switch: Switch, registry: Registry, role: str) -> None:
    """It says so, gives its report, and leaves with a status of its own."""
    switch.add_port("a")
    client = start(registry, switch.path("a"), role).wait_ready()
    switch.wait_state("a", "up")
    switch.kill()
    report = client.result(status=GONE)
    assert report["role"] == role
    assert "switch" in client.process.log() or "backend" in client.process.log()


@pytest.mark.parametrize("role", ROLES)
def test_port_that_is_deleted(switch: Switch, registry: Registry, role: str) -> None:
    switch.conserves = False
    switch.add_port("a")
    client = start(registry, switch.path("a"), role).wait_ready()
    switch.wait_state("a", "up")
    switch.call("port.delete", name="a")
    client.result(status=GONE)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("role", ROLES)
def test_signal_ends_a_run_with_its_report(
    switch: Switch, registry: Registry, role: str, number: int
) -> None:
    switch.add_port("a")
    client = start(registry, switch.path("a"), role).wait_ready()
    status = client.process.end(number)
    report = client.result(status=status)
    assert report["role"] == role
    assert report["ended_by"] == "signal"
    assert report["status"] == status
    assert status in (OK, FAILED)
    switch.wait_state("a", "waiting")


def ends(registry: Registry, path: Path, status: int, *words: str, arguments: str = "echo") -> None:
    client = VuserClient(registry, path, *arguments.split())
    assert client.process.wait(20.0) == status, client.process.report("left otherwise")
    for word in words:
        assert re.search(word, client.process.log()), (word, client.process.log())
    client.process.check_sanitizers()


def test_no_socket(registry: Registry, workdir: Path) -> None:
    path = workdir / "none.sock"
    ends(registry, path, NO_SOCKET, str(path))
    plain = workdir / "plain"
    plain.write_text("x")
    ends(registry, plain, NO_SOCKET, str(plain))


def test_socket_that_nobody_serves(registry: Registry, workdir: Path) -> None:
    path = workdir / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    ends(registry, path, NOBODY, str(path))


def test_no_permission(switch: Switch, registry: Registry) -> None:
    switch.add_port("a", mode="0000")
    argv = [str(binary("client/vuser-client")), "--path", str(switch.path("a")), "echo"]
    done = subprocess.run(
        [*as_user(ordinary_user()), *argv], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == NO_PERMISSION, done.stderr
    assert str(switch.path("a")) in done.stderr


def test_port_that_is_taken(switch: Switch, station: MakeStation, registry: Registry) -> None:
    """The switch turns a second frontend away; it is told so."""
    station(switch, "a")
    client = VuserClient(registry, switch.path("a"), "echo")
    assert client.process.wait(20.0) in (REFUSED, GONE)
    log = client.process.log()
    assert str(switch.path("a")) in log
    assert foreign_lines(log) == []
    assert client.process.status == GONE or "vswitchctl show-port" in log
    assert switch.port("a")["state"] == "up"


def foreign_lines(log: str) -> list[str]:
    """Lines that are not the program's own: DPDK's."""
    return [line for line in log.splitlines() if not line.startswith(("vuser-client: ", "ready:"))]


def test_backend_that_does_not_answer(registry: Registry, workdir: Path) -> None:
    """One sentence: it is the client that gives up. DPDK's words come with --verbose only."""
    paths = [workdir / "plain.sock", workdir / "verbose.sock"]
    with ExitStack() as stack:
        for path in paths:
            silent = stack.enter_context(socket.socket(socket.AF_UNIX))
            silent.bind(str(path))
            silent.listen(8)
        plain = VuserClient(registry, paths[0], "echo")
        verbose = VuserClient(registry, paths[1], "echo", verbose=True)
        for client, path in zip((plain, verbose), paths):
            report = client.result(timeout=40, status=REFUSED)
            assert re.search(f"gave up after .* {path} did not finish", report["error"])
            assert "vswitchctl" not in report["error"]  # which is not for other backends
    assert foreign_lines(plain.process.log()) == []
    assert foreign_lines(verbose.process.log())


@pytest.mark.parametrize("arguments, word", [
    ("ecko", "echo"), ("", "role"), ("ping", "ADDR|address"), ("ping 10.0.0.300", "10.0.0.300"),
    ("echo --sise 9", "--size"), ("send --rate fast", "rate"), ("send --size 1", "size"),
    ("respond", "--ip"), ("echo --queue-size 100", "power of two"), ("echo --mac 1:2", "mac"),
    ("receive --flows 3", "send"), ("echo extra", "extra"),
])
def test_wrong_usage(registry: Registry, workdir: Path, arguments: str, word: str) -> None:
    argv = [str(binary("client/vuser-client")), "--path", str(workdir / "x"), *arguments.split()]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    assert done.returncode == USAGE, done.stderr
    assert re.search(word, done.stderr), done.stderr


def test_ping_outside_of_its_network_says_so(switch: Switch, registry: Registry) -> None:
    switch.add_port("a")
    client = VuserClient(registry, switch.path("a"), "ping", "10.0.1.9", ip="10.0.0.2/24", count=1,
                         timeout=0.1)
    client.result(status=FAILED)
    assert "10.0.1.9 is outside of 10.0.0.2/24" in client.process.log()


def test_waits_for_its_socket(switch: Switch, registry: Registry) -> None:
    client = VuserClient(registry, switch.path("later"), "echo", wait=20)
    assert client.process.status is None
    switch.add_port("later")
    client.wait_ready()
    client.stop()


def test_waits_no_longer_than_it_should(registry: Registry, workdir: Path) -> None:
    ends(registry, workdir / "none.sock", NO_SOCKET, arguments="echo --wait 0.2")


def test_served_socket_that_nobody_connects_to(registry: Registry, workdir: Path) -> None:
    path = workdir / "served.sock"
    ends(registry, path, NOBODY, str(path), arguments="echo --server --wait 0.3")
    assert not path.exists()


def test_interrupted_before_it_is_ready(registry: Registry, workdir: Path) -> None:
    client = VuserClient(registry, workdir / "served.sock", "echo", server=True)
    wait_until("it serves", lambda: (workdir / "served.sock").exists(), 20.0)
    assert client.process.end(signal.SIGINT) == INTERRUPTED


def test_several_side_by_side(switch: Switch, registry: Registry) -> None:
    """Each has a prefix of its own; none leaves a file."""
    before = set(os.listdir(registry.directory))
    clients = []
    for number in range(4):
        switch.add_port(f"p{number}")
        clients.append(VuserClient(registry, switch.path(f"p{number}"), "receive", time=30))
    for client in clients:
        client.wait_ready()
    for client in clients:
        client.process.end(signal.SIGINT)
    left = {name for name in set(os.listdir(registry.directory)) - before if "vuser" not in name}
    assert left == set()


def test_waiting_roles_sleep(switch: Switch, registry: Registry) -> None:
    clients = []
    for role in ("respond", "receive", "echo"):
        switch.add_port(role)
        clients.append(start(registry, switch.path(role), role).wait_ready())

    def used() -> int:
        total = 0
        for client in clients:
            fields = Path(f"/proc/{client.process.pid}/stat").read_text().split()
            total += int(fields[13]) + int(fields[14])
        return total

    before, end = used(), time.monotonic() + 2.0
    wait_until("the window is over", lambda: time.monotonic() > end)
    assert used() - before <= 10  # of 600 ticks


LIVE = "\x1b[K"  # how the line of a run's progress ends


@pytest.mark.timeout(180)
def test_live_line_only_in_the_foreground(switch: Switch, workdir: Path) -> None:
    """A job in the background leaves the prompt alone, and says its line when it is fetched."""
    switch.add_port("a")
    terminal, job = Shell(workdir, **os.environ), 0
    try:
        program, path = binary("client/vuser-client"), switch.path("a")
        terminal.type(f"{program} --path {path} echo & echo pid=$!.\n")
        told = wait_until("the pid", lambda: re.search(r"pid=(\d+)\.", terminal.read()), 30.0)
        job = int(told[1])
        switch.wait_state("a", "up", 30.0)
        seconds = time.monotonic()
        wait_until("a line would be due", lambda: time.monotonic() > seconds + 1.5)
        assert LIVE not in terminal.read()
        terminal.type("fg\n")
        terminal.wait(LIVE, 30.0)
        terminal.type("\x03")
        terminal.wait("not sent", 30.0)
        job = 0
    finally:
        if job != 0:
            os.kill(job, signal.SIGKILL)
        terminal.close()

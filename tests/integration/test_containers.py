# SPDX-License-Identifier: BSD-3-Clause
"""DPDK applications in containers, each with only the directory of its own socket.

What docs/containers.md shows, by podman: as an ordinary user, and, where root runs the tests, as
root too, with an unprivileged user inside.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Iterator

import pytest
from support import Process, Registry, Switch, wait_until
from support.container import FIND_SOCKETS, PORT_DIRECTORY, Podman
from support.fixture_types import MakeSwitch
from support.process import give_away, ordinary_user

CLIENT = ("/usr/bin/vuser-client", "--path", f"{PORT_DIRECTORY}/port.sock", "--json")
PODMAN = Path("/usr/bin/podman")
TENANTS = {"a": 2001, "b": 2002, "c": 2003}
MODES = ("rootless", "root") if os.geteuid() == 0 else ("rootless",)


class Tenants:
    """Each has a directory, a port whose socket lies there, and one container at a time."""

    def __init__(self, podman: Podman, directory: Path) -> None:
        self.podman = podman
        self.directory = directory
        for name in TENANTS:
            self.folder(name).mkdir(parents=True)

    def folder(self, name: str) -> Path:
        return self.directory / name

    def socket(self, name: str) -> Path:
        return self.folder(name) / "port.sock"

    def user(self, name: str) -> int:
        """Whom the container's process is on the host; without rights in both modes."""
        if not self.podman.rootless:
            return TENANTS[name]
        return os.geteuid() if self.podman.user is None else self.podman.user

    def add_port(self, switch: Switch, name: str) -> None:
        options = {} if os.geteuid() != 0 else {"owner": str(self.user(name))}
        switch.add_port(name, socket=str(self.socket(name)), **options)

    def start(self, name: str, *argv: str, writable: bool = False) -> Process:
        """A container; with root's podman its user is the tenant's."""
        user = self.user(name)
        as_tenant = [] if self.podman.rootless else [f"--user={user}:{user}"]
        return self.podman.start(name, self.folder(name), argv, *as_tenant, writable=writable)

    def client(self, name: str, *arguments: str, writable: bool = False) -> Process:
        process = self.start(name, *CLIENT, *arguments, writable=writable)
        process.wait_log("ready:", 30.0)
        return process


@pytest.fixture(params=MODES)
def tenants(
    request: pytest.FixtureRequest, make_switch: MakeSwitch, registry: Registry, workdir: Path
) -> Iterator[Tenants]:
    assert PODMAN.exists(), (
        "containers cannot be tried: podman is not installed; `./dev setup` installs it"
    )
    user = None if request.param == "root" else ordinary_user()
    podman = Podman(registry, workdir / "podman", user)
    yield Tenants(podman, workdir / "tenants")
    podman.close()


def report(process: Process, status: int = 0) -> dict[str, Any]:
    assert process.wait(30.0) == status, process.report(f"left with another status than {status}")
    result: dict[str, Any] = json.loads(process.out())
    return result


def answers_grow(switch: Switch, port: str, count: int = 20) -> None:
    def reached() -> bool:
        return bool(switch.stats(port)["tx_frames"] >= wanted)

    wanted = switch.stats(port)["tx_frames"] + count
    wait_until(f"{port} gets {count} frames more", reached, 20.0)


def ping(tenants: Tenants, name: str, target: str, count: int = 5) -> None:
    pinger = tenants.client(
        name, "--ip", "10.0.0.9/24", "ping", target, "-c", str(count), "--interval", "0.02"
    )
    result = report(pinger)
    assert (result["sent"], result["received"], result["damaged"]) == (count, count, 0)


def test_two_containers_ping(tenants: Tenants, switch: Switch) -> None:
    for name in ("a", "b"):
        tenants.add_port(switch, name)
    tenants.client("a", "--ip", "10.0.0.1/24", "respond")
    assert switch.wait_state("a", "up")["peer"]["uid"] == tenants.user("a")
    ping(tenants, "b", "10.0.0.1")
    assert switch.conservation()["dropped"] == 0


def test_container_sees_only_its_own_socket(tenants: Tenants, switch: Switch) -> None:
    for name in ("a", "b"):
        tenants.add_port(switch, name)
    assert tenants.socket("b").is_socket() and switch.control.is_socket()
    finder = tenants.start("a", *FIND_SOCKETS)
    finder.wait(30.0)
    assert finder.out().split() == [f"{PORT_DIRECTORY}/port.sock"], finder.report("sees others")


def test_killed_container_harms_nobody_and_may_come_again(
    tenants: Tenants, switch: Switch
) -> None:
    for name in TENANTS:
        tenants.add_port(switch, name)
    tenants.client("a", "--ip", "10.0.0.1/24", "respond")
    tenants.client("b", "--ip", "10.0.0.2/24", "respond")
    pinger = tenants.client(
        "c", "--ip", "10.0.0.3/24", "ping", "10.0.0.2", "-c", "100000", "--interval", "0.01"
    )
    answers_grow(switch, "c")
    tenants.podman.kill("a")
    switch.wait_state("a", "waiting")
    answers_grow(switch, "c")
    tenants.client("a", "--ip", "10.0.0.1/24", "respond")
    switch.wait_state("a", "up")
    tenants.podman.interrupt("c")
    result = report(pinger)
    assert result["sent"] >= 40
    assert result["sent"] - result["received"] <= 1  # the last may be under way
    assert switch.port("b")["fault"] is switch.port("c")["fault"] is None
    ping(tenants, "c", "10.0.0.1")


def test_container_that_serves_outlives_the_switch(
    tenants: Tenants, make_switch: MakeSwitch, workdir: Path
) -> None:
    give_away(tenants.folder("a"), tenants.user("a") if os.geteuid() == 0 else None)
    ports = [{"name": "a", "connect": str(tenants.socket("a"))}]
    config = {"version": 1, "ports": ports}
    switch = make_switch(config=config, directory=workdir / "s")
    tenants.client("a", "--server", "--ip", "10.0.0.1/24", "respond", writable=True)
    for life in range(2):
        switch.wait_state("a", "up", 20.0)
        tenants.add_port(switch, "b")
        ping(tenants, "b", "10.0.0.1")
        if life == 0:
            switch.kill()
            switch = make_switch(config=config, directory=workdir / "s")


def test_aborted_in_a_container(tenants: Tenants, switch: Switch) -> None:
    """Process 1 has no default action for SIGABRT: without words it would end like a crash."""
    tenants.add_port(switch, "a")
    client = tenants.client("a", "--ip", "10.0.0.1/24", "respond")
    tenants.podman.call("kill", "--signal=ABRT", "a")
    client.wait_log("vuser-client: aborted")
    switch.wait_state("a", "waiting")

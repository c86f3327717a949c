# SPDX-License-Identifier: BSD-3-Clause
"""Programs that are started without standard descriptors (`>&-`), as some service managers do."""

from __future__ import annotations

import os
import signal
from itertools import combinations
from typing import Sequence

import pytest
from support import Registry, Switch, VuserClient, wait_until
from support.fixture_types import MakeSwitch
from support.process import Process, binary

MISSING = [fds for count in (1, 2, 3) for fds in combinations(range(3), count)]


def without(fds: Sequence[int]) -> list[str]:
    """What to put before a command so that it starts with these descriptors closed."""
    return ["/bin/sh", "-c", 'exec "$0" "$@" ' + " ".join(f"{fd}>&-" for fd in fds)]


def what_is(process: Process, fd: int) -> str:
    return os.readlink(f"/proc/{process.pid}/fd/{fd}")


@pytest.mark.parametrize("fds", MISSING, ids=str)
def test_switch(make_switch: MakeSwitch, fds: Sequence[int]) -> None:
    switch = make_switch(wrapper=without(fds))
    for fd in fds:
        assert what_is(switch.process, fd) == "/dev/null"
    switch.add_port("a")
    assert [port["name"] for port in switch.call("port.list")] == ["a"]


@pytest.mark.parametrize("fds", MISSING, ids=str)
def test_control(switch: Switch, registry: Registry, fds: Sequence[int]) -> None:
    """Its first descriptor is a connection to the switch, which must get requests and no answer."""
    switch.add_port("a")
    argv = [*without(fds), str(binary("ctl/vswitchctl")), "--control", str(switch.control)]
    follower = registry.start("monitor", [*argv, "monitor"])
    wait_until("it follows", lambda: follower.holds_back(signal.SIGTERM))
    for fd in fds:
        assert what_is(follower, fd) == "/dev/null"
    assert registry.start("list", [*argv, "list-ports"]).wait() == 0
    refused = registry.start("show", [*argv, "show-port", "none"])
    assert refused.wait() == 1
    assert ("none" in refused.log()) == (2 not in fds)
    assert follower.end() == 0
    assert "client" not in switch.process.log()


def answers(switch: Switch, registry: Registry) -> bool:
    ping = VuserClient(
        registry, switch.path("b"), "ping", "10.0.0.1", ip="10.0.0.2/24", count=1
    )
    return ping.process.wait() == 0


@pytest.mark.parametrize("fds", MISSING, ids=str)
def test_client(switch: Switch, registry: Registry, fds: Sequence[int]) -> None:
    for port in ("a", "b"):
        switch.add_port(port)
    argv = [
        str(binary("client/vuser-client")), "--path", str(switch.path("a")), "--json",
        "--ip", "10.0.0.1/24", "respond",
    ]
    env = {"XDG_RUNTIME_DIR": str(registry.directory)}
    client = registry.start("respond", [*without(fds), *argv], env)
    wait_until("it answers", lambda: answers(switch, registry), 30.0)
    for fd in fds:
        assert what_is(client, fd) == "/dev/null"
    assert client.end(signal.SIGINT) == 0
    assert ('"role"' in client.out()) == (1 not in fds)


def test_nothing_to_open(make_switch: MakeSwitch, registry: Registry) -> None:
    """Where there is no /dev/null the places are taken all the same."""
    hidden = [
        "/usr/bin/unshare", "--map-root-user", "--mount", "/bin/sh", "-c",
        'mount -t tmpfs none /dev && exec "$0" "$@" 0>&- 1>&- 2>&-',
    ]
    switch = make_switch(wrapper=hidden)
    for fd in range(3):
        assert what_is(switch.process, fd) == "/"

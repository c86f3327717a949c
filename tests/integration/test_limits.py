# SPDX-License-Identifier: BSD-3-Clause
"""The bounds of the whole switch: descriptors, sessions, workers. What is over them is told why."""

from __future__ import annotations

import os
import resource
from itertools import combinations
from pathlib import Path
from typing import Iterator

import pytest
from support import RawFrontend, Setup, Switch, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from support.frames import mac_text
from support.memory import MIB, RegionSpec
from support.messages import Disconnected
from support.station import introduce
from traffic import PairTraffic
from vswitch import RpcError

SMALL = Setup(ring_size=64, regions=(RegionSpec(MIB),), rx_fill=4, with_call=False)


@pytest.fixture
def many_files() -> Iterator[int]:
    """Raises this process's own limit on descriptors as far as it goes; that limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_soft_limit_is_raised_as_far_as_it_goes(make_switch: MakeSwitch) -> None:
    switch = make_switch(wrapper=["/usr/bin/prlimit", "--nofile=64:512"])
    limits = Path(f"/proc/{switch.pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max open files")]
    assert line.split()[3:5] == ["512", "512"]


def test_port_over_the_limit_of_descriptors(
    make_switch: MakeSwitch, station: MakeStation
) -> None:
    """It is refused with the reason; the others go on, and a deleted port makes room."""
    switch = make_switch(wrapper=["/usr/bin/prlimit", "--nofile=600:600"])
    pair = station(switch, "x"), station(switch, "y")
    introduce(pair)
    with pytest.raises(RpcError) as caught:
        for number in range(200):
            switch.add_port(f"p{number}")
    assert "RLIMIT_NOFILE" in caught.value.message and "600" in caught.value.message
    assert "raise the limit" in caught.value.message
    names = [port["name"] for port in switch.call("port.list")]
    assert f"p{len(names) - 2}" in caught.value.message
    switch.conserves = False
    switch.call("port.delete", name="p0")
    switch.add_port("again")
    pair[1].expect(pair[0].send(pair[1]))


def test_session_over_the_limit_of_descriptors(
    make_switch: MakeSwitch, station: MakeStation
) -> None:
    switch = make_switch(wrapper=["/usr/bin/prlimit", "--nofile=600:600"])
    pair = station(switch, "x"), station(switch, "y")
    introduce(pair)
    refused = attach_until_refused(switch, 100, [])
    assert "RLIMIT_NOFILE" in refused
    pair[1].expect(pair[0].send(pair[1]))


@pytest.mark.timeout(240)
def test_a_thousand_sessions(make_switch: MakeSwitch, many_files: int) -> None:
    """So many are served; the next one is refused, and served when another has left."""
    switch = make_switch(memory=256)
    frontends: list[RawFrontend] = []
    try:
        refused = attach_until_refused(switch, 1001, frontends)
        status = switch.call("switch.status")
        if many_files >= 20000:
            assert len(frontends) == status["sessions"] == status["sessions_max"] == 1000
            assert "1000 frontends" in refused
        else:
            assert "RLIMIT_NOFILE" in refused
        name = f"p{len(frontends)}"
        frontends.pop().close()
        switch.wait_state(f"p{len(frontends)}", "waiting")
        wait_until("there is room", lambda: fits(switch, name))
    finally:
        for frontend in frontends:
            frontend.close()


def test_table_full_of_static_entries(switch: Switch) -> None:
    """The next one is refused, which changes nothing, and a deleted one makes room."""
    switch.add_port("a")
    most = switch.call("switch.status")["fdb"]["max"]
    for first in range(0, most, 1000):
        entries = [{"mac": mac_text(number), "port": "a"}
                   for number in range(first, min(first + 1000, most))]
        for answer in switch.client.batch([("fdb.add", entry) for entry in entries]):
            assert answer["type"] == "static"
    with pytest.raises(RpcError) as caught:
        switch.call("fdb.add", mac=mac_text(most), port="a")
    assert f"full of static entries ({most})" in caught.value.message
    assert "delete" in caught.value.message
    assert switch.call("switch.status")["fdb"]["static"] == most
    assert switch.call("fdb.delete", mac=mac_text(0)) == {"deleted": 1}
    assert switch.call("fdb.add", mac=mac_text(most), port="a")["mac"] == mac_text(most)


def attach_until_refused(switch: Switch, most: int, frontends: list[RawFrontend]) -> str:
    """Ports p0, p1, ... with a frontend each; returns why the last of them got none."""
    for number in range(most):
        name = f"p{number}"
        try:
            switch.add_port(name)
        except RpcError as error:
            return error.message
        frontend = RawFrontend(switch.path(name), SMALL)
        try:
            frontend.handshake()
        except Disconnected:
            frontend.close()
            text: str = switch.wait_state(name, "fault")["fault"]["text"]
            return text
        frontends.append(frontend)
    raise AssertionError(f"{most} sessions and none was refused")


def fits(switch: Switch, name: str) -> bool:
    """Whether a frontend is served on a port."""
    with RawFrontend(switch.path(name), SMALL) as frontend:
        try:
            frontend.handshake()
        except Disconnected:
            return False
        switch.wait_state(name, "up")
        return True


@pytest.mark.parametrize("arguments", [
    ["--workers", "2"], ["--workers", "3", "--poll", "always"], ["--cpus", str(min(os.sched_getaffinity(0)))],
], ids=" ".join)
def test_workers_share_the_ports(
    make_switch: MakeSwitch, station: MakeStation, arguments: list[str]
) -> None:
    """Several workers place frames into one ring, and move a port's stations between them."""
    switch = make_switch(*arguments)
    stations = [station(switch, port) for port in ("a", "b", "c", "d")]
    introduce(stations)
    workers = switch.call("switch.status")["workers"]
    assert len(workers) == (1 if arguments[0] == "--cpus" else int(arguments[1]))
    assert sum(worker["ports"] for worker in workers) == 4
    assert all(worker["ports"] >= 1 for worker in workers)
    for a, b in combinations(stations, 2):
        with PairTraffic(a, b) as traffic:
            wait_until("frames pass", lambda: traffic.check() >= 640)
    assert switch.conservation()["dropped"] == 0

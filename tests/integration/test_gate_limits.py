# SPDX-License-Identifier: BSD-3-Clause
"""The gate where something runs out: closable descriptors, memory, the system's limits."""

from __future__ import annotations

import os
import resource
from contextlib import ExitStack, contextmanager
from typing import Any, Iterator

import pytest
from hostile import Bystanders, carry_on, heals, raw
from support import RawFrontend, Setup, Switch
from support.fixture_types import MakeSwitch
from support.memory import MIB, RegionSpec
from support.messages import Refused, Request, TableEntry, mem_table, message, u64, vring_state

SMALL = Setup(ring_size=64, regions=(RegionSpec(MIB),), rx_fill=4)


def test_memory_that_cannot_be_mapped(switch: Switch, bystanders: Bystanders) -> None:
    """A file of huge pages that the system does not have: refused in words, and no signal later."""
    size = 1 << 40
    fd = os.memfd_create("huge", os.MFD_HUGETLB)
    os.ftruncate(fd, size)
    table = mem_table([TableEntry(0, size, 0x7000_0000_0000, 0)])
    with RawFrontend(switch.path("v")) as frontend:
        frontend.negotiate()
        with pytest.raises(Refused):
            frontend.request(Request.SET_MEM_TABLE, table, [fd], need_reply=True)
        assert "region 0 cannot be mapped" in switch.port("v")["state_text"]
        frontend.request(Request.SET_MEM_TABLE, table, [fd], need_reply=False)
        frontend.wait_closed()
    os.close(fd)
    assert "region 0 cannot be mapped" in switch.wait_state("v", "fault")["fault"]["text"]
    carry_on(bystanders)
    heals(switch, bystanders)


def test_library_without_memory_for_a_ring(make_switch: MakeSwitch) -> None:
    """The largest rings until the switch's memory is used up: a no that a smaller ring heals."""
    switch = make_switch()
    with ExitStack() as sessions:
        refused = fill_with_rings(switch, sessions)
        number = int(refused["name"][1:])
        assert number > 5
        assert f"no memory for {1 << 15} entries" in refused["state_text"]
        assert "--memory" in refused["state_text"]
        assert "refused" in switch.process.log()
        switch.add_port("last")
        with RawFrontend(switch.path("last"), SMALL) as last:
            last.negotiate()
            last.share_memory()
            last.send_raw(message(Request.SET_VRING_NUM, vring_state(0, 1 << 15)))
            last.wait_closed()
        fault = switch.wait_state("last", "fault")["fault"]["text"]
        assert "ring 0: the switch has no memory" in fault and "smaller ring" in fault
    with RawFrontend(switch.path("last"), SMALL) as last:
        last.handshake()
        switch.wait_state("last", "up")


def fill_with_rings(switch: Switch, sessions: ExitStack) -> dict[str, Any]:
    """Sessions with rings of the greatest size; the port whose frontend is told no."""
    for number in range(200):
        name = f"p{number}"
        switch.add_port(name)
        frontend = sessions.enter_context(RawFrontend(switch.path(name), SMALL))
        frontend.negotiate()
        frontend.share_memory()
        for index in (0, 1):
            try:
                frontend.request(
                    Request.SET_VRING_NUM, vring_state(index, 1 << 15), need_reply=True
                )
            except Refused:
                port = switch.port(name)
                frontend.set_vring_num(index, 64)
                assert frontend.get_features(), "the session goes on"
                return port
    raise AssertionError("400 rings and none was refused")


@contextmanager
def descriptors_limited(switch: Switch, limit: int) -> Iterator[None]:
    soft, hard = resource.prlimit(switch.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(switch.pid, resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield
    finally:
        resource.prlimit(switch.pid, resource.RLIMIT_NOFILE, (soft, hard))


def test_session_over_the_limit_brings_no_rest(switch: Switch, bystanders: Bystanders) -> None:
    """It is not the port's fault: as soon as there is room the next frontend is served at once."""
    with descriptors_limited(switch, 150):
        for _ in range(6):
            with RawFrontend(switch.path("v")) as frontend:
                frontend.wait_closed()
            fault = switch.wait_state("v", "fault")
            assert "raise the limit" in fault["state_text"]
            assert "admitted in" not in fault["state_text"]
    heals(switch, bystanders)


def test_message_over_the_limit_of_descriptors(switch: Switch, bystanders: Bystanders) -> None:
    """What it brings is reckoned before it is looked at; the fault says which limit to raise."""
    with RawFrontend(switch.path("v")) as frontend:
        frontend.handshake()
        switch.wait_state("v", "up")
        with descriptors_limited(switch, 150):
            raw(Request.SET_VRING_CALL, u64(0), fds=1)(frontend)
            frontend.wait_closed()
            fault = switch.wait_state("v", "fault")["fault"]["text"]
    assert "150 descriptors (RLIMIT_NOFILE)" in fault and "raise the limit" in fault
    heals(switch, bystanders)

# SPDX-License-Identifier: BSD-3-Clause
"""The gate where something runs out: closable descriptors, memory, the system's limits."""

from __future__ import annotations

import os
import resource
import socket
import struct
from contextlib import ExitStack, contextmanager
from typing import Any, Iterator

import pytest
from hostile import Bystanders, carry_on, heals, is_free, raw
from vswitch import RawFrontend, Setup, Switch, wait_until
from vswitch.fixture_types import MakeSwitch
from vswitch.memory import MIB, RegionSpec
from vswitch.messages import (
    NEED_REPLY, VERSION, Disconnected, Refused, Request, TableEntry, mem_table, message, u64,
    vring_state,
)

UNCLOSED_MAX = 32
LINGER_S = 50
SMALL = Setup(ring_size=64, regions=(RegionSpec(MIB),), rx_fill=4)


class SlowToClose:
    """TCP sockets of this machine whose last close() lasts: they linger over what nobody reads."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self._peers: list[socket.socket] = []

    def make(self) -> socket.socket:
        near = socket.create_connection(self._listener.getsockname())
        self._peers.append(self._listener.accept()[0])
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LINGER_S))
        near.setblocking(False)
        try:
            while near.send(bytes(1 << 16)):
                pass
        except BlockingIOError:
            pass
        return near

    def give(self, frontend: RawFrontend, data: bytes, count: int) -> None:
        """Sends a message with so many of them, of which the switch then has the last copies.

        It cannot be done with the message before its last byte, which comes when ours are closed.
        """
        with ExitStack() as ours:
            made = [ours.enter_context(self.make()) for _ in range(count)]
            frontend.send_raw(data[:1], [one.fileno() for one in made])
        frontend.send_raw(data[1:])

    def let_go(self) -> None:
        """Now each of them can be closed."""
        for peer in self._peers:
            peer.close()
        self._peers.clear()

    def close(self) -> None:
        self.let_go()
        self._listener.close()


@pytest.fixture
def slow_to_close() -> Iterator[SlowToClose]:
    sockets = SlowToClose()
    yield sockets
    sockets.close()


def test_descriptors_that_do_not_close(
    switch: Switch, bystanders: Bystanders, slow_to_close: SlowToClose
) -> None:
    """One a session: the others go on, the port ends up refused, and heals when they are closed."""
    for _ in range(UNCLOSED_MAX + 1):
        with RawFrontend(switch.path("v"), SMALL) as frontend:
            slow_to_close.give(frontend, message(Request.SET_VRING_CALL, u64(0)), 1)
            frontend.wait_closed()
        wait_until("the port is free", lambda: is_free(switch))
    with RawFrontend(switch.path("v"), SMALL) as frontend:
        frontend.wait_closed()
    fault = switch.wait_state("v", "fault")["fault"]["text"]
    assert "cannot be closed" in fault and "earlier" in fault
    carry_on(bystanders)
    slow_to_close.let_go()
    wait_until("the port serves again", lambda: is_served(switch), 20.0)
    heals(switch, bystanders)


def is_served(switch: Switch) -> bool:
    wait_until("the port is free", lambda: is_free(switch))
    with RawFrontend(switch.path("v"), SMALL) as frontend:
        try:
            frontend.get_features()
        except Disconnected:
            return False
        return True


def test_session_that_brings_descriptors_that_do_not_close(
    switch: Switch, bystanders: Bystanders, slow_to_close: SlowToClose
) -> None:
    """Refused requests leave a session alive, but not for ever."""
    unserved = message(Request.GET_MAX_MEM_SLOTS, b"", VERSION | NEED_REPLY)
    with RawFrontend(switch.path("v"), SMALL) as frontend:
        for _ in range(UNCLOSED_MAX // 8 + 1):
            slow_to_close.give(frontend, unserved, 8)
            frontend.receive_reply(Request.GET_MAX_MEM_SLOTS)
        frontend.wait_closed()
    fault = switch.wait_state("v", "fault")["fault"]["text"]
    assert "descriptors that cannot be closed" in fault
    carry_on(bystanders)
    slow_to_close.let_go()
    wait_until("the port serves again", lambda: is_served(switch), 20.0)
    heals(switch, bystanders)


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

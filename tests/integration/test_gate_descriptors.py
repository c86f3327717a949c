# SPDX-License-Identifier: BSD-3-Clause
"""Descriptors that do not close, wherever strangers leave them: nobody waits but who gave them.

Each gift is a socket whose last close waits a minute. A fresh frontend on another port and the
control socket must be served meanwhile, in far less, and every gift must be closed at once.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional

import pytest
from hostile import (
    Bystanders, carry_on, heals, is_free, open_descriptors, paused, say_and_swallow,
)
from support import RawFrontend, Setup, Switch, wait_until
from support.memory import MIB, RegionSpec
from support.messages import (
    NEED_REPLY, VERSION, Channel, Disconnected, Request, TableEntry, mem_table, message, u64,
)
from unclosable import LINGER_S, Lingering, SilentFiles, give

SERVED_WITHIN_S = LINGER_S / 3
UNCLOSED_MAX = 32
SMALL = Setup(ring_size=64, regions=(RegionSpec(MIB),), rx_fill=4)
CALL = message(Request.SET_VRING_CALL, u64(0))


@contextmanager
def nobody_waits(
    switch: Switch, pair: Bystanders, lingering: Lingering, port: bool = True
) -> Iterator[None]:
    """What is done herein leaves gifts on the port `v` (`port`: which is there afterwards)."""
    switch.add_port("z", may_exist=True)
    wait_until("the port is free", lambda: is_free(switch))
    before = open_descriptors(switch)
    start = time.monotonic()
    yield
    with RawFrontend(switch.path("z"), SMALL) as other:
        other.handshake()
        switch.wait_state("z", "up")
    carry_on(pair)
    wait_until("all gifts are closed", lingering.all_closed, SERVED_WITHIN_S)
    assert time.monotonic() - start < SERVED_WITHIN_S
    wait_until(
        "no descriptor is lost", lambda: open_descriptors(switch) <= before + (0 if port else -1)
    )


@pytest.mark.parametrize("count, nested", [(9, False), (40, False), (9, True)])
def test_more_than_a_message_may_have(
    switch: Switch, bystanders: Bystanders, lingering: Lingering, count: int, nested: bool
) -> None:
    """What the kernel has no room for it would close within the switch's call."""
    make = lingering.make_nested if nested else lingering.make
    with nobody_waits(switch, bystanders, lingering):
        with RawFrontend(switch.path("v"), SMALL) as frontend:
            with paused(switch):
                give(frontend.socket, CALL, [make() for _ in range(count)])
            frontend.wait_closed()
            fault = switch.wait_state("v", "fault")["fault"]["text"]
            assert "more descriptors than the 8" in fault
    heals(switch, bystanders)


MEMORY = message(Request.SET_MEM_TABLE, mem_table([TableEntry(0, MIB, 1 << 32, 0)]))
IN_PLACE_OF = {
    "call": CALL,
    "kick": message(Request.SET_VRING_KICK, u64(0)),
    "err": message(Request.SET_VRING_ERR, u64(0)),
    "region": MEMORY,
    "nothing": message(Request.GET_FEATURES),
    "unserved": message(Request.GET_MAX_MEM_SLOTS, b"", VERSION | NEED_REPLY),
}


@pytest.mark.parametrize("data", IN_PLACE_OF.values(), ids=IN_PLACE_OF.keys())
def test_in_place_of_what_is_wanted(
    switch: Switch, bystanders: Bystanders, lingering: Lingering, data: bytes
) -> None:
    with nobody_waits(switch, bystanders, lingering):
        with RawFrontend(switch.path("v"), SMALL) as frontend:
            with paused(switch):
                give(frontend.socket, data, [lingering.make()])
    heals(switch, bystanders)


def test_unread_when_the_session_ends(
    switch: Switch, bystanders: Bystanders, lingering: Lingering
) -> None:
    """By a fault, and by the frontend's leaving with a message that is not whole."""
    with nobody_waits(switch, bystanders, lingering):
        with RawFrontend(switch.path("v"), SMALL) as frontend:
            with paused(switch):
                frontend.send_raw(message(Request.SET_LOG_FD))
                for _ in range(5):
                    give(frontend.socket, CALL, [lingering.make(), lingering.make_nested()])
            switch.wait_state("v", "fault")
        wait_until("the port is free", lambda: is_free(switch))
        with RawFrontend(switch.path("v"), SMALL) as frontend:
            give(frontend.socket, CALL[:5], [lingering.make()])


def test_unread_in_a_connection_that_is_turned_away(
    switch: Switch, bystanders: Bystanders, lingering: Lingering
) -> None:
    with nobody_waits(switch, bystanders, lingering):
        with RawFrontend(switch.path("v"), SMALL) as frontend:
            frontend.get_features()
            with paused(switch), Channel.connect(switch.path("v")) as second:
                give(second, CALL, [lingering.make(), lingering.make_nested()])
            wait_until("it was turned away", lambda: was_rejected(switch))


def was_rejected(switch: Switch) -> bool:
    return bool(switch.port("v")["rejected_connections"] == 1)


def come(switch: Switch) -> Optional[socket.socket]:
    try:
        return Channel.connect(switch.path("v"))
    except BlockingIOError:
        return None


def test_unread_in_the_backlog(
    switch: Switch, bystanders: Bystanders, lingering: Lingering
) -> None:
    """Accepting rests after 200 connections in a second; the port is deleted meanwhile."""
    with nobody_waits(switch, bystanders, lingering, port=False):
        for _ in range(200):
            wait_until("there is room in the queue", lambda: come(switch)).close()
        with wait_until("there is room in the queue", lambda: come(switch)) as waiting:
            give(waiting, CALL, [lingering.make(), lingering.make_nested()])
            delete_soon(switch)


def test_unread_where_a_frontend_waits(
    switch: Switch, bystanders: Bystanders, lingering: Lingering
) -> None:
    """Accepted, and not admitted before the port's rest is over."""
    with nobody_waits(switch, bystanders, lingering, port=False):
        for _ in range(5):
            fault(switch)
        with Channel.connect(switch.path("v")) as waiting:
            give(waiting, CALL, [lingering.make(), lingering.make_nested()])
            delete_soon(switch)


def test_unread_when_the_port_is_deleted(
    switch: Switch, bystanders: Bystanders, lingering: Lingering
) -> None:
    with nobody_waits(switch, bystanders, lingering, port=False):
        with RawFrontend(switch.path("v"), SMALL) as frontend:
            frontend.handshake()
            switch.wait_state("v", "up")
            with paused(switch):
                frontend.send_raw(message(Request.GET_FEATURES) * 20)
                for _ in range(20):
                    give(frontend.socket, message(Request.SET_VRING_ERR, u64(0)), [lingering.make()])
            delete_soon(switch)


def test_sent_by_who_serves_the_socket(
    switch: Switch, bystanders: Bystanders, lingering: Lingering, workdir: Path
) -> None:
    """Where the switch connects, and where it looks whether its path is taken."""
    path = workdir / "theirs.sock"
    with Channel.listen(path) as listener, nobody_waits(switch, bystanders, lingering):
        switch.add_port("out", connect=str(path))
        with RawFrontend.accept(listener, SMALL) as frontend:
            with paused(switch):
                give(frontend.socket, CALL, [lingering.make() for _ in range(9)])
            frontend.wait_closed()
        switch.call("port.delete", name="out")


def delete_soon(switch: Switch) -> None:
    switch.conserves = False
    start = time.monotonic()
    switch.call("port.delete", name="v")
    assert time.monotonic() - start < SERVED_WITHIN_S


def fault(switch: Switch) -> None:
    """One more session of the port `v` ends in fault."""
    before = switch.port("v")["fault"]
    with RawFrontend(switch.path("v"), SMALL) as frontend:
        say_and_swallow(frontend, lambda f: f.send_raw(message(Request.SET_LOG_FD)))
        frontend.wait_closed()
    wait_until("it is said", lambda: bool(switch.port("v")["fault"] != before))


# Accounts.

def fd_reaper_of(switch: Switch) -> int:
    (pid,) = Path(f"/proc/{switch.pid}/task/{switch.pid}/children").read_text().split()
    return int(pid)


@contextmanager
def nothing_is_closed(switch: Switch) -> Iterator[None]:
    """Meanwhile the process that closes stands still."""
    pid = fd_reaper_of(switch)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_what_is_not_closed_is_its_ports(switch: Switch, bystanders: Bystanders) -> None:
    """That port is refused in words while it lasts, the others are served, and it heals."""
    switch.add_port("z")
    with nothing_is_closed(switch):
        refused = wait_until("the port is refused", lambda: refusal(switch), 20.0)
        assert "cannot be closed" in refused and "delete the port" in refused
        carry_on(bystanders)
        with RawFrontend(switch.path("z"), SMALL) as other:
            other.handshake()
            switch.wait_state("z", "up")
    wait_until("the port serves again", lambda: is_served(switch), 20.0)
    heals(switch, bystanders)


def refusal(switch: Switch) -> str:
    """The port's fault, after one more frontend with a few descriptors."""
    with RawFrontend(switch.path("v"), SMALL) as frontend:
        try:
            frontend.handshake()
        except Disconnected:
            pass
    wait_until("the port is free", lambda: is_free(switch))
    found = switch.port("v")["fault"]
    return str(found["text"]) if found else ""


def is_served(switch: Switch) -> bool:
    wait_until("the port is free", lambda: is_free(switch))
    with RawFrontend(switch.path("v"), SMALL) as frontend:
        try:
            frontend.get_features()
        except Disconnected:
            return False
        return True


def test_closer_process_is_lost(switch: Switch, bystanders: Bystanders) -> None:
    """It is said; closing goes on by threads."""
    before = open_descriptors(switch)
    os.kill(fd_reaper_of(switch), signal.SIGKILL)
    wait_until("it is said", lambda: "reaper process is gone" in switch.process.log())
    heals(switch, bystanders)
    wait_until("no descriptor is lost", lambda: open_descriptors(switch) < before)


def give_file(switch: Switch, files: SilentFiles, data: bytes, count: int) -> None:
    with RawFrontend(switch.path("v"), SMALL) as frontend:
        fds = [files.open() for _ in range(count)]
        frontend.send_raw(data, fds)
        for fd in fds:
            os.close(fd)
        frontend.wait_closed()


def test_files_whose_server_does_not_answer(
    switch: Switch, bystanders: Bystanders, silent_files: SilentFiles, lingering: Lingering
) -> None:
    """Each close of such a file waits, the last or not; the port is refused, and heals."""
    before = open_descriptors(switch)
    give_file(switch, silent_files, CALL, 1)
    wait_until("a close waits", lambda: silent_files.held() == 1)
    heals(switch, bystanders)
    with nobody_waits(switch, bystanders, lingering):
        give_file(switch, silent_files, CALL, 40)
        wait_until("closes wait", lambda: silent_files.held() > UNCLOSED_MAX)
    with RawFrontend(switch.path("v"), SMALL) as frontend:
        frontend.wait_closed()
    found = wait_until("it is said", lambda: unclosed_fault(switch))
    assert "41 descriptors" in found
    silent_files.let_go()
    wait_until("the port serves again", lambda: is_served(switch), 20.0)
    heals(switch, bystanders)
    switch.conserves = False
    switch.call("port.delete", name="z")
    wait_until("no descriptor is lost", lambda: open_descriptors(switch) <= before)


def unclosed_fault(switch: Switch) -> str:
    text: str = switch.port("v")["fault"]["text"]
    return text if "cannot be closed" in text else ""


def test_session_that_brings_such_files(
    switch: Switch, bystanders: Bystanders, silent_files: SilentFiles
) -> None:
    """Refused requests leave a session alive, but not for ever."""
    unserved = message(Request.GET_MAX_MEM_SLOTS, b"", VERSION | NEED_REPLY)
    with RawFrontend(switch.path("v"), SMALL) as frontend:
        for _ in range(UNCLOSED_MAX // 8 + 1):
            fds = [silent_files.open() for _ in range(8)]
            frontend.send_raw(unserved, fds)
            for fd in fds:
                os.close(fd)
            frontend.receive_reply(Request.GET_MAX_MEM_SLOTS)
        frontend.wait_closed()
    assert "cannot be closed" in switch.wait_state("v", "fault")["fault"]["text"]
    carry_on(bystanders)
    silent_files.let_go()
    wait_until("the port serves again", lambda: is_served(switch), 20.0)
    heals(switch, bystanders)


# The rest after faults.

def test_rest_after_faults(switch: Switch, bystanders: Bystanders) -> None:
    """None after the first fault; then longer each time, whoever comes in between waits for it."""
    rests: list[float] = []
    for number in range(1, 6):
        fault(switch)
        text = switch.port("v")["state_text"]
        if number == 1:
            assert "admitted in" not in text
            continue
        with RawFrontend(switch.path("v"), SMALL) as frontend:
            start = time.monotonic()
            frontend.get_features()
            rests.append(time.monotonic() - start)
    assert rests[-1] > 0.4, rests
    log = switch.process.log()
    assert log.count("port v: frontend attached") == 9
    heals(switch, bystanders)


def test_rest_is_said(switch: Switch, bystanders: Bystanders) -> None:
    for _ in range(5):
        fault(switch)
    port = switch.port("v")
    assert port["state"] == "fault"
    assert "after 5 faults in a row the next frontend is admitted in 0." in port["state_text"]
    with RawFrontend(switch.path("v"), SMALL) as waiting:
        with RawFrontend(switch.path("v"), SMALL) as second:
            second.wait_closed()
        assert was_rejected(switch)
        assert waiting.get_features()

# SPDX-License-Identifier: BSD-3-Clause
"""Descriptors that the switch is the last to hold, and whose end takes as long as their giver likes."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from contextlib import ExitStack, suppress
from typing import Callable, Sequence

from siege.attack import ENDED, Attack, Ground
from siege.silent_fs import SilentFileSystem, missing
from support.eventfd import FULL, eventfd, signal_eventfd
from support.frames import frame
from support.frontend import Setup
from support.memory import MIB, RegionSpec
from support.messages import (
    NEED_REPLY, VERSION, Channel, Request, TableEntry, mem_table, message, u64,
)
from vswitch.client import Client, RpcError

SMALL = Setup(ring_size=64, regions=(RegionSpec(MIB),), rx_fill=4)
CALL = message(Request.SET_VRING_CALL, u64(0))
QUESTIONS = message(Request.GET_FEATURES) * 40  # something to do first
MOST = 253  # SCM_MAX_FD: what the kernel lets one message carry


class Lingering:
    """TCP sockets of this machine with data that nobody reads: the last close waits for `seconds`."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self._peers: list[socket.socket] = []
        self._made: list[socket.socket] = []  # in this round

    def make(self) -> socket.socket:
        """One more; the end of the attack may close the listener at any moment."""
        try:
            return self._make()
        except OSError as error:
            if self._listener.fileno() >= 0:
                raise
            raise ConnectionAbortedError("the attack is over") from error

    def _make(self) -> socket.socket:
        near = socket.create_connection(self._listener.getsockname())
        self._peers.append(self._listener.accept()[0])
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, self._seconds))
        near.setblocking(False)
        with suppress(BlockingIOError):
            while near.send(bytes(1 << 16)):
                pass
        self._made.append(near)
        return near

    def end_round(self) -> None:
        """Closes what was not given away, without lingering."""
        for near in self._made:
            with suppress(OSError):  # closed already
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
                near.close()
        self._made.clear()

    def nested(self) -> socket.socket:
        """One that lies unread in a UNIX socket, which is what is given away."""
        outer, inner = socket.socketpair()
        with inner, self.make() as near:
            socket.send_fds(inner, [b"x"], [near.fileno()])
        return outer

    def close(self) -> None:
        """Now each of them can be closed at once."""
        for peer in self._peers:
            peer.close()
        self._listener.close()

    def __enter__(self) -> Lingering:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def let_go(made: Sequence[socket.socket]) -> None:
    """Closes ours without waiting for it: should we be the last to hold one, we would linger."""
    for one in made:
        threading.Thread(target=one.close, daemon=True).start()


def give(
    channel: Channel, data: bytes, good: Sequence[int], made: Sequence[socket.socket],
    before: bytes = QUESTIONS,
) -> None:
    """Sends it with descriptors of which the switch then has the last copies.

    It has something else to hear before, and cannot be done with the message before its last byte: both
    leave us time to close ours.
    """
    channel.send_raw(before)
    try:
        channel.send_raw(data[:1], [*good, *(one.fileno() for one in made)])
    finally:
        let_go(made)
    channel.send_raw(data[1:])


def throw(connection: socket.socket, data: bytes, made: Sequence[socket.socket]) -> None:
    """Sends it all at once: the switch may see no more of it than that it is there."""
    try:
        socket.send_fds(connection, [data], [one.fileno() for one in made])
    finally:
        let_go(made)


def delete(ground: Ground, owner: Client, name: str) -> None:
    """By the owner; how long the slowest took is told."""
    began = time.monotonic()
    owner.call("port.delete", name=name)
    ground.longest = max(ground.longest, time.monotonic() - began)


Place = Callable[[Ground, Lingering], None]


def beyond_the_eighth(ground: Ground, lingering: Lingering) -> None:
    """Eight that are harmless, and the ninth, in one message."""
    with ground.frontend(SMALL) as frontend:
        assert frontend.rx.call_fd is not None
        give(frontend, CALL, [frontend.rx.call_fd] * 8, [lingering.make()])
        frontend.wait_closed(2.0)


def as_many_as_can_be(ground: Ground, lingering: Lingering) -> None:
    with ground.frontend(SMALL) as frontend:
        assert frontend.rx.call_fd is not None
        give(frontend, CALL, [frontend.rx.call_fd] * (MOST - 4),
             [lingering.make() for _ in range(4)])
        frontend.wait_closed(2.0)


def with_a_call_that_blocks(ground: Ground, lingering: Lingering) -> None:
    """As the ninth, in a session that blocks its call at the same moment: worker and control at once."""
    full = eventfd(0, nonblocking=False)
    signal_eventfd(full, FULL)
    try:
        with ground.attached(SMALL) as frontend:
            assert frontend.rx.call_fd is not None
            frontend.set_vring_call(1, full)
            give(frontend, CALL, [frontend.rx.call_fd] * 8, [lingering.make()])
            frontend.send(frame("02:00:00:00:0a:02", "02:00:00:00:0a:01"))
            frontend.wait_closed(2.0)
    finally:
        os.close(full)


def nested(ground: Ground, lingering: Lingering) -> None:
    with ground.frontend(SMALL) as frontend:
        give(frontend, CALL, [], [lingering.nested()])
        frontend.wait_closed(2.0)


def turned_away(ground: Ground, lingering: Lingering) -> None:
    """In further connections, which are closed without a word being read of them."""
    with ground.attached(SMALL):
        made = [lingering.make() for _ in range(8)]
        for one in made:
            with Channel.connect(ground.path()) as second, suppress(*ENDED):
                throw(second, CALL, [one])


def never_read(ground: Ground, lingering: Lingering) -> None:
    """Behind a message that ends the session: the descriptors after it are never received."""
    made = [lingering.make() for _ in range(4)]
    with Channel.connect(ground.path()) as connection:
        connection.sendall(QUESTIONS + message(Request.SET_FEATURES, u64(1 << 63)))
        for one in made:
            throw(connection, CALL, [one])


def refused_and_kept(ground: Ground, lingering: Lingering) -> None:
    """In requests that are refused with an answer, one after the other in one session."""
    unserved = message(Request.GET_MAX_MEM_SLOTS, b"", VERSION | NEED_REPLY)
    with ground.frontend(SMALL) as frontend:
        for _ in range(5):
            give(frontend, unserved, [], [lingering.make() for _ in range(8)], b"")
            frontend.receive_reply(Request.GET_MAX_MEM_SLOTS)


def in_the_backlog(ground: Ground, lingering: Lingering) -> None:
    """In connections that wait to be accepted while the owner deletes the port."""
    made = [lingering.make() for _ in range(8)]
    with ground.client() as owner, ExitStack() as open_ones:
        for one in made:
            with suppress(*ENDED):
                waiting = open_ones.enter_context(Channel.connect(ground.path()))
                throw(waiting, CALL, [one])
        delete(ground, owner, ground.ports[0])
        owner.call("port.add", name=ground.ports[0])


def in_a_session_that_the_owner_ends(ground: Ground, lingering: Lingering) -> None:
    """Unread in a running session whose port is deleted."""
    made = [lingering.make() for _ in range(4)]
    with ground.client() as owner, Channel.connect(ground.path()) as connection:
        connection.sendall(QUESTIONS)
        for one in made:
            with suppress(*ENDED):
                throw(connection, CALL, [one])
        delete(ground, owner, ground.ports[0])
        owner.call("port.add", name=ground.ports[0])


def at_the_frontends_socket(ground: Ground, lingering: Lingering) -> None:
    """Sent by a frontend that serves the socket, to a switch that connects to it and is told to leave."""
    path = ground.registry.directory / "served.sock"
    path.unlink(missing_ok=True)
    name = ground.ports[0] + "-out"
    made = [lingering.make() for _ in range(4)]
    with Channel.listen(path) as listener, ground.client() as owner:
        owner.call("port.add", name=name, connect=str(path))
        try:
            with listener.accept()[0] as connection:
                connection.sendall(QUESTIONS)
                for one in made:
                    throw(connection, CALL, [one])
                delete(ground, owner, name)
        finally:
            with suppress(RpcError):
                owner.call("port.delete", name=name)


def repeat(place: Place) -> Callable[[Ground], None]:
    """Gives lingering sockets in one place, again and again; each would be waited for all the time."""

    def attack(ground: Ground) -> None:
        rounds = 0
        with Lingering(max(int(ground.seconds) * 2, 4)) as lingering:
            ended = threading.Timer(ground.left, lingering.close)
            ended.start()
            while ground.going():
                with suppress(*ENDED, AssertionError):
                    place(ground, lingering)
                lingering.end_round()
                rounds += 1
                time.sleep(0.002)
            ended.join()
        deletes = f", slowest delete {ground.longest * 1000:.0f} ms" if ground.longest else ""
        ground.tell(f"{rounds} rounds{deletes}")

    return attack


def silent_files(ground: Ground) -> None:
    """Files whose server does not answer, as memory, kicks and calls."""
    given = 0
    files = SilentFileSystem(ground.registry.directory)
    try:
        while ground.going():
            fd = files.open()
            table = mem_table([TableEntry(0, 1 << 20, 1 << 40, 0)])
            data = (message(Request.SET_MEM_TABLE, table), CALL)[given % 2]
            with suppress(*ENDED), ground.frontend(SMALL) as frontend:
                frontend.negotiate()
                frontend.send_raw(data, [fd])
                given += 1
                frontend.wait_closed(1.0)
            threading.Thread(target=os.close, args=(fd,), daemon=True).start()
    finally:
        files.close()
    ground.tell(f"{given} files given")


PLACES: dict[str, tuple[Place, str]] = {
    "ninth-descriptor": (beyond_the_eighth, "a socket that lingers, as the ninth of one message"),
    "many-descriptors": (as_many_as_can_be, "253 in one message, the last four linger"),
    "blocked-and-lingering": (
        with_a_call_that_blocks, "the ninth descriptor, and a call that blocks, in one session"),
    "nested-descriptor": (nested, "a socket that lingers, unread in another"),
    "turned-away-descriptor": (turned_away, "the same in a connection that is turned away"),
    "unread-descriptor": (never_read, "the same behind the message that ends its session"),
    "refused-descriptor": (refused_and_kept, "the same in requests that are refused"),
    "backlog-descriptor": (in_the_backlog, "the same in the backlog of a port that is deleted"),
    "deleted-descriptor": (
        in_a_session_that_the_owner_ends, "the same unread in the session of a port that is deleted"),
    "served-descriptor": (
        at_the_frontends_socket, "the same from a frontend that serves its socket"),
}

ATTACKS = [
    Attack(name, "messages", does, repeat(place), cases=(1, 2), hazards=("B3",))
    for name, (place, does) in PLACES.items()
] + [
    Attack(
        "silent-files", "messages", "files whose server never answers, as memory and as events",
        silent_files, hazards=("B19", "B29"), needs=missing,
    ),
]

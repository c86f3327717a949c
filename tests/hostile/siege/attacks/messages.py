# SPDX-License-Identifier: BSD-3-Clause
"""Messages that are wrong in themselves, or wrong where they are said."""

from __future__ import annotations

import os
import random
import resource
import socket
import struct
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Callable, Iterator, Sequence

from siege.attack import ENDED, Attack, Ground
from support.eventfd import eventfd
from support.frontend import RawFrontend, Setup
from support.memory import MIB, RegionSpec
from support.messages import (
    HEADER, NEED_REPLY, NO_FD, VERSION, Channel, Disconnected, Feature, Request, TableEntry,
    bits, mem_table, message, u64, vring_addr, vring_state,
)
from vswitch.client import RpcError

SMALL = Setup(ring_size=64, regions=(RegionSpec(MIB),), rx_fill=4)
TOP = 1 << 64
SILENCE = 0.01
DRIPPERS, DRIPPERS_ON_CONTROL = 1000, 200
LONG = 5.0  # seconds: a shorter attack has fewer ports
PHYS, USER = 0x1000_0000, 0x7000_0000_0000

Point = Callable[[RawFrontend], object]


def nothing(frontend: RawFrontend) -> None:
    """Just connected."""


def with_memory(frontend: RawFrontend) -> None:
    frontend.negotiate()
    frontend.share_memory()


def with_one_ring(frontend: RawFrontend) -> None:
    with_memory(frontend)
    frontend.start_ring(0)


def stopped(frontend: RawFrontend) -> None:
    frontend.handshake()
    frontend.stop_rings()


POINTS: tuple[Point, ...] = (
    nothing, RawFrontend.negotiate, with_memory, with_one_ring, RawFrontend.handshake, stopped,
)


def read_away(frontend: RawFrontend, patience: float = 0.0) -> None:
    """What the switch has answered, until it is silent for so long; it must be no descriptor."""
    frontend.socket.settimeout(patience)
    try:
        while True:
            data, fds, _, _ = socket.recv_fds(frontend.socket, 4096, 8)
            for fd in fds:
                os.close(fd)
            assert not fds, "the switch has given a descriptor away"
            if not data:
                raise Disconnected("the switch has ended the session")
    except (BlockingIOError, TimeoutError):
        frontend.socket.settimeout(frontend.timeout)


Say = Callable[[RawFrontend, random.Random], None]


def sessions(say: Say, points: Sequence[Point] = POINTS, many: int = 8) -> Callable[[Ground], None]:
    """One session after the other, brought to a point at random; there it says things until it is ended."""

    def attack(ground: Ground) -> None:
        chance = random.Random(ground.pid * 64 + ground.rank)
        begun = said = 0
        while ground.going():
            with suppress(*ENDED), ground.frontend(SMALL) as frontend:
                chance.choice(points)(frontend)
                begun += 1
                for _ in range(many):
                    say(frontend, chance)
                    said += 1
                    read_away(frontend)
                read_away(frontend, SILENCE)
        ground.tell(f"{begun} sessions, {said} messages")

    return attack


def any_message(frontend: RawFrontend, chance: random.Random) -> None:
    """Any request with a payload that is too short, too long, or of the right size and random."""
    size = chance.choice((0, 1, 4, 7, 8, 9, 12, 16, 24, 40, 41, 72, 100, 264, 265, 4096))
    flags = VERSION | chance.choice((0, NEED_REPLY))
    fds = [frontend.memory.fds[0]] * chance.choice((0, 0, 0, 1, 2, 8))
    payload = chance.randbytes(size) if chance.random() < 0.5 else bytes(size)
    frontend.send_raw(message(chance.randrange(1, 45), payload, flags), fds)


def any_header(frontend: RawFrontend, chance: random.Random) -> None:
    """Headers with any version, flags and size, up to 2^32 - 1, and no body."""
    request = chance.choice((chance.randrange(45), chance.randrange(1 << 32)))
    size = chance.choice((0, 8, 41, 4096, 4097, 1 << 20, 1 << 31, 0xFFFFFFFF))
    flags = chance.choice((0, 1, 2, 3, 5, 9, 0xFFFFFFFF))
    frontend.send_raw(HEADER.pack(request, flags, size))


def any_good_message(frontend: RawFrontend, chance: random.Random) -> None:
    """What is right in itself, in any order."""
    index, ring = chance.randrange(2), chance.choice(frontend.rings)
    choices: tuple[Callable[[], object], ...] = (
        frontend.set_owner, frontend.reset_owner, frontend.share_memory, frontend.get_queue_num,
        lambda: frontend.set_features(frontend.features),
        lambda: frontend.set_vring_num(index, chance.choice((2, 64, 256))),
        lambda: frontend.set_vring_base(index, chance.randrange(1 << 16)),
        lambda: frontend.get_vring_base(index),
        lambda: frontend.send_ring_address(index),
        lambda: frontend.set_vring_call(index, chance.choice((None, ring.call_fd))),
        lambda: frontend.set_vring_kick(index, chance.choice((None, ring.kick_fd))),
        lambda: frontend.set_vring_enable(index, chance.random() < 0.5),
        lambda: frontend.send_rarp(b"\x02" + chance.randbytes(5)),
    )
    chance.choice(choices)()


UNSERVED: tuple[tuple[int, bytes], ...] = (
    (Request.SET_LOG_BASE, struct.pack("<QQ", 4096, 1 << 40)),
    (Request.SET_LOG_FD, b""),
    (Request.SET_BACKEND_REQ_FD, b""),
    (Request.IOTLB_MSG, struct.pack("<QQQBB6x", 0, TOP - 1, 0, 3, 2)),
    (Request.SET_VRING_ENDIAN, vring_state(0, 1)),
    (Request.GET_CONFIG, struct.pack("<III", 0, 256, 0) + bytes(256)),
    (Request.SET_CONFIG, struct.pack("<III", 0, 256, 0) + bytes(256)),
    (Request.CREATE_CRYPTO_SESSION, bytes(1024)),
    (Request.CLOSE_CRYPTO_SESSION, u64(0)),
    (Request.POSTCOPY_ADVISE, b""),
    (Request.POSTCOPY_LISTEN, b""),
    (Request.POSTCOPY_END, b""),
    (Request.GET_INFLIGHT_FD, struct.pack("<QQHH", 0, 0, 65535, 65535)),
    (Request.SET_INFLIGHT_FD, struct.pack("<QQHH", 4096, 0, 256, 65535)),
    (Request.GPU_SET_SOCKET, b""),
    (Request.RESET_DEVICE, b""),
    (Request.VRING_KICK, vring_state(0, 0)),
    (Request.GET_MAX_MEM_SLOTS, b""),
    (Request.ADD_MEM_REG, struct.pack("<QQQQQ", 0, PHYS, MIB, USER, 0)),
    (Request.REM_MEM_REG, struct.pack("<QQQQQ", 0, PHYS, MIB, USER, 0)),
)


def unserved(frontend: RawFrontend, chance: random.Random) -> None:
    """Requests that were never negotiated, or that nobody knows, with descriptors."""
    request, payload = chance.choice((*UNSERVED, (chance.randrange(41, 1 << 32), bytes(24))))
    fds = [frontend.memory.fds[0]] * chance.choice((0, 1, 2, 8))
    frontend.send_raw(message(request, payload, VERSION | chance.choice((0, NEED_REPLY))), fds)


def wild_rings(frontend: RawFrontend, chance: random.Random) -> None:
    """Indices, sizes and bases that no ring has, some with descriptors."""
    index = chance.choice((0, 1, 2, 3, 255, 256, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF))
    number = chance.choice((0, 1, 3, 257, 32768, 65536, 0xFFFFFFFF))
    with_fds = [frontend.memory.fds[0]] * chance.choice((0, 1, 8))
    choices = (
        message(Request.SET_VRING_NUM, vring_state(index, number)),
        message(Request.SET_VRING_BASE, vring_state(index, number)),
        message(Request.SET_VRING_ENABLE, vring_state(index, number)),
        message(Request.GET_VRING_BASE, vring_state(index, number)),
        message(Request.SET_VRING_ADDR, vring_addr(index, number, number, number, number)),
        message(Request.SET_VRING_KICK, u64(index & 0xFF | chance.choice((0, NO_FD, 1 << 40)))),
        message(Request.SET_VRING_CALL, u64(index & 0xFF | chance.choice((0, NO_FD, 1 << 40)))),
    )
    frontend.send_raw(chance.choice(choices), with_fds)


def largest_rings(frontend: RawFrontend, chance: random.Random) -> None:
    """The greatest size, told again and again, with the owner reset between."""
    for index in (0, 1):
        frontend.request(Request.SET_VRING_NUM, vring_state(index, 32768), need_reply=True)
    frontend.reset_owner()


def wild_features(frontend: RawFrontend, chance: random.Random) -> None:
    """Features that were not offered, and others than agreed while the rings run."""
    packed = bits((Feature.RING_PACKED, Feature.VERSION_1))
    fewer = frontend.features & ~(1 << Feature.MRG_RXBUF)
    features = chance.choice((packed, fewer, 0, TOP - 1, 1 << chance.randrange(64)))
    request = chance.choice((Request.SET_FEATURES, Request.SET_PROTOCOL_FEATURES))
    frontend.send_raw(message(request, u64(features), VERSION | NEED_REPLY))


# Memory tables.

SIZES = (0, 1, 4095, 4096, MIB, 2 * MIB, 8 * MIB, 8 * MIB + 4096, 16 << 40, 1 << 63, TOP - 1)
PLACES = (0, 1, 4096, PHYS, PHYS + MIB, USER, 1 << 63, TOP - MIB, TOP - 4096, TOP - 1)


def wild_table(frontend: RawFrontend, chance: random.Random) -> None:
    """Regions that are huge, empty, overlap, wrap, or are longer than their file; one to nine."""
    number = chance.randrange(1, 10)
    entries = [
        TableEntry(chance.choice(PLACES), chance.choice(SIZES), chance.choice(PLACES),
                   chance.choice((0, 0, 4096, 1, TOP - 4096)))
        for _ in range(number)
    ]
    claimed = chance.choice((number, number, number, 0, 9, 1 << 31))
    fds = [frontend.memory.fds[0]] * chance.choice((number, number, 0, 1, 8))
    frontend.send_raw(
        message(Request.SET_MEM_TABLE, mem_table(entries, claimed), VERSION | NEED_REPLY), fds)


# Descriptors of every kind.


def every_kind(stack: ExitStack) -> Iterator[int]:
    """Whatever can be passed through a socket, besides what lingers."""
    for path, flags in (
        ("/dev/null", os.O_RDWR), ("/dev/zero", os.O_RDWR), ("/tmp", os.O_RDONLY),
        ("/proc/self/mem", os.O_RDWR), ("/proc/self/status", os.O_RDONLY), ("/tmp", os.O_PATH),
        ("/dev/shm", os.O_TMPFILE | os.O_RDWR), ("/var/tmp", os.O_TMPFILE | os.O_RDWR),
    ):
        yield os.open(path, flags)
    yield from os.pipe()
    left, right = socket.socketpair()
    stack.callback(right.close)
    yield left.detach()
    yield socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach()
    yield eventfd()
    yield eventfd(0, nonblocking=False)
    for size in (0, 4096, 64 * MIB):
        fd = os.memfd_create("odd")
        os.ftruncate(fd, size)
        yield fd
    yield os.memfd_create("huge", os.MFD_HUGETLB)
    yield os.pidfd_open(os.getpid())
    epoll = getattr(__import__("select"), "epoll")()
    stack.callback(epoll.close)
    yield os.dup(epoll.fileno())


def wild_descriptors(ground: Ground) -> None:
    """0 to 253 of any kind, the same twice too, with any message that may have one."""
    chance, said = random.Random(ground.pid), 0
    with ExitStack() as stack:
        kinds = list(every_kind(stack))
        for fd in kinds:
            stack.callback(os.close, fd)
        while ground.going():
            with suppress(*ENDED), ground.frontend(SMALL) as frontend:
                chance.choice(POINTS)(frontend)
                for _ in range(8):
                    fds = chance.choices(kinds, k=chance.choice((0, 1, 1, 1, 2, 8, 9, 64, 253)))
                    frontend.send_raw(message_for_descriptors(frontend, chance, len(fds)), fds)
                    said += 1
                    read_away(frontend)
                read_away(frontend, SILENCE)
        ground.tell(f"{said} messages, {len(kinds)} kinds")


def message_for_descriptors(frontend: RawFrontend, chance: random.Random, count: int) -> bytes:
    table = [
        TableEntry(PHYS + n * MIB, 4096, USER + n * MIB, 0) for n in range(max(1, min(count, 8)))
    ]
    return chance.choice((
        message(Request.SET_VRING_KICK, u64(chance.randrange(3))),
        message(Request.SET_VRING_CALL, u64(chance.randrange(3))),
        message(Request.SET_VRING_ERR, u64(chance.randrange(3))),
        message(Request.SET_MEM_TABLE, mem_table(table), VERSION | NEED_REPLY),
        message(Request.GET_MAX_MEM_SLOTS, b"", VERSION | NEED_REPLY),
        message(Request.SET_FEATURES, u64(frontend.features)),
    ))


# Slowness and crowds.


def half_messages(ground: Ground) -> None:
    """A session on each port that stays half said, cut at another byte each time."""
    whole, cut = message(Request.SET_FEATURES, u64(0)), 0
    count = 0
    while ground.going():
        with ExitStack() as stack:
            for port in range(len(ground.ports)):
                cut = cut % (len(whole) - 1) + 1
                with suppress(*ENDED):
                    half = stack.enter_context(Channel.connect(ground.path(port)))
                    half.sendall(whole[:cut])
                    count += 1
            time.sleep(min(ground.left, 0.2))
    ground.tell(f"{count} halves")


def unread_replies(ground: Ground) -> None:
    """Questions as fast as the socket takes them, and not one answer read."""
    questions = message(Request.GET_FEATURES) * 64
    sent = 0
    while ground.going():
        with suppress(*ENDED), Channel.connect(ground.path()) as connection:
            connection.settimeout(0.1)
            while ground.going():
                sent += connection.send(questions) // HEADER.size
    ground.tell(f"{sent:,} questions")


def many_ports(ground: Ground) -> None:
    """So many that each of a thousand connections can have a session, where the time is long enough."""
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2
    )
    count = DRIPPERS - DRIPPERS_ON_CONTROL if ground.seconds > LONG else 64
    names = [f"{ground.ports[0]}-{number}" for number in range(1, count)]
    with ground.client() as owner:
        answers = owner.batch([("port.add", {"name": name}) for name in names])
    ground.ports += [
        name for name, answer in zip(names, answers) if not isinstance(answer, RpcError)
    ]


def dripping(ground: Ground) -> None:
    """A thousand connections; each says a byte a second, and those that are turned away come again."""
    doors = [ground.path(port) for port in range(len(ground.ports))]
    doors += [ground.control] * DRIPPERS_ON_CONTROL
    connections: dict[int, socket.socket] = {}
    most = drips = 0
    whole = message(Request.GET_FEATURES)
    try:
        while ground.going():
            round_ends = time.monotonic() + 1
            for number in range(DRIPPERS):
                if number not in connections and ground.going():
                    with suppress(*ENDED):
                        connections[number] = drop_by(doors[number % len(doors)])
            most = max(most, len(connections))
            for number, connection in list(connections.items()):
                try:
                    connection.send(whole[drips % len(whole):][:1])
                except ENDED:
                    connections.pop(number).close()
            drips += 1
            time.sleep(max(min(ground.left, round_ends - time.monotonic()), 0))
        ground.tell(f"{most} connections at once, on {len(ground.ports)} ports and the control socket")
    finally:
        for connection in connections.values():
            connection.close()
        with ground.client() as owner:
            owner.batch([("port.delete", {"name": name}) for name in ground.ports[1:]])


def drop_by(path: Path) -> socket.socket:
    connection = Channel.connect(path)
    connection.setblocking(False)
    return connection


def connection_storm(ground: Ground) -> None:
    """Connections that end at once, as fast as they can be made."""
    made = 0
    while ground.going():
        with suppress(*ENDED), Channel.connect(ground.path(made % len(ground.ports))):
            made += 1
    ground.tell(f"{made:,} connections")


def refusals(ground: Ground) -> None:
    """Something for the log, as often as it goes, on every port."""
    bad = message(Request.SET_FEATURES, u64(1 << 63))
    made = 0
    while ground.going():
        for port in range(len(ground.ports)):
            with suppress(*ENDED), Channel.connect(ground.path(port)) as connection:
                connection.sendall(bad)
                made += 1
    ground.tell(f"{made:,} refusals")


def new_ports(ground: Ground) -> None:
    """Ports that are added, attacked in their first moment and deleted; by the owner's help."""
    name, rounds = ground.ports[0] + "-new", 0
    with ground.client() as owner:
        while ground.going():
            owner.call("port.add", name=name)
            with suppress(*ENDED), RawFrontend(ground.directory / f"{name}.sock", SMALL) as first:
                first.handshake()
            rounds += 1
            with suppress(RpcError):
                owner.call("port.delete", name=name)
    ground.tell(f"{rounds} ports")


RUNNING: tuple[Point, ...] = (RawFrontend.handshake,)

ATTACKS = [
    Attack("any-message", "messages", "any request, with payloads of any size, at any point",
           sessions(any_message), hazards=("B23",)),
    Attack("any-header", "messages", "headers with any version, flags and size, and no body",
           sessions(any_header), hazards=("B1",)),
    Attack("any-order", "messages", "good messages in any order", sessions(any_good_message)),
    Attack(
        "unserved-requests", "messages", "requests that were never negotiated, or are unknown",
        sessions(unserved), hazards=("B3", "B4", "B5", "B6", "B7", "B8", "B24", "B25"),
    ),
    Attack("wild-rings", "messages", "queues, sizes and bases that there are not",
           sessions(wild_rings), hazards=("B2", "B11")),
    Attack("largest-rings", "messages", "rings of the greatest size on many ports, owners reset",
           sessions(largest_rings, (with_memory,)), processes=2, hazards=("B9", "B10")),
    Attack("wild-features", "messages", "features that are not offered, or change under the rings",
           sessions(wild_features), hazards=("B12",)),
    Attack("wild-tables", "messages", "memory tables that lie, also while rings run",
           sessions(wild_table), hazards=("B13", "B20", "B22")),
    Attack("wild-descriptors", "messages", "0 to 253 descriptors of any kind with any message",
           wild_descriptors, hazards=("B3", "B18")),
    Attack("half-messages", "messages", "messages that stay half said, on eight ports",
           half_messages, ports=8, hazards=("B1",)),
    Attack("unread-replies", "messages", "questions whose answers are never read", unread_replies,
           hazards=("B1b",)),
    Attack("dripping", "messages", "a thousand connections that say a byte a second", dripping,
           prepare=many_ports, hazards=("B1", "B14")),
    Attack("connection-storm", "messages", "connections that end at once", connection_storm,
           ports=4, hazards=("B14", "B26")),
    Attack("refusals", "messages", "refusals for the log, from four ports", refusals, ports=4,
           cases=(12,), hazards=("B27",)),
    Attack("new-ports", "messages", "the first session of ports that come and go", new_ports,
           hazards=("B28",)),
]

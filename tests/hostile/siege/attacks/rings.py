# SPDX-License-Identifier: BSD-3-Clause
"""Rings whose driver breaks every rule, while the switch reads them."""

from __future__ import annotations

import os
import random
import threading
import time
from contextlib import suppress
from typing import Callable, Sequence

from siege.attack import ENDED, Attack, Ground
from siege.floods import SENDER, TARGET, Flood, announce, roomy
from support.frames import frame
from support.frontend import RawFrontend, Setup
from support.memory import MIB, PAGE
from support.messages import Feature
from support.ring import INDIRECT, NEXT, WRITE, SplitRing
from support.segments import TcpFrame

TOP = 1 << 64
LENGTHS = (0, 1, 10, 11, 12, 13, 26, 64, 76, 1526, 4096, 65535, 65562, 1 << 20, 1 << 31, 0xFFFFFFFF)
PAUSE = 0.0005


def addresses(frontend: RawFrontend, chance: random.Random) -> int:
    """In the memory, at its borders, in the rings themselves, or nowhere."""
    region = frontend.memory.regions[0]
    return chance.choice((
        region.guest_phys_addr + chance.randrange(region.size), region.end - chance.randrange(4096),
        frontend.rx.desc, frontend.tx.used, frontend.tx.avail, region.guest_phys_addr, 0,
        region.end, TOP - chance.randrange(1 << 17), chance.randrange(TOP),
    ))


def any_chains(frontend: RawFrontend, chance: random.Random) -> None:
    """Descriptors of any kind: loops, tables in tables, wrong directions, wrong places."""
    ring = chance.choice(frontend.rings)
    table = frontend.memory.regions[0].guest_phys_addr + 8 * MIB
    for _ in range(32):
        where = chance.choice((None, None, table))
        ring.write_descriptor(
            chance.randrange(ring.size), chance.choice((table, addresses(frontend, chance))),
            chance.choice((*LENGTHS, 16 * chance.randrange(ring.size + 2))), chance.randrange(8),
            chance.randrange(ring.size + 2), where,
        )
        ring.set_avail_entry(chance.randrange(ring.size), chance.randrange(ring.size))


def endless_chains(frontend: RawFrontend, chance: random.Random) -> None:
    """The longest chains and tables that there can be, and rings of them that have no end."""
    for ring in frontend.rings:
        side = WRITE if ring is frontend.rx else 0
        place, size = frontend.memory.regions[0].guest_phys_addr + 8 * MIB, ring.size
        for index in range(size):
            ring.write_descriptor(index, place, 1, NEXT | side, (index + 1) % size, place)
            if index % 2:
                ring.write_descriptor(index, place, 16 * size, INDIRECT)
            else:
                ring.write_descriptor(index, place, 0, NEXT | side, (index + 2) % size)
            ring.set_avail_entry(index, chance.randrange(size))


Spoil = Callable[[RawFrontend, random.Random], None]


def offer_all(ring: SplitRing) -> None:
    ring.avail_idx = ring.used_idx + ring.size
    ring.kick()


def spoiled(spoil: Spoil, setup: Setup = roomy(256)) -> Callable[[Ground], None]:
    """Sessions whose rings are spoiled and offered, again and again, while frames come for them."""

    def attack(ground: Ground) -> None:
        chance = random.Random(ground.pid * 64 + ground.rank)
        sessions = rounds = 0
        with ground.attached(port=1) as caller:
            flood = Flood(caller, [frame(TARGET, SENDER, size) for size in (60, 594, 1514)])
            while ground.going():
                with suppress(*ENDED), ground.frontend(setup) as frontend:
                    frontend.handshake()
                    announce(frontend, TARGET)
                    sessions += 1
                    while ground.going() and frontend.is_silent():
                        spoil(frontend, chance)
                        for ring in frontend.rings:
                            offer_all(ring)
                        flood.pump()
                        rounds += 1
                        time.sleep(PAUSE)
        ground.tell(f"{sessions} sessions, {rounds:,} rounds")

    return attack


def jumping_indices(frontend: RawFrontend, chance: random.Random) -> None:
    """Indices that run ahead or back, and heads beyond the table."""
    ring = chance.choice(frontend.rings)
    ring.set_avail_entry(ring.used_idx, chance.choice((0, ring.size - 1, ring.size, 65535)))
    ring.avail_idx = ring.used_idx + chance.choice((1, -1, ring.size + 1, 32768))
    ring.kick()


def scribbled(frontend: RawFrontend, chance: random.Random) -> None:
    """Random bytes over all of both rings, and somewhere in the memory."""
    region = frontend.memory.regions[0]
    first = frontend.rx.desc - region.guest_phys_addr
    last = frontend.tx.used + 8 * frontend.tx.size - region.guest_phys_addr
    region.view[first:last] = os.urandom(last - first)
    at = chance.randrange(region.size - MIB)
    region.view[at:at + MIB] = os.urandom(MIB)


# Fields that change while they are read.


def flip(frontend: RawFrontend, done: threading.Event) -> None:
    """Each descriptor is by turns good and bad, in another field each time."""
    memory, ring = frontend.memory, frontend.tx
    region = memory.regions[0]
    place = memory.alloc(PAGE)
    at = ring.desc - region.guest_phys_addr
    good = b"".join(bytes_of(place, 76, 0, 0) for _ in range(ring.size))
    bad = [
        b"".join(bytes_of(*fields) for _ in range(ring.size)) for fields in (
            (TOP - 10, 76, 0, 0), (region.end - 1, 76, 0, 0), (place, 0xFFFFFFFF, 0, 0),
            (place, 0, 0, 0), (place, 76, WRITE, 0), (place, 76, NEXT, 65535),
            (ring.desc, 16 * ring.size, INDIRECT, 0), (place, 76, NEXT | INDIRECT, 0),
        )
    ]
    while not done.is_set():
        for wrong in bad:
            for _ in range(64):
                region.view[at:at + len(good)] = wrong
                region.view[at:at + len(good)] = good


def bytes_of(address: int, length: int, flags: int, next_index: int) -> bytes:
    return (address.to_bytes(8, "little") + length.to_bytes(4, "little")
            + flags.to_bytes(2, "little") + next_index.to_bytes(2, "little"))


def flipped(ground: Ground) -> None:
    rounds = 0
    while ground.going():
        with ground.again(setup=roomy(256)) as frontend:
            done = threading.Event()
            flipper = threading.Thread(target=flip, args=(frontend, done))
            flipper.start()
            try:
                while ground.going() and frontend.is_silent():
                    offer_all(frontend.tx)
                    rounds += 1
                    time.sleep(0.0001)
            finally:
                done.set()
                flipper.join()
    ground.tell(f"{rounds:,} rounds")


# Memory that is laid over itself, or shared, or goes away.


def overlaid(ground: Ground) -> None:
    """The three areas of both rings, and the payload, in the same bytes."""
    rounds, chance = 0, random.Random(ground.pid)
    while ground.going():
        with suppress(*ENDED), ground.frontend(roomy(64)) as frontend:
            frontend.negotiate()
            frontend.share_memory()
            base = frontend.rx.desc
            for index, ring in enumerate(frontend.rings):
                ring.desc = base + 16 * chance.randrange(64)
                ring.avail = base + 2 * chance.randrange(512)
                ring.used = base + 4 * chance.randrange(256)
                frontend.start_ring(index)
                frontend.set_vring_enable(index, True)
            for _ in range(20):
                for ring in frontend.rings:
                    ring.write_descriptor(chance.randrange(64), base, chance.choice(LENGTHS),
                                          chance.randrange(8), chance.randrange(64))
                    offer_all(ring)
                rounds += 1
            frontend.get_features()
    ground.tell(f"{rounds:,} rounds")


def shared_memory(ground: Ground) -> None:
    """Three ports whose rings are the same bytes of the same file."""
    rounds = sessions = 0
    setup = roomy(256)
    with ground.frontend(setup) as model:
        while ground.going():
            group: list[RawFrontend] = []
            with suppress(*ENDED):
                for port in range(1, len(ground.ports)):
                    group.append(ground.frontend(setup, port))
                    take_over(group[-1], model)
                sessions += 1
                while ground.going() and all(other.is_silent() for other in group):
                    offer_same(model, group)
                    rounds += 1
                    time.sleep(PAUSE)
            for frontend in group:
                frontend.socket.close()
                for ring in frontend.rings:
                    ring.close()
    ground.tell(f"{sessions} sessions, {rounds:,} rounds")


def take_over(frontend: RawFrontend, model: RawFrontend) -> None:
    """A session with the memory and the rings of another frontend."""
    frontend.memory.close()
    frontend.memory = model.memory
    for mine, ring in zip(frontend.rings, model.rings):
        mine.memory, mine.desc, mine.avail, mine.used = ring.memory, ring.desc, ring.avail, ring.used
        mine.avail_idx = mine.used_idx = 0
    frontend.negotiate()
    frontend.share_memory()
    for index in range(2):
        frontend.start_ring(index)
        frontend.set_vring_enable(index, True)


def offer_same(model: RawFrontend, group: Sequence[RawFrontend]) -> None:
    """Chains for all of them at once: each of the three uses them."""
    place = model.memory.regions[0].guest_phys_addr + 8 * MIB
    for index in range(256):
        model.tx.write_descriptor(index, place, 76)
        model.rx.write_descriptor(index, place, 2048, WRITE)
        model.rx.set_avail_entry(index, index)
        model.tx.set_avail_entry(index, index)
    for frontend in group:
        for ring in frontend.rings:
            ring.avail_idx = ring.used_idx + 64
            ring.kick()


def truncated(ground: Ground) -> None:
    """The file behind the rings is cut, in every session at another moment."""
    sessions, chance = 0, random.Random(ground.pid)
    steps: Sequence[Callable[[RawFrontend], object]] = (
        RawFrontend.negotiate, RawFrontend.share_memory, RawFrontend.fill_rx,
        lambda f: f.start_ring(0), lambda f: f.start_ring(1),
        lambda f: f.set_vring_enable(0, True), lambda f: f.set_vring_enable(1, True),
        lambda f: f.tx.kick(), lambda f: f.get_vring_base(1),
    )
    while ground.going():
        with suppress(*ENDED), ground.frontend(roomy(256, 4)) as frontend:
            cut = chance.randrange(1, len(steps))
            for number, step in enumerate(steps):
                if number == cut:
                    os.ftruncate(frontend.memory.fds[0], 0)
                    frontend.tx.kick()
                if number < cut or number in (3, 4, 5, 6, 8):
                    step(frontend)
            sessions += 1
    ground.tell(f"{sessions} sessions")


# Offload headers.


def lying_headers(ground: Ground) -> None:
    """Headers for checksums and segments that lie about the frame that follows."""
    offloads = (Feature.CSUM, Feature.HOST_TSO4, Feature.HOST_TSO6, Feature.HOST_ECN)
    chance, sent = random.Random(ground.pid), 0
    with ground.attached(roomy(256, offloads=offloads)) as liar, ground.attached(port=1) as other:
        announce(other, TARGET)
        whole = TcpFrame(TARGET, SENDER, bytes(8000))
        frames = (whole.left(), whole.left()[:60], whole.left()[:33], frame(TARGET, SENDER, 14))
        while ground.going() and liar.is_silent():
            for _ in range(64):
                good = whole.segments_header(chance.choice((1, 2, 1448, 65535))).pack()
                header = bytearray(chance.choice((good, chance.randbytes(12))))
                header[chance.randrange(10)] = chance.randrange(256)
                liar.send(chance.choice(frames), header=bytes(header), kick=False)
            liar.tx.publish()
            sent += 64
            while other.poll() is not None:
                pass
    ground.tell(f"{sent:,} frames")


def spoiled_attack(name: str, does: str, spoil: Spoil, hazards: tuple[str, ...] = ()) -> Attack:
    return Attack(name, "rings", does, spoiled(spoil), ports=2, hazards=hazards)


ATTACKS = [
    spoiled_attack("any-chains", "descriptors with any address, length, flags and link", any_chains),
    spoiled_attack("endless-chains", "chains and tables without end", endless_chains),
    spoiled_attack("jumping-indices", "indices that jump, heads beyond the table", jumping_indices),
    spoiled_attack("scribbled-rings", "random bytes over rings and memory", scribbled),
    Attack("flipped-fields", "rings", "descriptors that change while they are read", flipped),
    Attack("overlaid-rings", "rings", "rings laid over each other and over the payload", overlaid,
           hazards=("B12",)),
    Attack("shared-memory", "rings", "three ports whose rings are the same bytes", shared_memory,
           ports=4),
    Attack("truncated-memory", "rings", "a file that is cut under the rings, at any moment", truncated,
           hazards=("B15", "B16")),
    Attack("lying-headers", "rings", "offload headers that lie about their frames", lying_headers,
           ports=2),
]

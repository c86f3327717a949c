# SPDX-License-Identifier: BSD-3-Clause
"""Receive queues that take long, or take nothing: who sends to them must not notice."""

from __future__ import annotations

import time

from siege.attack import Attack, Ground
from siege.floods import SENDER, TARGET, Flood, Sink, announce, roomy
from support.frames import BROADCAST, frame
from support.frontend import RawFrontend
from support.ring import NEXT, WRITE

PAUSE = 0.005
SHORTEST, LONGEST = 60, 1514


def fill_with_long_chains(frontend: RawFrontend) -> None:
    """Every chain walks the same table: empty descriptors, and one byte at its end."""
    ring, address = frontend.rx, frontend.memory.alloc(4096)
    for index in range(ring.size):
        last = index == ring.size - 1
        ring.write_descriptor(
            index, address, 1 if last else 0, WRITE | (0 if last else NEXT), index + 1
        )
    for position in range(ring.size):
        ring.set_avail_entry(position, 0)
    ring.next_avail = ring.size
    ring.publish()


def fill_with_small_buffers(frontend: RawFrontend) -> None:
    """Buffers of 0 to 13 bytes, none of which holds a header and a frame."""
    ring, address = frontend.rx, frontend.memory.alloc(4096)
    for index in range(ring.size):
        ring.write_descriptor(index, address, index % 14, WRITE)
        ring.set_avail_entry(index, index)
    ring.next_avail = ring.size
    ring.publish()


def call_all(ground: Ground, caller: RawFrontend, size: int = 1400) -> int:
    """Broadcasts, a burst every few milliseconds, to the end of the attack; returns how many."""
    sent = 0
    while ground.going():
        caller.send(*(frame(BROADCAST, SENDER, size, n) for n in range(64)), timeout=60.0)
        sent += 64
        while caller.poll() is not None:
            pass
        time.sleep(PAUSE)
    return sent


def empty_chains(ground: Ground) -> None:
    with ground.attached(roomy(rx_fill=0)) as trap, ground.attached(port=1) as caller:
        fill_with_long_chains(trap)
        ground.tell(f"{call_all(ground, caller):,} broadcasts sent")


def small_buffers(ground: Ground) -> None:
    """One ring with mergeable buffers, one without."""
    with ground.attached(roomy(rx_fill=0)) as first, ground.attached(port=1) as caller:
        with ground.attached(roomy(rx_fill=0, mergeable=False), port=2) as second:
            fill_with_small_buffers(first)
            fill_with_small_buffers(second)
            ground.tell(f"{call_all(ground, caller):,} broadcasts sent")


def one_buffer_a_second(ground: Ground) -> None:
    with ground.attached(roomy(rx_fill=0)) as miser, ground.attached(roomy(), 1) as caller:
        announce(miser, TARGET)
        flood = Flood(caller, [frame(TARGET, SENDER, LONGEST)])
        given, given_at = 0, 0.0
        while ground.going():
            if time.monotonic() - given_at > 1:
                miser.fill_rx(1)
                given, given_at = given + 1, time.monotonic()
            flood.pump()
            time.sleep(PAUSE)
        ground.tell(f"{given} buffers given")


def without_buffers(ground: Ground) -> None:
    """The longest frames that there are, to a port that has never offered a buffer."""
    with ground.attached(roomy(rx_fill=0), 1) as closed, ground.attached(roomy()) as caller:
        announce(closed, TARGET)
        flood = Flood(caller, [frame(TARGET, SENDER, LONGEST)])
        while ground.going():
            flood.pump()
            time.sleep(PAUSE)


def broadcasts(ground: Ground) -> None:
    """As many as a ring takes, to everybody; who floods receives them as well."""
    with ground.attached(roomy()) as caller, ground.attached(roomy(rx_fill=0), 1) as other:
        flood = Flood(caller, [frame(BROADCAST, SENDER, SHORTEST)])
        size = 2048
        base = other.memory.alloc(other.rx.size * size)
        sink = Sink(other, ((base + n * size, size) for n in range(other.rx.size)))
        while ground.going():
            flood.pump()
            sink.pump()
            time.sleep(0.0005)


def random_senders(ground: Ground) -> None:
    """Each frame comes from an address that was never seen."""
    random, size = time.monotonic_ns() & 0xFFFFFF, 4096
    with ground.attached(roomy(size, 32)) as caller, ground.attached(roomy(rx_fill=0), 1) as closed:
        announce(closed, TARGET)
        frames = [frame(TARGET, SENDER, SHORTEST, n) for n in range(size)]
        flood = Flood(caller, frames)
        region, turns = caller.memory.regions[0], 0
        places = [address + caller.header_size - region.guest_phys_addr + 8
                  for address in flood.addresses]
        while ground.going():
            for at in places:
                random = random * 1103515245 + 12345 & 0xFFFFFFFF
                region.view[at:at + 4] = random.to_bytes(4, "big")
            flood.pump()
            turns += 1
        ground.tell(f"{turns * size:,} addresses")


ATTACKS = [
    Attack(
        "empty-chains", "time",
        "a receiveq of long chains of empty descriptors, never consumed, under broadcasts",
        empty_chains, ports=2, cases=(3, 6),
    ),
    Attack(
        "small-buffers", "time", "receive buffers of 0 to 13 bytes, under broadcasts",
        small_buffers, ports=3, cases=(3,),
    ),
    Attack(
        "one-buffer-a-second", "time", "a receiver that takes one buffer a second, under a flood",
        one_buffer_a_second, ports=2, cases=(6,),
    ),
    Attack(
        "without-buffers", "time", "the longest frames, flooded to a port that has no buffers",
        without_buffers, ports=2, cases=(6,),
    ),
    Attack("broadcasts", "time", "a flood of broadcasts", broadcasts, ports=2, crowds=True),
    Attack(
        "random-senders", "time", "a flood of frames from random addresses", random_senders, ports=2,
    ),
]

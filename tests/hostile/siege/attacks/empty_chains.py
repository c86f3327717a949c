# SPDX-License-Identifier: BSD-3-Clause
"""Receive queues whose buffers take long to walk and hold nothing."""

from __future__ import annotations

import time

from siege.attack import Attack, Ground
from vswitch.frames import BROADCAST, frame
from vswitch.frontend import RawFrontend, Setup
from vswitch.memory import MIB, RegionSpec
from vswitch.ring import NEXT, WRITE

RING = 1024
SENDER = "02:00:00:00:0a:01"


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


def receive_nothing(ground: Ground) -> None:
    """Broadcasts of our own second port are for our first one, which can hold none of them."""
    setup = Setup(ring_size=RING, rx_fill=0, regions=(RegionSpec(8 * MIB),))
    with ground.attached(setup) as trap, ground.attached(port=1) as caller:
        fill_with_long_chains(trap)
        trap.rx.publish()
        sent = 0
        while ground.going():
            caller.send(*(frame(BROADCAST, SENDER, 1400, n) for n in range(64)), timeout=60.0)
            sent += 64
            while caller.poll() is not None:
                pass
            time.sleep(0.005)
        ground.tell(f"{sent} broadcasts sent")


ATTACKS = [
    Attack(
        "empty-chains", "time",
        "a receiveq of long chains of empty descriptors, never consumed, under broadcasts",
        receive_nothing, ports=2, cases=(3,),
    ),
]

# SPDX-License-Identifier: BSD-3-Clause
"""A receiver that looks for bytes that were never meant for it."""

from __future__ import annotations

import random

from siege.attack import Attack, Ground
from siege.floods import SENDER, TARGET
from support.frames import frame, is_intact
from support.frontend import RawFrontend
from support.ring import Segment

CANARY = b"\xC5"
SIZE = 16 * 1024
STARTS = 2048


def offer_marked(frontend: RawFrontend, chance: random.Random) -> list[int]:
    """Chains of odd buffers, with marked bytes around each; the places of their neighbourhoods."""
    ring, memory = frontend.rx, frontend.memory
    places = []
    while ring.free >= 8:
        place = memory.alloc(SIZE)
        memory.write(place, CANARY * SIZE)
        pieces = chance.choice((0, 4))
        lengths = [chance.choice((1, 7, 12, 13, 64, 100, 1526)) for _ in range(pieces)]
        at, segments = place + 64, []
        for length in [*lengths, STARTS]:
            segments.append(Segment(at, length, True))
            at += length + 64
        ring.add(segments, owned=[(place, SIZE, 0)])
        places.append(place)
    ring.publish()
    return places


def look_through(frontend: RawFrontend, wanted: set[bytes]) -> int:
    """What was received is one of the frames, whole; not a byte beside it was written."""
    memory, seen = frontend.memory, 0
    for chain, length in frontend.rx.reap():
        place = chain.owned[0][0]
        there = memory.read(place, SIZE)
        expected, data = bytearray(CANARY * SIZE), b""
        for segment in chain.segments:
            part = min(segment.length, length - len(data))
            start = segment.address - place
            data += there[start:start + part]
            expected[start:start + part] = there[start:start + part]
        assert there == expected, "bytes beside the frame were written"
        body = data[frontend.header_size:]
        assert data[:frontend.header_size - 2] == bytes(frontend.header_size - 2), "a header's bytes"
        assert not body or body in wanted or is_intact(body), f"not our frame: {body[:40].hex()}"
        seen += 1
    return seen


def thief(ground: Ground) -> None:
    """Frames of every length from 14 bytes on, to a receiver that checks all of its memory."""
    chance, seen = random.Random(ground.pid), 0
    with ground.attached() as sender:
        setup = sender.setup.__class__(ring_size=256, rx_fill=0)
        with ground.attached(setup, 1) as receiver:
            receiver.send(frame("ff:ff:ff:ff:ff:ff", TARGET))
            receiver.flush()
            while ground.going():
                offer_marked(receiver, chance)
                sizes = [chance.randrange(14, 1515) for _ in range(16)]
                frames = [frame(TARGET, SENDER, size, chance.randrange(1 << 62)) for size in sizes]
                sender.send(*frames)
                sender.flush()
                seen += look_through(receiver, set(frames))
                while sender.poll() is not None:
                    pass
    ground.tell(f"{seen:,} frames, and no byte besides")


ATTACKS = [
    Attack("thief", "secrets", "a receiver that looks for bytes that are not its frames'", thief,
           ports=2),
]

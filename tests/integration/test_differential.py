# SPDX-License-Identifier: BSD-3-Clause
"""One random stream through two backends: the switch, and DPDK's own vhost ports.

Both get the same frames from the same kind of frontend, in the same bursts, in both directions.
What leaves on the other side must be the same frames, in the same order, byte for byte: the
oracle is a backend that somebody else wrote. testpmd with two `net_vhost` ports in `io` mode sends
everything to the other port; where a learning bridge must differ, DIFFERENCES says so and why.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Callable, Iterator, Optional, Type

import pytest
from support import RawFrontend, Registry, Setup, Switch, Testpmd, wait_until
from support.frames import BROADCAST, frame, mac_text
from support.memory import MIB, RegionSpec
from support.messages import Feature
from support.ring import Chain

SIZES = (60, 1514)
ROUNDS = 24
BURST_MOST = 64
RECEIVE_BUFFERS = 128
ADDRESSES = 8
SEEDS = {
    setup: 20 + number for number, setup in enumerate(product((True, False), repeat=3))
}


def own_address(side: int, number: int) -> str:
    return mac_text((side + 1) << 16 | number)


@dataclass(frozen=True)
class Sent:
    side: int
    destination: str
    data: bytes


def is_reserved(sent: Sent) -> bool:
    return sent.destination.startswith("01:80:c2:00:00:0")


def is_own_side(sent: Sent) -> bool:
    return sent.destination == own_address(sent.side, 0)


# What testpmd passes on and a bridge does not: drop reason, which frames, and why.
DIFFERENCES: tuple[tuple[str, Callable[[Sent], bool], str], ...] = (
    ("reserved-address", is_reserved, "IEEE 802.1Q, 8.6.3: 01-80-C2-00-00-00 to 0F stay on a link"),
    ("same-port", is_own_side, "IEEE 802.1Q, 8.6.1: never back to the port of reception"),
)


def reason_to_differ(sent: Sent) -> Optional[str]:
    for reason, applies, _ in DIFFERENCES:
        if applies(sent):
            return reason
    return None


def choose_destination(rng: random.Random, side: int) -> str:
    """The other side's addresses, learned or not, groups, and now and then a difference."""
    return rng.choices((
        own_address(1 - side, rng.randrange(ADDRESSES)),
        BROADCAST,
        f"01:00:5e:00:00:{rng.randrange(256):02x}",
        f"01:80:c2:00:00:{rng.randrange(16, 256):02x}",
        mac_text(0xFF0000 | rng.randrange(1000)),
        f"01:80:c2:00:00:0{rng.randrange(16):x}",
        own_address(side, 0),
    ), (60, 10, 10, 4, 10, 3, 3))[0]


def stream(seed: int) -> Iterator[list[Sent]]:
    """Bursts, first one that teaches the switch where the stations are whose side matters."""
    rng = random.Random(seed)
    number = seed << 20
    for side in (0, 1):
        data = frame(BROADCAST, own_address(side, 0), SIZES[0], number - side - 1)
        yield [Sent(side, BROADCAST, data)]
    for turn in range(ROUNDS):
        burst = []
        for _ in range(rng.randint(1, BURST_MOST)):
            side = rng.randrange(2) if turn % 3 == 0 else turn % 2
            destination = choose_destination(rng, side)
            size = rng.choice((rng.randint(*SIZES), *SIZES))
            number += 1
            data = frame(destination, own_address(side, rng.randrange(ADDRESSES)), size, number)
            burst.append(Sent(side, destination, data))
        yield burst


def pass_through(
    frontends: list[RawFrontend], bursts: list[list[Sent]], expected: Callable[[Sent], bool],
    layouts: random.Random, indirect: bool,
) -> list[list[bytes]]:
    """Sends each burst when the one before has come through; what each side received.

    So no ring is ever full, and nothing may be lost. A frame too many shows at the end.
    """
    received: list[list[bytes]] = [[], []]
    for burst in bursts:
        for sent in burst:
            cut = [layouts.randint(1, 30)] if layouts.random() < 0.3 else None
            frontends[sent.side].send(
                sent.data, layout=cut, indirect=indirect and layouts.random() < 0.5, kick=False
            )
        for frontend in frontends:
            frontend.tx.publish()
        for side in (0, 1):
            due = sum(expected(sent) for sent in burst if sent.side != side)
            received[side] += [frontends[side].receive(10.0).frame for _ in range(due)]
    for side in (0, 1):
        frontends[side].flush()
        extra = frontends[side].poll()
        assert extra is None, f"side {side} received a frame too many: {extra}"
    return received


class LenientFrontend(RawFrontend):
    """For the vhost library: without mergeable buffers it leaves num_buffers as it finds it.

    VIRTIO 1.1, 5.1.6.4.1 says that it must be 1, which is what drivers then assume.
    """

    def _read_chain(self, chain: Chain, length: int) -> bytes:
        data = super()._read_chain(chain, length)
        return data if self.has(Feature.MRG_RXBUF) else data[:10] + b"\1\0" + data[12:]


def connect(kind: Type[RawFrontend], paths: list[Path], setup: Setup) -> list[RawFrontend]:
    frontends = [kind(path, setup).handshake() for path in paths]
    for frontend in frontends:
        assert frontend.has(Feature.MRG_RXBUF) == setup.mergeable
        assert frontend.has(Feature.INDIRECT_DESC) == setup.indirect
        assert frontend.has(Feature.IN_ORDER) == setup.in_order
    return frontends


def through_testpmd(
    registry: Registry, workdir: Path, setup: Setup, bursts: list[list[Sent]], seed: int
) -> list[list[bytes]]:
    paths = [workdir / f"v{side}.sock" for side in (0, 1)]
    vdevs = [f"net_vhost{side},iface={path},queues=1" for side, path in enumerate(paths)]
    testpmd = Testpmd(registry, vdevs, "--no-flush-rx")
    frontends = connect(LenientFrontend, paths, setup)
    try:
        wait_until("the links are up", lambda: links_up(testpmd))
        testpmd.forward("io")
        return pass_through(
            frontends, bursts, lambda sent: True, random.Random(seed), setup.indirect
        )
    finally:
        for frontend in frontends:
            frontend.close()
        testpmd.kill()


def links_up(testpmd: Testpmd) -> bool:
    text = testpmd.command("show port summary all")
    return text.count(" up ") == 2


def through_switch(
    switch: Switch, setup: Setup, bursts: list[list[Sent]], seed: int
) -> list[list[bytes]]:
    for side in (0, 1):
        switch.add_port(f"p{side}")
    paths = [switch.path(f"p{side}") for side in (0, 1)]
    frontends = connect(RawFrontend, paths, setup)
    try:
        for side in (0, 1):
            switch.wait_state(f"p{side}", "up")
        received = pass_through(
            frontends, bursts, lambda sent: reason_to_differ(sent) is None, random.Random(seed),
            setup.indirect,
        )
        switch.conservation()
        return received
    finally:
        for frontend in frontends:
            frontend.close()


@pytest.mark.parametrize(
    "mergeable, indirect, in_order", SEEDS,
    ids=lambda value: str(value).lower(),
)
def test_same_frames_as_dpdk_vhost(
    switch: Switch, registry: Registry, workdir: Path, mergeable: bool, indirect: bool,
    in_order: bool,
) -> None:
    seed = SEEDS[mergeable, indirect, in_order]
    print(f"seed {seed}")
    setup = Setup(
        mergeable=mergeable, indirect=indirect, in_order=in_order, rx_fill=RECEIVE_BUFFERS,
        ring_size=256, regions=(RegionSpec(16 * MIB),),
    )
    bursts = list(stream(seed))
    theirs = through_testpmd(registry, workdir, setup, bursts, seed)
    ours = through_switch(switch, setup, bursts, seed)
    everything = [sent for burst in bursts for sent in burst]
    differing = {sent.data for sent in everything if reason_to_differ(sent)}
    for side in (0, 1):
        common = [data for data in theirs[side] if data not in differing]
        assert len(common) > 100
        for number, (our, their) in enumerate(zip(ours[side], common)):
            assert our == their, f"seed {seed}: frame {number} on side {side} differs"
        assert len(ours[side]) == len(common), f"seed {seed}"
    check_differences(switch, everything)


def check_differences(switch: Switch, everything: list[Sent]) -> None:
    """Every frame that the switch kept back is counted for the reason that the table gives."""
    for side in (0, 1):
        reasons = (reason_to_differ(sent) for sent in everything if sent.side == side)
        wanted = Counter(reason for reason in reasons if reason)
        assert len(wanted) == len(DIFFERENCES), "the stream has no frame for a difference"
        assert switch.drops(f"p{side}") == wanted

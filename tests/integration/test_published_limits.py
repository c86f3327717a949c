# SPDX-License-Identifier: BSD-3-Clause
"""DPDK test suite, plans vhost_1024_ethports and vhost_pmd_xstats: ports until one is refused, and
counters that are exact to the frame. (A thousand sessions: test_limits.py.)"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from support import Registry, Switch, Testpmd
from support.fixture_types import MakeSwitch
from support.frames import BROADCAST
from support.testpmd import virtio_user
from vswitch import RpcError

PORTS_MAX = 1024
FRAMES = 10_000
BURST = 100
SIZES = (64, 128, 255, 512, 1024, 1523)
LARGEST = 1518  # Ethernet header, one VLAN tag, 1,500 bytes
RING = 16384  # all frames of one kind fit: nothing may be lost, however the CPUs are shared
SENDER, FIRST, SECOND = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
GROUP = "01:00:5e:00:00:01"


def test_ports_until_one_is_refused(make_switch: MakeSwitch) -> None:
    """vhost_1024_ethports: 1,024 ports; the next is refused by a message with limit and remedy.

    The plan's limit, RTE_MAX_ETHPORTS, ends testpmd at its start. Here what exists goes on, and a
    deleted port makes room for one, not for two.
    """
    switch = make_switch("--memory", "128")
    for number in range(PORTS_MAX):
        switch.add_port(f"p{number}")
    for name in ("over", "again"):
        with pytest.raises(RpcError) as caught:
            switch.add_port(name)
        message = caught.value.message
        assert name in message and str(PORTS_MAX) in message and "delete" in message, message
        assert len(switch.call("port.list")) == PORTS_MAX
        switch.call("port.delete", name="p0" if name == "over" else "p1")
        switch.add_port(name)
    assert not switch.path("p0").exists()
    assert switch.path("again").exists()
    assert switch.call("switch.status")["fdb"]["entries"] == 0


@dataclass(frozen=True)
class Kind:
    name: str
    destination: str
    receivers: tuple[str, ...]


KINDS = (
    Kind("unicast", FIRST, ("b",)),
    Kind("multicast", GROUP, ("b", "c")),
    Kind("broadcast", BROADCAST, ("b", "c")),
)


@pytest.fixture
def ends(switch: Switch, registry: Registry) -> tuple[Testpmd, Testpmd]:
    """A sender on port `a`; a receiver whose ports are `b` and `c`."""
    for port in ("a", "b", "c"):
        switch.add_port(port)
    sender = Testpmd.frontend(
        registry, switch.path("a"), f"--rxd={RING}", f"--txd={RING}",
        options=f"mac={SENDER},queue_size={RING}", mbufs=3 * RING,
    )
    vdevs = [
        virtio_user(number, switch.path(port), f"mac={mac},queue_size={RING}")
        for number, (port, mac) in enumerate((("b", FIRST), ("c", SECOND)))
    ]
    receiver = Testpmd(registry, vdevs, f"--rxd={RING}", mbufs=3 * RING)
    for port in ("a", "b", "c"):
        switch.wait_state(port, "up")
    switch.call("fdb.add", mac=FIRST, port="b")
    return sender, receiver


def test_counters_are_exact(switch: Switch, ends: tuple[Testpmd, Testpmd]) -> None:
    """vhost_pmd_xstats: 10,000 frames of six sizes to one station, to a group, to all.

    Every counter of every port is as it must be to the frame and the byte, the receivers count the
    same, and clearing leaves nothing. 1,523 bytes are more than MTU 1,500 allows: at first
    all of them are counted as too big, and with a larger MTU all arrive.
    """
    sender, receiver = ends
    receiver.forward("rxonly")
    for size in SIZES:
        if size > LARGEST:
            send_kind(switch, sender, KINDS[0], size)
            check_refused(switch, size)
            for port in ("a", "b", "c"):
                switch.call("port.set", name=port, mtu=size)
        for kind in KINDS:
            before = [receiver.stats(number) for number in (0, 1)]
            send_kind(switch, sender, kind, size)
            check_delivered(switch, receiver, kind, size, before)
    sender.quit()
    receiver.quit()


def send_kind(switch: Switch, sender: Testpmd, kind: Kind, size: int) -> None:
    """Sends them all after every counter was cleared."""
    switch.conservation()
    assert sorted(switch.call("stats.clear")["cleared"]) == ["a", "b", "c"]
    for port in ("a", "b", "c"):
        switch.wait_only(port)
    sender.command(f"set eth-peer 0 {kind.destination}")
    assert sender.send_bursts(FRAMES // BURST, size, burst=BURST) == FRAMES
    switch.wait_stats("a", rx_frames=FRAMES)


def check_delivered(
    switch: Switch, receiver: Testpmd, kind: Kind, size: int, before: list[dict[str, int]]
) -> None:
    """`before` are the receiver's own counters: testpmd cannot clear them while it polls."""
    switch.conservation()
    switch.wait_only(
        "a", rx_frames=FRAMES, rx_bytes=FRAMES * size, copies_due=FRAMES * len(kind.receivers),
    )
    for number, port in enumerate(("b", "c")):
        due = FRAMES if port in kind.receivers else 0
        if due:
            switch.wait_only(port, tx_frames=due, tx_bytes=due * size)
        else:
            switch.wait_only(port)
        seen = receiver.wait_received(before[number]["RX-packets"] + due, port=number)
        assert seen["RX-packets"] - before[number]["RX-packets"] == due
        assert seen["RX-bytes"] - before[number]["RX-bytes"] == due * size


def check_refused(switch: Switch, size: int) -> None:
    switch.conservation()
    switch.wait_only(
        "a", rx_frames=FRAMES, rx_bytes=FRAMES * size, copies_due=FRAMES, too_big=FRAMES,
    )
    for port in ("b", "c"):
        switch.wait_only(port)

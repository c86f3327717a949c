# SPDX-License-Identifier: BSD-3-Clause
"""Published cases with virtual machines, by the names of their plans in DPDK's test suite.

Their parts for one queue and split rings. The machines have no MSI-X (see vm.py), so that
`vectors=15` of the first plan is left out.
"""

from __future__ import annotations

import re

import pytest
from support import wait_until
from two_guests import CARDS, CARDS_OF, DPDK, TwoGuests

pytestmark = pytest.mark.timeout(480)

OLD_AND_NEW = [card.name for card in CARDS if card.name in ("plain", "single", "legacy", "oldest")]


@pytest.mark.parametrize("card", OLD_AND_NEW)
def test_virtio_pvp_regression(two_guests: TwoGuests, card: str) -> None:
    """virtio 0.95 (10-byte header where not mergeable) and 1.0; 64 and 1518 bytes with the FCS."""
    for frame in (64, 1518):
        two_guests.ping("a", card, DPDK, frame - 4 - 14 - 20 - 8, count=5)


def test_virtio_pvp_regression_kill(two_guests: TwoGuests) -> None:
    """kill -9 of QEMU under traffic frees its ports; the next QEMU is served like the first."""
    address = two_guests.address("a", "plain")
    two_guests.serve(("b", "plain"), "flood", f"busybox ping -A -s 1472 {address}", "true")
    seen = two_guests.received("b-plain")
    wait_until("pings flow", lambda: two_guests.received("b-plain") > seen + 50, 20.0)
    two_guests.guests["b"].kill()
    for card in CARDS_OF["b"]:
        two_guests.switch.wait_state(f"b-{card.name}", "waiting")
    two_guests.ping("a", "plain", DPDK)
    two_guests.guests["b"].boot()
    two_guests.settle(two_guests.guests["b"])
    for card in CARDS_OF["b"]:
        two_guests.ping("b", card.name, two_guests.address("a", card.name))


@pytest.mark.parametrize("card", ["plain", "single"])
def test_vm2vm_virtio_net_perf(two_guests: TwoGuests, card: str) -> None:
    """TCP segments larger than any Ethernet frame cross the switch, in both directions."""
    features = two_guests.run("a", card, "ethtool -k eth0")
    for name in ("tcp-segmentation", "tcp-ecn-segmentation", "tcp6-segmentation"):
        found = re.search(rf"{name}(?:-offload)?: (\w+)", features)
        assert found is not None and found[1] == "on", features
    for sender, receiver in (("a", "b"), ("b", "a")):
        ports = f"{sender}-{card}", f"{receiver}-{card}"
        before = [two_guests.switch.stats(port) for port in ports]
        two_guests.iperf((sender, card), (receiver, card), "32M")
        two_guests.copy((sender, card), (receiver, card))
        after = [two_guests.switch.stats(port) for port in ports]
        for way, old, new in zip(("rx", "tx"), before, after):
            frames = new[f"{way}_frames"] - old[f"{way}_frames"]
            assert new[f"{way}_bytes"] - old[f"{way}_bytes"] > 1522 * frames


@pytest.mark.parametrize("mtu", [68, 1500, 9000, 65535])
def test_vhost_qemu_mtu(two_guests: TwoGuests, mtu: int) -> None:
    """The guest has the MTU that its host gives; a larger frame for it is counted, and no other.

    Also where the port's own MTU is larger: QEMU tells the switch of the card's.
    """
    card, port = f"mtu{mtu}", f"a-mtu{mtu}"
    assert two_guests.run("a", card, "cat /sys/class/net/eth0/mtu").strip() == str(mtu)
    assert two_guests.switch.port(port)["mtu"] == mtu
    to = two_guests.address("a", card)
    other = "mtu65535" if mtu < 65535 else "mtu9000"
    drops = two_guests.switch.stats(port)["drops"]["too-big"]  # of frames that were for everybody
    two_guests.ping("a", other, to, min(mtu, 9000) - 28)
    two_guests.switch.wait_stats(port, too_big=drops)
    if mtu < 65535:
        two_guests.lose("a", other, to, mtu - 28 + 5)
        two_guests.switch.wait_stats(port, too_big=drops + 1)
        two_guests.switch.call("port.set", name=port, mtu=65535)
        two_guests.lose("a", other, to, mtu - 28 + 5)
        two_guests.switch.wait_stats(port, too_big=drops + 2)

# SPDX-License-Identifier: BSD-3-Clause
"""QEMU guests as frontends: Linux drives cards of every kind against the switch."""

from __future__ import annotations

import pytest
from support import VuserClient
from two_guests import CARDS, CARDS_OF, DPDK, Card, Seat, TwoGuests

pytestmark = pytest.mark.timeout(480)

KINDS = [card for card in CARDS if not card.name.startswith("mtu")]
NAMES = [card.name for card in KINDS]
PAIRS = [
    (("a", "plain"), ("b", "plain")),
    (("b", "single"), ("a", "single")),
    (("a", "served"), ("b", "served")),
    (("a", "legacy"), ("b", "plain")),
    (("b", "plain"), ("a", "oldest")),
    (("a", "bare"), ("b", "plain")),
    (("b", "plain"), ("a", "oldbare")),
]


@pytest.mark.parametrize("card", KINDS, ids=NAMES)
def test_card_agrees_on_what_it_has(two_guests: TwoGuests, card: Card) -> None:
    """The features in show-port are those that the card's properties leave of the switch's."""
    wanted = {
        "VIRTIO_F_VERSION_1": "disable-modern=on" not in card.properties,
        "VIRTIO_NET_F_MRG_RXBUF": "mrg_rxbuf=off" not in card.properties,
        "VIRTIO_NET_F_CSUM": ",csum=off" not in f",{card.properties}",
        "VIRTIO_NET_F_GUEST_TSO4": "guest_tso4=off" not in card.properties,
        "VIRTIO_NET_F_HOST_TSO6": "host_tso6=off" not in card.properties,
    }
    features = two_guests.features(f"a-{card.name}")
    assert {name: name in features for name in wanted} == wanted


@pytest.mark.parametrize("card", KINDS, ids=NAMES)
def test_guest_and_dpdk_ping_each_other(two_guests: TwoGuests, card: Card) -> None:
    two_guests.ping("a", card.name, DPDK)
    two_guests.switch.add_port("pinger", may_exist=True)
    pinger = VuserClient(
        two_guests.site.registry, two_guests.switch.path("pinger"), "ping",
        two_guests.address("a", card.name),
        "--count", "3", "--interval", "0.1", ip="10.5.9.2/16", mac="02:00:00:05:09:02",
    )
    assert pinger.result()["received"] == 3


@pytest.mark.parametrize("sender, receiver", PAIRS, ids=["-".join(a + b) for a, b in PAIRS])
def test_two_guests_run_iperf(two_guests: TwoGuests, sender: Seat, receiver: Seat) -> None:
    assert two_guests.iperf(sender, receiver) > 1


def test_guest_fills_its_memory_under_traffic(two_guests: TwoGuests) -> None:
    """Its memory is sparse at first: pages that the switch touches first are none of its faults."""
    seat: Seat = ("a", "plain")
    two_guests.start_iperf(seat)
    two_guests.guests["a"].start("fill", "dd if=/dev/zero of=/run/filled bs=1M count=80")
    two_guests.run("b", "plain", f"iperf3 -c {two_guests.address(*seat)} -n 16M", 90.0)
    two_guests.served(seat, "iperf")
    two_guests.served(seat, "fill")
    two_guests.guests["a"].run("test $(wc -c </run/filled) -eq 83886080 && rm /run/filled")
    port = two_guests.switch.port("a-plain")
    assert port["state"] == "up" and port["fault"] is None
    assert "memory-limit" not in two_guests.switch.drops("a-plain")


def test_reboot_of_a_guest(two_guests: TwoGuests) -> None:
    """Its cards come back by themselves, and nobody else notices."""
    two_guests.guests["b"].reboot()
    two_guests.settle(two_guests.guests["b"])
    for card in CARDS_OF["b"]:
        two_guests.ping("b", card.name, two_guests.address("a", card.name))


def test_death_of_the_switch(two_guests: TwoGuests) -> None:
    """QEMU finds the next one, or is found, and TCP between the guests goes on."""
    two_guests.restart()
    for card in CARDS_OF["b"]:
        two_guests.ping("b", card.name, two_guests.address("a", card.name))
        two_guests.ping("a", card.name, DPDK)
    assert two_guests.iperf(("a", "plain"), ("b", "served")) > 1

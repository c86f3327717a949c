# SPDX-License-Identifier: BSD-3-Clause
"""One switch and two guests with a network card of each kind, all on it: what tests of it share.

Each card has a network namespace of its own in its guest, so that one guest stands for many
machines; everybody's address lies in 10.5.0.0/16.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Iterator, Sequence

import pytest
from support import Switch, VuserClient
from support.vm import COMMAND_LIMIT, Guest, Nic
from support.vm_plugin import Site

DPDK, DPDK_MAC = "10.5.9.1", "02:00:00:05:09:01"
OFFLOADS = ("csum", "guest_csum", "host_tso4", "guest_tso4", "guest_ecn")
ALL_OFFLOADS = (
    *OFFLOADS, "gso", "host_tso6", "host_ecn", "host_ufo", "guest_tso6", "guest_ufo",
)


def each(properties: Sequence[str], value: str) -> str:
    return ",".join(f"{name}={value}" for name in properties)


@dataclass(frozen=True)
class Card:
    """A guest's network card: its name is its namespace's and, after the guest's, its port's."""

    name: str
    properties: str = ""
    serves: bool = False
    mtu: int = 1500


PUBLISHED = each(OFFLOADS, "on")
CARDS = (
    Card("plain", PUBLISHED),
    Card("single", f"{PUBLISHED},mrg_rxbuf=off"),
    Card("served", serves=True),
    Card("legacy", "disable-modern=on"),
    Card("oldest", "disable-modern=on,mrg_rxbuf=off"),
    Card("bare", each(ALL_OFFLOADS, "off")),
    Card("oldbare", f"disable-modern=on,mrg_rxbuf=off,{each(ALL_OFFLOADS, 'off')}"),
    *(Card(f"mtu{mtu}", f"host_mtu={mtu}", mtu=mtu) for mtu in (68, 1500, 9000, 65535)),
)
CARDS_OF = {"a": CARDS, "b": CARDS[:3]}

Seat = tuple[str, str]  # the names of a guest and of a card in it


class TwoGuests:
    def __init__(self, site: Site, switch: Switch) -> None:
        self.site = site
        self.switch = switch
        self.guests: dict[str, Guest] = {}
        self.ports: dict[str, dict[str, Any]] = {}
        self.add_port("dpdk")
        self.dpdk = self._start_dpdk()
        for name, cards in CARDS_OF.items():
            self.guests[name] = site.guest(name, [self._plug(name, card) for card in cards])
        for guest in self.guests.values():
            guest.launch()
        for guest in self.guests.values():
            guest.wait_up()
            self.settle(guest)

    def _start_dpdk(self) -> VuserClient:
        """Always with the same MAC address: the guests remember it for a while."""
        return VuserClient(
            self.site.registry, self.switch.path("dpdk"), "respond", ip=f"{DPDK}/16", mac=DPDK_MAC
        ).wait_ready()

    def add_port(self, name: str, **options: Any) -> None:
        """A port that is there again after `restart`."""
        self.ports[name] = options
        self.switch.add_port(name, **options)

    def restart(self) -> None:
        """The switch dies and is started again; the guests find it by themselves."""
        self.switch.kill()
        self.dpdk.kill()
        self.switch.start()
        for name, options in self.ports.items():
            self.switch.add_port(name, **options)
        self.dpdk = self._start_dpdk()
        for guest in self.guests.values():
            self.wait_up(guest)

    def _plug(self, guest: str, card: Card) -> Nic:
        port = f"{guest}-{card.name}"
        path = self.switch.path(port)
        options = {"connect": str(path)} if card.serves else {}
        self.add_port(port, mtu=card.mtu, **options)
        return Nic(path, self.mac(guest, card.name), card.properties, card.serves)

    @staticmethod
    def mac(guest: str, card: str) -> str:
        number = [card.name for card in CARDS].index(card)
        return f"02:00:00:05:{ord(guest) - ord('a'):02x}:{number:02x}"

    @staticmethod
    def address(guest: str, card: str) -> str:
        number = [card.name for card in CARDS].index(card)
        return f"10.5.{ord(guest) - ord('a')}.{number + 1}"

    def settle(self, guest: Guest) -> None:
        """After a boot: gives each card its namespace and address, and waits for its port."""
        name = guest.name
        listing = guest.run("grep . /sys/class/net/*/address")
        device = {mac: path.split("/")[4] for path, mac in re.findall(r"(.+?):(.+)", listing)}
        script = ["set -e"]
        for card in CARDS_OF[name]:
            inside = card.name
            first = f"link set {device[self.mac(name, inside)]} netns {inside} name eth0"
            second = f"addr add {self.address(name, inside)}/16 dev eth0\\nlink set eth0 up"
            script += [
                f"printf 'netns add {inside}\\n{first}\\n' | ip -batch -",
                f"printf '{second}\\n' | ip -n {inside} -batch -",
            ]
        guest.run("\n".join(script))
        self.wait_up(guest)

    def wait_up(self, guest: Guest) -> None:
        for card in CARDS_OF[guest.name]:
            self.switch.wait_state(f"{guest.name}-{card.name}", "up", 20.0)

    def run(self, guest: str, card: str, command: str, timeout: float = COMMAND_LIMIT) -> str:
        """Runs a command in the namespace of a card."""
        return self.guests[guest].run(f"ip netns exec {card} {command}", timeout)

    def ping(self, guest: str, card: str, to: str, payload: int = 56, count: int = 2) -> None:
        """The kernel behind a card pings; every reply must come."""
        command = f"ip netns exec {card} busybox ping -c {count} -i 0.2 -W 10 -s {payload} {to}"
        out = self.guests[guest].attempt(command)[1]
        ports = [self.switch.port(port) for port in (f"{guest}-{card}", "dpdk")]
        assert f"{count} packets received" in out, f"{out}\n{ports}"

    def lose(self, guest: str, card: str, to: str, payload: int) -> None:
        """As `ping`, once, and no reply may come."""
        command = f"ip netns exec {card} busybox ping -c 1 -W 1 -s {payload} {to}"
        out = self.guests[guest].attempt(command)[1]
        assert "0 packets received" in out, out

    def iperf(self, sender: Seat, receiver: Seat, amount: str = "8M") -> float:
        """TCP from one card to another; Mbit/s as the receiver has seen them."""
        self.start_iperf(receiver)
        out = self.run(*sender, f"iperf3 -c {self.address(*receiver)} -n {amount} -f m")
        self.served(receiver, "iperf")
        found = re.search(r"([\d.]+) Mbits/sec +receiver", out)
        assert found is not None, out
        return float(found[1])

    def start_iperf(self, seat: Seat) -> None:
        """Starts a server for one client in the namespace of a card."""
        self.serve(seat, "iperf", "iperf3 -s -1 --forceflush", "grep -q listening /run/iperf.log")

    def copy(self, sender: Seat, receiver: Seat) -> None:
        """A file of 1 MB over TCP; its digest must be the same at the other side."""
        listening = f"ip netns exec {receiver[1]} ss -Hltn | grep -q :7000"
        self.serve(receiver, "copy", "socat -u TCP-LISTEN:7000 CREATE:/run/copied", listening)
        sent = self.guests[sender[0]].run(
            "head -c 1048576 /dev/urandom >/run/file; sha256sum </run/file;"
            f"ip netns exec {sender[1]} socat -u FILE:/run/file TCP:{self.address(*receiver)}:7000"
        )
        self.served(receiver, "copy")
        assert self.guests[receiver[0]].run("sha256sum </run/copied") == sent

    def serve(self, seat: Seat, name: str, command: str, ready: str) -> None:
        """Starts a server in the namespace of a card, and waits until `ready` succeeds."""
        guest, card = seat
        self.guests[guest].start(name, f"ip netns exec {card} {command}")
        self.guests[guest].wait(ready)

    def served(self, seat: Seat, name: str) -> None:
        """Waits for the end of a server that leaves after one client."""
        self.guests[seat[0]].wait(f"! [ -d /proc/$(cat /run/{name}.pid) ]")

    def received(self, port: str) -> int:
        """How many frames the switch has had from a port."""
        frames: int = self.switch.stats(port)["rx_frames"]
        return frames

    def features(self, port: str) -> set[str]:
        return set(self.switch.port(port)["session"]["features"])



@pytest.fixture(scope="session")
def two_guests(site: Site) -> Iterator[TwoGuests]:
    """Shared by all tests that use it; the switch must leave cleanly after the last."""
    switch = Switch(site.registry, site.directory / "s").start()
    two_guests = TwoGuests(site, switch)
    yield two_guests
    for guest in two_guests.guests.values():
        guest.kill()
    two_guests.dpdk.stop()
    switch.finish()

# SPDX-License-Identifier: BSD-3-Clause
"""A station on a port: a raw frontend that has a MAC address, and what tests say to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from support.frames import BROADCAST, frame
from support.frontend import RawFrontend


@dataclass
class Station:
    port: str
    mac: str
    frontend: RawFrontend
    sent: int = 0

    def build(self, to: Station | str, size: int = 64) -> bytes:
        """The next frame from here; each has a seed, so contents, of its own."""
        self.sent += 1
        seed = int(self.mac.replace(":", ""), 16) << 24 | self.sent
        return frame(to if isinstance(to, str) else to.mac, self.mac, size, seed & (1 << 63) - 1)

    def send(self, to: Station | str, size: int = 64, **how: Any) -> bytes:
        """Sends one frame, and returns it."""
        data = self.build(to, size)
        self.frontend.send(data, **how)
        return data

    def expect(self, *frames: bytes, timeout: float = 5.0) -> None:
        """The next frames here are these, byte for byte."""
        for wanted in frames:
            seen = self.frontend.receive(timeout).frame
            assert seen == wanted, (
                f"{self.port}: got {len(seen)} bytes {seen[:32].hex()}, "
                f"wanted {len(wanted)} bytes {wanted[:32].hex()}"
            )

    def announce(self, *others: Station) -> None:
        """Broadcasts a frame, so that the switch learns this station; the others take it."""
        data = self.send(BROADCAST)
        for other in others:
            other.expect(data)


def fence(sender: Station, receivers: Sequence[Station]) -> None:
    """Proves that the receivers have nothing else to come from this sender.

    A queue is forwarded in order: whatever was sent before would come before this broadcast.
    """
    data = sender.send(BROADCAST)
    for receiver in receivers:
        receiver.expect(data)


def introduce(stations: Sequence[Station]) -> None:
    """Lets the switch learn every station."""
    for station in stations:
        station.announce(*(other for other in stations if other is not station))

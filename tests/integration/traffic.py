# SPDX-License-Identifier: BSD-3-Clause
"""Traffic that must lose nothing, in the background of a test."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Optional, Sequence, Type

from support.frames import frame, is_intact, seed_of
from support.station import Station

BURST = 32


class PairTraffic:
    """Bursts between two stations, each burst received whole before the next is sent.

    So the receiver always has room, and a frame that is missing was lost by the switch. Some
    frames for `others` (MAC addresses) go along; nobody counts these.
    """

    def __init__(self, a: Station, b: Station, others: Sequence[str] = ()) -> None:
        self.a, self.b = a, b
        self.others = others
        self.frames = 0
        self._stop = threading.Event()
        self._error: Optional[BaseException] = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def check(self) -> int:
        """Frames so far; raises what went wrong, if anything did."""
        if self._error is not None:
            raise AssertionError(f"after {self.frames} frames") from self._error
        return self.frames

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._burst(self.a, self.b)
                self._burst(self.b, self.a)
        except BaseException as error:
            self._error = error

    def _burst(self, sender: Station, receiver: Station) -> None:
        frames = [
            frame(receiver.mac, sender.mac, 64 + number, self.frames + number)
            for number in range(BURST)
        ]
        sender.frontend.send(*frames)
        for other in self.others:
            sender.frontend.send(frame(other, sender.mac, 300))
        for number in range(BURST):
            seen = self._receive(receiver)
            assert is_intact(seen) and seed_of(seen) == self.frames + number, (
                f"{receiver.port}: got frame {seed_of(seen)}, wanted {self.frames + number}"
            )
        self.frames += BURST

    @staticmethod
    def _receive(receiver: Station) -> bytes:
        """The next frame for this station itself; floods are passed over."""
        own = bytes.fromhex(receiver.mac.replace(":", ""))
        while True:
            data = receiver.frontend.receive(10.0).frame
            if data[:6] == own:
                return data

    def __enter__(self) -> PairTraffic:
        sys.setswitchinterval(0.0002)  # the thread never waits for long: share the interpreter
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._stop.set()
        self._thread.join(30.0)
        sys.setswitchinterval(0.005)
        if kind is None:
            assert not self._thread.is_alive(), "the traffic does not end"
            self.check()

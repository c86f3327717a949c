# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of hostile frontends share: a victim port `v` between two bystanders."""

from __future__ import annotations

import os
import re
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

from support import RawFrontend, Switch, wait_until
from support.messages import VERSION, Disconnected, Refused, message
from support.station import Station

Say = Callable[[RawFrontend], None]
Bystanders = tuple[Station, Station]


def carry_on(pair: Bystanders) -> None:
    x, y = pair
    for sender, receiver in ((x, y), (y, x)):
        receiver.expect(sender.send(receiver))


def heals(switch: Switch, pair: Bystanders, port: str = "v") -> None:
    """A new frontend on the port finds everything in order."""
    with RawFrontend(switch.path(port)) as frontend:
        frontend.handshake()
        switch.wait_state(port, "up")
        victim = Station(port, "02:00:00:00:0f:0f", frontend)
        victim.announce(*pair)
        victim.expect(pair[0].send(victim))


def say_and_swallow(frontend: RawFrontend, say: Say) -> None:
    """Says it; a negative answer or the end of the connection is no surprise."""
    try:
        say(frontend)
    except (Refused, Disconnected):
        pass


def must_fault(
    switch: Switch, pair: Bystanders, frontend: RawFrontend, say: Say, words: str, port: str = "v"
) -> None:
    """Saying it ends the session, with these words on the port; the next frontend is served.

    A port whose sessions end so again and again takes rests: whoever does this in a loop takes
    other ports (`victims`).
    """
    say_and_swallow(frontend, say)
    frontend.wait_closed()
    found = switch.wait_state(port, "fault")
    fault = found["fault"]["text"]
    assert re.search(words, fault, re.IGNORECASE), fault
    assert fault in found["state_text"]
    carry_on(pair)
    heals(switch, pair, port)


@contextmanager
def paused(switch: Switch) -> Iterator[None]:
    """The switch stands still meanwhile: what is done herein it finds all at once."""
    stat = Path(f"/proc/{switch.pid}/stat")
    os.kill(switch.pid, signal.SIGSTOP)
    try:
        wait_until("it stands", lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
        yield
    finally:
        os.kill(switch.pid, signal.SIGCONT)


def victims(switch: Switch, count: int) -> list[str]:
    """So many ports more, each without a fault so far."""
    return [str(switch.add_port(f"v{number}")["name"]) for number in range(count)]


def raw(request: int, payload: bytes = b"", flags: int = VERSION, fds: int = 0) -> Say:
    """Sends a message as it is, with some eventfds."""

    def say(frontend: RawFrontend) -> None:
        assert frontend.tx.kick_fd is not None
        frontend.send_raw(message(request, payload, flags), [frontend.tx.kick_fd] * fds)

    return say


def open_descriptors(switch: Switch) -> int:
    return len(os.listdir(f"/proc/{switch.pid}/fd"))


def is_free(switch: Switch, port: str = "v") -> bool:
    """Whether no frontend is attached to the port."""
    return switch.port(port)["peer"] is None

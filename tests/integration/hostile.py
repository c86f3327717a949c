# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of hostile frontends share: a victim port `v` between two bystanders."""

from __future__ import annotations

import os
import re
from typing import Callable

from vswitch import RawFrontend, Switch
from vswitch.messages import VERSION, Disconnected, Refused, message
from vswitch.station import Station

Say = Callable[[RawFrontend], None]
Bystanders = tuple[Station, Station]


def carry_on(pair: Bystanders) -> None:
    x, y = pair
    for sender, receiver in ((x, y), (y, x)):
        receiver.expect(sender.send(receiver))


def heals(switch: Switch, pair: Bystanders) -> None:
    """A new frontend on the port `v` finds everything in order."""
    with RawFrontend(switch.path("v")) as frontend:
        frontend.handshake()
        switch.wait_state("v", "up")
        victim = Station("v", "02:00:00:00:0f:0f", frontend)
        victim.announce(*pair)
        victim.expect(pair[0].send(victim))


def say_and_swallow(frontend: RawFrontend, say: Say) -> None:
    """Says it; a negative answer or the end of the connection is no surprise."""
    try:
        say(frontend)
    except (Refused, Disconnected):
        pass


def must_fault(
    switch: Switch, pair: Bystanders, frontend: RawFrontend, say: Say, words: str
) -> None:
    """Saying it ends the session, with these words on the port; the next frontend is served."""
    say_and_swallow(frontend, say)
    frontend.wait_closed()
    port = switch.wait_state("v", "fault")
    fault = port["fault"]["text"]
    assert re.search(words, fault, re.IGNORECASE), fault
    assert fault in port["state_text"]
    carry_on(pair)
    heals(switch, pair)


def raw(request: int, payload: bytes = b"", flags: int = VERSION, fds: int = 0) -> Say:
    """Sends a message as it is, with some eventfds."""

    def say(frontend: RawFrontend) -> None:
        assert frontend.tx.kick_fd is not None
        frontend.send_raw(message(request, payload, flags), [frontend.tx.kick_fd] * fds)

    return say


def open_descriptors(switch: Switch) -> int:
    return len(os.listdir(f"/proc/{switch.pid}/fd"))


def is_free(switch: Switch) -> bool:
    """Whether no frontend is attached to the port `v`."""
    return switch.port("v")["peer"] is None

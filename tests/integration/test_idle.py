# SPDX-License-Identifier: BSD-3-Clause
"""An idle switch sleeps, and wakes without losing the first frame."""

from __future__ import annotations

import re
import time
from pathlib import Path

from bench.machine import process_seconds
from support import Registry, Setup, Switch, VuserClient, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from support.memory import MIB, RegionSpec
from support.ring import NO_NOTIFY
from support.station import introduce

WINDOW = 3.0  # seconds


def cpu_in_a_window(pid: int) -> float:
    """Share of one CPU that a process used while WINDOW seconds of the clock went by.

    Not in clock ticks: one is all that a second may cost.
    """
    before, end = process_seconds(pid), time.monotonic() + WINDOW
    wait_until("the window is over", lambda: time.monotonic() > end, WINDOW + 5)
    return (process_seconds(pid) - before) / WINDOW


def sleeps(switch: Switch) -> bool:
    return all(w["state"] == "sleeping" for w in switch.call("switch.status")["workers"])


def wait_asleep(switch: Switch) -> None:
    wait_until("the workers sleep", lambda: sleeps(switch))
    switch.close_client()


def test_two_silent_frontends_cost_under_a_hundredth(
    switch: Switch, registry: Registry
) -> None:
    for port in ("a", "b"):
        switch.add_port(port)
        VuserClient(
            registry, switch.path(port), "respond", ip="10.0.0.1/24"
        ).wait_ready()
        switch.wait_state(port, "up")
    wait_asleep(switch)
    assert cpu_in_a_window(switch.pid) < 0.01


def test_many_silent_ports_cost_nothing(switch: Switch, station: MakeStation) -> None:
    for number in range(20):
        station(switch, f"p{number}", Setup(regions=(RegionSpec(MIB),)))
        switch.add_port(f"empty{number}")
    wait_asleep(switch)
    assert cpu_in_a_window(switch.pid) < 0.01


def test_silence_after_traffic(switch: Switch, station: MakeStation) -> None:
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    for _ in range(200):
        b.expect(a.send(b))
    wait_asleep(switch)
    assert cpu_in_a_window(switch.pid) < 0.01


def waits(pid: int, thread: str) -> int:
    """How often the threads of a name have begun to wait."""
    tasks = [task for task in Path(f"/proc/{pid}/task").iterdir()
             if (task / "comm").read_text().startswith(thread)]
    assert tasks
    found = [re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(), re.M)
             for task in tasks]
    return sum(int(match[1]) for match in found if match is not None)


def wait_watched_no_more(pid: int) -> None:
    """The watchdog looks every 5 ms, until all workers have slept for a second."""
    seen, since = waits(pid, "watchdog"), time.monotonic()

    def rests() -> bool:
        nonlocal seen, since
        now = waits(pid, "watchdog")
        if now != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() > since + 0.2

    wait_until("the watchdog rests", rests, 30.0)


def wakes_in_a_window(pid: int) -> int:
    """How often the workers began to wait anew while WINDOW seconds went by: a timer's ticks."""
    before = waits(pid, "worker-")
    cpu_in_a_window(pid)
    return waits(pid, "worker-") - before


def test_first_frame_after_a_sleep_passes_at_once(
    switch: Switch, station: MakeStation
) -> None:
    """None is lost; and no timer wakes the worker, so that it was their kick."""
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    for _ in range(20):
        wait_asleep(switch)
        assert not a.frontend.tx.used_flags & NO_NOTIFY
        b.expect(a.send(b))
        a.expect(b.send(a))
    wait_asleep(switch)
    assert wakes_in_a_window(switch.pid) < 20  # the slowest timer: fifty times a second


def test_frames_at_the_edge_of_sleep_are_not_lost(
    switch: Switch, station: MakeStation
) -> None:
    """Pauses of every length around the moment when a worker decides to sleep."""
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    for number in range(2000):
        end = time.perf_counter() + number * 1e-6
        while time.perf_counter() < end:
            pass
        b.expect(a.send(b))


def test_frontend_without_a_kick_is_served_while_others_sleep(
    switch: Switch, station: MakeStation
) -> None:
    a, b = station(switch, "a", Setup(with_kick=False)), station(switch, "b")
    introduce([a, b])
    for _ in range(50):
        b.expect(a.send(b))
    assert cpu_in_a_window(switch.pid) < 0.2


def test_poll_always_never_sleeps(make_switch: MakeSwitch, station: MakeStation) -> None:
    switch = make_switch("--poll", "always")
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    assert switch.call("switch.status")["poll"] == "always"
    before = process_seconds(switch.pid)
    wait_until("it polls", lambda: process_seconds(switch.pid) - before > 0.5)
    assert not sleeps(switch)
    assert a.frontend.tx.used_flags & NO_NOTIFY
    for _ in range(50):
        b.expect(a.send(b, kick=False))

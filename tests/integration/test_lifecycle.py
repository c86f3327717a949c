# SPDX-License-Identifier: BSD-3-Clause
"""Frontends that come, stop, go and die, and ports that are deleted, under traffic."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support import RawFrontend, Registry, Setup, Switch, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from support.frames import BROADCAST, mac_text
from support.memory import MIB, RegionSpec
from support.process import Process
from support.station import Station, introduce
from traffic import PairTraffic

VICTIM = mac_text(0xDEAD)
SINK = mac_text(0x51C)


def test_states_in_words(switch: Switch) -> None:
    path = switch.path("a")
    switch.add_port("a")

    def text(state: str) -> str:
        words: str = switch.wait_state("a", state)["state_text"]
        return words

    assert text("waiting") == f"waiting for a frontend on {path}"
    frontend = RawFrontend(path)
    assert text("negotiating").startswith("negotiating: ")
    frontend.negotiate()
    wait_until("it awaits memory", lambda: "no memory table yet" in text("negotiating"))
    frontend.share_memory()
    frontend.fill_rx()
    wait_until("it awaits rings", lambda: "ring" in text("negotiating"))
    for index in (0, 1):
        frontend.start_ring(index)
    frontend.set_vring_enable(0, True)
    frontend.set_vring_enable(1, True)
    assert text("up") == "up"
    frontend.stop_rings()
    assert text("stopped") == "stopped by frontend"
    frontend.close()
    assert text("waiting") == f"waiting for a frontend on {path}"
    assert switch.port("a")["fault"] is None


def test_frame_for_a_port_whose_frontend_left_is_counted(switch: Switch, station: MakeStation) -> None:
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    b.frontend.close()
    switch.wait_state("b", "waiting")
    a.send(b)
    a.frontend.flush()
    switch.wait_stats("b", not_ready=1)


def test_attach_a_hundred_times(switch: Switch, station: MakeStation) -> None:
    """Each life begins at nought and ends without a trace."""
    a = station(switch, "a")
    switch.add_port("b")
    for number in range(100):
        with RawFrontend(switch.path("b")) as frontend:
            frontend.handshake()
            switch.wait_state("b", "up")
            b = Station("b", mac_text(0x100 + number), frontend)
            b.announce(a)
            b.expect(a.send(b))
        switch.wait_state("b", "waiting")
    # The library ends its part of the last session in a thread of its own.
    wait_until("one session is left", lambda: sessions(switch) == 1)


def sessions(switch: Switch) -> int:
    count: int = switch.call("switch.status")["sessions"]
    return count


def test_stop_and_start_on_one_connection(switch: Switch, station: MakeStation) -> None:
    """GET_VRING_BASE returns where the ring stands, and the next start goes on from there."""
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    for _ in range(20):
        frames = [a.build(b) for _ in range(10)]
        a.frontend.send(*frames)
        b.expect(*frames)
        bases = a.frontend.stop_rings()
        a.frontend.flush()
        assert bases == [a.frontend.rx.last_used, a.frontend.tx.last_used]
        switch.wait_state("a", "stopped")
        for index in (0, 1):
            a.frontend.start_ring(index, bases[index])
        switch.wait_state("a", "up")
        a.expect(b.send(a))


def test_frames_made_available_while_stopped_are_sent_at_the_start(
    switch: Switch, station: MakeStation
) -> None:
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    a.frontend.flush()
    bases = a.frontend.stop_rings()
    frames = [a.build(b) for _ in range(10)]
    a.frontend.send(*frames, kick=False)
    for index in (0, 1):
        a.frontend.start_ring(index, bases[index])
    b.expect(*frames)


def test_stop_within_a_burst_loses_nothing(switch: Switch, station: MakeStation) -> None:
    """The base says exactly which frames were taken."""
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    for _ in range(30):
        frames = [a.build(b) for _ in range(200)]
        a.frontend.send(*frames)
        bases = a.frontend.stop_rings()
        for index in (0, 1):
            a.frontend.start_ring(index, bases[index])
        b.expect(*frames)
        a.frontend.flush()


def test_disabled_ring_waits(switch: Switch, station: MakeStation) -> None:
    """SET_VRING_ENABLE 0 and 1, as virtio_user brackets each change of its memory."""
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    for _ in range(10):
        for index in (0, 1):
            a.frontend.set_vring_enable(index, False)
        frames = [a.build(b) for _ in range(5)]
        a.frontend.send(*frames)
        for index in (0, 1):
            a.frontend.set_vring_enable(index, True)
        b.expect(*frames)
        switch.wait_state("a", "up")
        a.expect(b.send(a))


def test_new_features_after_a_stop(switch: Switch, station: MakeStation) -> None:
    """A reboot: the same connection negotiates another header."""
    b = station(switch, "b")
    a = station(switch, "a")
    introduce([a, b])
    a.frontend.stop_rings()
    a.frontend.setup = replace(a.frontend.setup, legacy=True, mergeable=False)
    a.frontend.choose_features(a.frontend.get_features())
    a.frontend.set_features(a.frontend.features)
    assert a.frontend.header_size == 10
    a.frontend.replace_memory((RegionSpec(8 * MIB),))
    switch.wait_state("a", "up")
    b.expect(a.send(b))
    a.expect(b.send(a))


def test_memory_changes_a_hundred_times_under_traffic(
    switch: Switch, station: MakeStation
) -> None:
    """A table with one region more or less, under running rings; nothing is lost."""
    spare = tuple(RegionSpec(MIB) for _ in range(7))
    a = station(switch, "a", Setup(regions=(RegionSpec(16 * MIB), *spare)))
    b = station(switch, "b")
    introduce([a, b])
    memory = a.frontend.memory
    for round_number in range(100):
        count = 1 + round_number % 8
        frames = [a.build(b) for _ in range(20)]
        a.frontend.send(*frames)
        a.frontend.set_mem_table(memory.table[:count], memory.fds[:count])
        back = [b.build(a) for _ in range(20)]
        b.frontend.send(*back)
        b.expect(*frames)
        a.expect(*back)
        assert len(switch.port("a")["session"]["memory"]) == count
    switch.wait_state("a", "up")


def test_other_memory_after_each_stop(switch: Switch, station: MakeStation) -> None:
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    for count in range(1, 9):
        a.frontend.replace_memory(tuple(RegionSpec(4 * MIB) for _ in range(count)))
        switch.wait_state("a", "up")
        b.expect(a.send(b))
        a.expect(b.send(a))


@pytest.mark.timeout(480)
def test_kill_a_frontend_a_hundred_times_under_traffic(
    switch: Switch, station: MakeStation, registry: Registry
) -> None:
    """It sends, it is sent to, it is killed; the pair beside it loses nothing."""
    a, b, sink = (station(switch, port) for port in ("a", "b", "sink"))
    introduce([a, b, sink])
    switch.add_port("victim")
    switch.call("fdb.add", mac=VICTIM, port="victim")
    switch.call("fdb.add", mac=SINK, port="sink")
    with PairTraffic(a, b, [VICTIM]) as traffic:
        for _ in range(100):
            victim = start_victim(registry, switch.path("victim"))
            before = switch.stats("victim")
            wait_until(
                "it is under traffic", lambda: busy(switch, before) or bool(victim.status)
            )
            victim.kill()
            registry.processes.remove(victim)
            frames = traffic.check()
            wait_until("the pair goes on", lambda: traffic.check() > frames + 64)
    switch.wait_state("victim", "waiting")
    assert switch.port("victim")["fault"] is None
    assert "ring-full" not in switch.drops("a") | switch.drops("b")
    assert switch.drops("sink").keys() <= {"ring-full"}


def start_victim(registry: Registry, path: Path) -> Process:
    argv = ["/usr/bin/python3", "-m", "support.killed_frontend", str(path), VICTIM, SINK]
    env = {"PYTHONDONTWRITEBYTECODE": "1"}
    return registry.start("victim", argv, env)


def busy(switch: Switch, before: dict[str, int]) -> bool:
    now = switch.stats("victim")
    return all(now[key] > before[key] + 100 for key in ("rx_frames", "tx_frames"))


@pytest.mark.timeout(120)
def test_delete_and_add_a_port_a_hundred_times_under_traffic(
    switch: Switch, station: MakeStation
) -> None:
    """With a frontend attached to it, which is sent to as it goes."""
    switch.conserves = False
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    with PairTraffic(a, b, [VICTIM]) as traffic:
        for _ in range(100):
            switch.add_port("victim")
            with RawFrontend(switch.path("victim")) as frontend:
                frontend.handshake()
                switch.wait_state("victim", "up")
                victim = Station("victim", VICTIM, frontend)
                victim.send(BROADCAST)
                wait_until("it is sent to", lambda: frontend.poll() is not None)
                switch.call("port.delete", name="victim")
                frontend.wait_closed()
            frames = traffic.check()
            wait_until("the pair goes on", lambda: traffic.check() > frames + 64)
    assert [port["name"] for port in switch.call("port.list")] == ["a", "b"]
    wait_until("two sessions are left", lambda: sessions(switch) == 2)
    assert switch.drops("a") == switch.drops("b") == {}


def test_many_ports(switch: Switch, station: MakeStation) -> None:
    """Two hundred ports, thirty frontends; a flood reaches them all."""
    for number in range(200):
        switch.add_port(f"p{number}")
    small = Setup(regions=(RegionSpec(MIB),), ring_size=64)
    stations = [station(switch, f"p{number * 5}", small) for number in range(30)]
    data = stations[0].send(BROADCAST)
    for other in stations[1:]:
        other.expect(data)
    assert switch.conservation() == {"due": 199, "delivered": 29, "dropped": 170}


# Ports that connect to a socket which the frontend serves.

def test_connect_waits_for_its_frontend(
    switch: Switch, station: MakeStation, workdir: Path
) -> None:
    path = workdir / "served.sock"
    b = station(switch, "b")
    port = switch.add_port("a", connect=str(path))
    assert (port["connect"], port["state"]) == (str(path), "waiting") and "socket" not in port
    assert str(path) in port["state_text"]
    for life in range(3):
        with RawFrontend.listen(path) as listener, RawFrontend.accept(listener) as frontend:
            frontend.handshake()
            switch.wait_state("a", "up")
            a = Station("a", mac_text(0x200 + life), frontend)
            a.announce(b)
            a.expect(b.send(a))
        path.unlink()
        switch.wait_state("a", "waiting")


def test_connect_survives_a_restart_of_the_switch(
    make_switch: MakeSwitch, workdir: Path
) -> None:
    """The frontend keeps its socket and its memory; a new switch finds it by the configuration."""
    path = workdir / "served.sock"
    config = {"version": 1, "ports": [{"name": "a", "connect": str(path)}, {"name": "b"}]}
    listener = RawFrontend.listen(path)
    directory = workdir / "s"
    for life in range(3):
        switch = make_switch(directory=directory, config=config)
        with RawFrontend.accept(listener) as a_end, RawFrontend(switch.path("b")) as b_end:
            a_end.handshake()
            b_end.handshake()
            switch.wait_state("a", "up")
            switch.wait_state("b", "up")
            a = Station("a", "02:00:00:00:01:0a", a_end)
            b = Station("b", "02:00:00:00:01:0b", b_end)
            introduce([a, b])
            if life == 1:
                switch.kill()
            else:
                switch.conservation()
                switch.stop()
            a_end.wait_closed()
    listener.close()


def test_connect_to_what_cannot_be(switch: Switch, workdir: Path) -> None:
    """A file that is no socket, and a socket that accepts and closes: said, and tried again."""
    path = workdir / "plain"
    path.write_text("x")
    switch.add_port("a", connect=str(path))
    wait_until("it says why", lambda: "refused" in switch.port("a")["state_text"].lower())
    path.unlink()
    listener = RawFrontend.listen(path)
    listener.settimeout(10.0)
    for _ in range(3):
        listener.accept()[0].close()
    with RawFrontend.accept(listener) as frontend:
        frontend.handshake()
        switch.wait_state("a", "up")
    listener.close()


def test_port_that_connects_is_deleted(switch: Switch, workdir: Path) -> None:
    switch.conserves = False
    path = workdir / "served.sock"
    switch.add_port("a", connect=str(path))
    assert switch.call("port.delete", name="a")["deleted"]
    listener = RawFrontend.listen(path)
    switch.add_port("b", connect=str(path))
    with RawFrontend.accept(listener) as frontend:
        frontend.handshake()
        switch.wait_state("b", "up")
        assert switch.call("port.delete", name="b")["deleted"]
        frontend.wait_closed()
    listener.close()
    assert path.exists(), "the socket is the frontend's, not the switch's to remove"

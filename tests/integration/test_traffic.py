# SPDX-License-Identifier: BSD-3-Clause
"""Frames between frontends of three kinds: our client, DPDK's testpmd, and raw ones."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from support import RawFrontend, Registry, Setup, Switch, Testpmd, VuserClient, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from support.frames import BROADCAST, frame
from support.memory import MIB, RegionSpec
from support.station import Station

PEER = "02:00:00:00:00:ee"
SIZES = range(14, 1515)
JUMBO = 9018


def reflect(station: Station, sizes: list[int], peer: str = PEER) -> None:
    """Sends frames to a peer that swaps their addresses; each must come back whole."""
    for start in range(0, len(sizes), 16):
        frames = [station.build(peer, size) for size in sizes[start:start + 16]]
        station.frontend.send(*frames)
        for sent in frames:
            seen = station.frontend.receive(10.0).frame
            assert seen == sent[6:12] + sent[0:6] + sent[12:], f"of {len(sent)} bytes"


def quiet(station: Station) -> None:
    """Takes what a peer said by itself when it came up."""
    while station.frontend.poll() is not None:
        pass


@pytest.mark.parametrize("options", [
    {}, {"mrg_rxbuf": "off"}, {"in_order": "off"}, {"mrg_rxbuf": "off", "in_order": "off"},
    {"queue_size": 64}, {"queue_size": 4096},
], ids=lambda options: "-".join(f"{k}={v}" for k, v in options.items()) or "default")
def test_client_echoes_every_size(
    switch: Switch, station: MakeStation, registry: Registry, options: dict[str, Any]
) -> None:
    a = station(switch, "a")
    switch.add_port("b")
    echo = VuserClient(registry, switch.path("b"), "echo", mac=PEER, **options).wait_ready()
    switch.wait_state("b", "up")
    reflect(a, list(SIZES))
    report = echo.stop()
    assert report["echoed"] == len(SIZES)
    assert switch.drops("a") == switch.drops("b") == {}


@pytest.mark.parametrize("options", [
    "mrg_rxbuf=1,in_order=0", "mrg_rxbuf=0,in_order=0", "mrg_rxbuf=1,in_order=1",
    "mrg_rxbuf=0,in_order=1", "mrg_rxbuf=0,in_order=1,vectorized=1", "queue_size=32",
    "queue_size=8192",
])
def test_testpmd_reflects_every_size(
    switch: Switch, station: MakeStation, registry: Registry, options: str
) -> None:
    a = station(switch, "a")
    switch.add_port("b")
    testpmd = Testpmd.frontend(registry, switch.path("b"), options=f"mac={PEER},{options}")
    switch.wait_state("b", "up")
    testpmd.forward("macswap")
    quiet(a)
    reflect(a, list(SIZES))
    testpmd.stop_forwarding()
    assert testpmd.stats()["RX-packets"] == len(SIZES)
    testpmd.quit()
    switch.wait_state("b", "waiting")
    assert switch.drops("a") == {}


def test_jumbo_frames(switch: Switch, station: MakeStation, registry: Registry) -> None:
    """9,018 bytes are an MTU of 9,000; the port's MTU must be set for it."""
    setup = Setup(regions=(RegionSpec(64 * MIB),))
    a = station(switch, "a", setup, mtu=9000)
    switch.add_port("b", mtu=9000)
    VuserClient(registry, switch.path("b"), "echo", mac=PEER).wait_ready()
    switch.wait_state("b", "up")
    reflect(a, [1515, 2000, 4096, 8192, JUMBO - 1, JUMBO] * 8)
    a.send(PEER, JUMBO + 1)
    reflect(a, [JUMBO])
    assert switch.drops("a") == {"too-big": 1}


def test_jumbo_frames_with_testpmd(
    switch: Switch, station: MakeStation, registry: Registry
) -> None:
    setup = Setup(regions=(RegionSpec(64 * MIB),))
    a = station(switch, "a", setup, mtu=9000)
    switch.add_port("b", mtu=9000)
    testpmd = Testpmd.frontend(
        registry, switch.path("b"), "--mbuf-size=10240", "--max-pkt-len=9018",
        options=f"mac={PEER}",
    )
    switch.wait_state("b", "up")
    testpmd.forward("macswap")
    quiet(a)
    reflect(a, [14, 1515, 2000, 4096, 8192, JUMBO] * 8)
    testpmd.quit()


@pytest.mark.parametrize("size", [60, 64, 1514])
@pytest.mark.parametrize("rate", ["5k", "max"])
def test_client_proves_what_it_received(
    switch: Switch, registry: Registry, size: int, rate: str
) -> None:
    """Nothing is lost but what the receiver's full ring cost, and that is counted."""
    count = 5000 if rate == "5k" else 100000
    for port in ("a", "b"):
        switch.add_port(port)
    receiver = VuserClient(
        registry, switch.path("b"), "receive", mac=PEER, queue_size=4096, idle=3
    ).wait_ready()
    sender = VuserClient(
        registry, switch.path("a"), "send", dst_mac=PEER, rate=rate, size=size,
        count=count, flows=3,
    )
    sent = sender.result(40.0)
    assert sent["frames"] == count
    received = receiver.result(status=receiver.process.wait(40.0))
    switch.wait_stats("a", rx_frames=count)
    switch.conservation()
    drops = switch.drops("b")
    assert drops.keys() <= ({"ring-full", "resting"} if switch.is_sanitized() else {"ring-full"})
    assert received["frames"] + sum(drops.values()) == count
    assert received["duplicated"] == received["reordered"] == received["corrupted"] == 0
    assert switch.drops("a") == {}
    if rate == "5k":
        assert received["lost"] == 0


@pytest.mark.parametrize("address, target", [
    ("10.0.0.2/24", "10.0.0.1"), ("fd00::2/64", "fd00::1"),
])
def test_ping(switch: Switch, registry: Registry, address: str, target: str) -> None:
    for port in ("a", "b"):
        switch.add_port(port)
    length = address.rpartition("/")[2]
    responder = VuserClient(
        registry, switch.path("a"), "respond", ip=f"{target}/{length}"
    ).wait_ready()
    switch.wait_state("a", "up")
    ping = VuserClient(
        registry, switch.path("b"), "ping", target, ip=address, count=20, interval=0.01
    )
    report = ping.result()
    assert (report["sent"], report["received"]) == (20, 20)
    assert report["duplicated"] == report["damaged"] == 0
    assert responder.stop()["answered"] == 21
    assert len(switch.fdb()) == 2


def test_ping_of_nobody(switch: Switch, registry: Registry) -> None:
    switch.add_port("a")
    ping = VuserClient(
        registry, switch.path("a"), "ping", "10.0.0.9", ip="10.0.0.2/24", count=2, interval=0.05,
        timeout=0.2,
    )
    report = ping.result(status=1)
    assert report["received"] == 0
    assert not report["resolved"]


def test_testpmd_to_testpmd_at_full_speed(
    switch: Switch, registry: Registry
) -> None:
    """Every frame taken is delivered or counted; the ends agree with the switch."""
    for port in ("a", "b"):
        switch.add_port(port)
    receiver = Testpmd.frontend(registry, switch.path("b"), options=f"mac={PEER}")
    sender = Testpmd.frontend(registry, switch.path("a"), f"--eth-peer=0,{PEER}")
    for port in ("a", "b"):
        switch.wait_state(port, "up")
    switch.call("fdb.add", mac=PEER, port="b")
    receiver.forward("rxonly")
    sender.forward("txonly")
    receiver.wait_received(100000, 20.0)
    sender.stop_forwarding()
    sent = sender.stats()["TX-packets"]
    switch.wait_stats("a", rx_frames=sent)
    switch.conservation()
    delivered = switch.stats("b")["tx_frames"]
    assert delivered + switch.drops("b").get("ring-full", 0) == sent
    assert receiver.wait_received(delivered)["RX-packets"] == delivered
    sender.quit()
    receiver.quit()


def test_all_kinds_at_once(switch: Switch, station: MakeStation, registry: Registry) -> None:
    """Our client, testpmd and a raw frontend each send to each."""
    raw = station(switch, "raw")
    testpmd_mac, client_mac = "02:00:00:00:00:71", "02:00:00:00:00:72"
    for port in ("testpmd", "client"):
        switch.add_port(port)
    testpmd = Testpmd.frontend(registry, switch.path("testpmd"), options=f"mac={testpmd_mac}")
    client = VuserClient(registry, switch.path("client"), "echo", mac=client_mac).wait_ready()
    for port in ("testpmd", "client"):
        switch.wait_state(port, "up")
    testpmd.forward("macswap")
    for mac, port in ((testpmd_mac, "testpmd"), (client_mac, "client")):
        switch.call("fdb.add", mac=mac, port=port)
    quiet(raw)
    for _ in range(10):
        reflect(raw, [60, 200, 1514], testpmd_mac)
        reflect(raw, [60, 200, 1514], client_mac)
    between = frame(testpmd_mac, client_mac, 100, 1)
    raw.frontend.send(between)  # as if from the client, so that they answer each other
    wait_until("they talk to each other", lambda: busy(switch))
    assert client.stop()["echoed"] >= 60
    testpmd.quit()


def busy(switch: Switch) -> bool:
    return bool(switch.stats("client")["rx_frames"] > 100)


def test_broadcast_reaches_every_kind(
    switch: Switch, station: MakeStation, registry: Registry
) -> None:
    raw = station(switch, "raw")
    for port in ("testpmd", "client"):
        switch.add_port(port)
    testpmd = Testpmd.frontend(registry, switch.path("testpmd"))
    client = VuserClient(
        registry, switch.path("client"), "receive", time=50
    ).wait_ready()
    for port in ("testpmd", "client"):
        switch.wait_state(port, "up")
    testpmd.forward("rxonly")
    for _ in range(10):
        raw.frontend.send(*(raw.build(BROADCAST, 100) for _ in range(100)))
        raw.frontend.flush()
    sums = switch.conservation()
    assert sums["due"] >= 2000
    delivered = {port: switch.stats(port)["tx_frames"] for port in ("testpmd", "client")}
    testpmd.wait_received(delivered["testpmd"])
    client.process.send_signal(signal.SIGINT)
    report = client.result(status=1)  # none of them was for its own check
    assert report["other"] == delivered["client"]


# Frontends that serve the socket.

@pytest.mark.parametrize("kind", ["client", "testpmd"])
def test_frontend_that_serves_survives_a_restart_of_the_switch(
    make_switch: MakeSwitch, registry: Registry, workdir: Path, kind: str
) -> None:
    served = workdir / "served.sock"
    config = {"version": 1, "ports": [{"name": "a"}, {"name": "b", "connect": str(served)}]}
    directory = workdir / "s"
    switch = make_switch(config=config, directory=directory)
    if kind == "client":
        VuserClient(
            registry, served, "echo", mac=PEER, server=True, promiscuous=True
        ).wait_ready()
    else:
        testpmd = Testpmd.frontend(registry, served, options=f"mac={PEER},server=1")
        testpmd.forward("macswap")
    for life in range(3):
        switch.wait_state("b", "up", 20.0)
        with RawFrontend(switch.path("a")) as frontend:
            frontend.handshake()
            switch.wait_state("a", "up")
            raw = Station("a", f"02:00:00:00:01:0{life}", frontend)
            quiet(raw)
            reflect(raw, [60, 1514, 300] * 10)
        if life == 2:
            break
        if life == 0:
            switch.kill()
        else:
            switch.stop()
        switch = make_switch(config=config, directory=directory)

# SPDX-License-Identifier: BSD-3-Clause
"""One life for the devices of drivers that need no hardware, many times over: nothing is lost."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Mapping

import pytest
from hostile import open_descriptors
from kernel_end import KernelEnd, MakeEnd
from test_ethdev_life import refusal
from test_ethdev_port import HERE, veth, write_pcap
from vswitch import Registry, RpcError, Switch, VuserClient, wait_until
from vswitch.fixture_types import MakeSwitch

LIVES = 50
CHANGES: list[dict[str, Any]] = [
    {"mtu": 1400}, {"mtu": 1500, "promiscuous": False}, {"offload": False}, {"up": False},
    {"up": True, "offload": True, "promiscuous": True},
]
MIB = 1 << 20


@dataclass
class Ground:
    """Where a device lives: a switch, the namespace that it runs in, and a peer for those that call one."""

    switch: Switch
    home: KernelEnd
    far: KernelEnd
    peer: Switch
    workdir: Path


@dataclass
class Driver:
    devargs: str
    prepare: Callable[[Ground], None] = lambda ground: None
    refused: Mapping[str, Any] = field(default_factory=dict)  # a change that it cannot make
    lost_fds: int = 0  # what DPDK itself forgets with each device


def lay_veth(ground: Ground) -> None:
    veth(ground.home, ground.far)


def serve_memif(ground: Ground) -> None:
    ground.peer.add_port("up", type="ethdev",
                         devargs=f"net_memif9,role=server,socket={ground.workdir}/m.sock,"
                         "socket-abstract=no")


def serve_vhost(ground: Ground) -> None:
    ground.peer.add_port("up")


def write_capture(ground: Ground) -> None:
    write_pcap(ground.workdir / "in.pcap", [])


DRIVERS = {
    "af_packet": Driver("net_af_packet0,iface=v0", lay_veth, {"mtu": 9000}),
    "af_xdp": Driver("net_af_xdp0,iface=v0", lay_veth, {"mtu": 9000}),
    "tap": Driver("net_tap0,iface=dtap0", refused={"mtu": 65535}),
    "pcap": Driver("net_pcap0,rx_pcap={0}/in.pcap,tx_pcap={0}/out.pcap", write_capture),
    # The socket that it listens on stays open.
    "memif-server": Driver("net_memif0,role=server,socket={0}/s.sock,socket-abstract=no",
                           lost_fds=1),
    "memif-client": Driver("net_memif0,role=client,socket={0}/m.sock,socket-abstract=no",
                           serve_memif),
    "virtio_user": Driver("net_virtio_user0,path={1}", serve_vhost),
    "null": Driver("net_null0,no-rx=1"),
}


@pytest.fixture
def ground(
    make_switch: MakeSwitch, home: KernelEnd, home_switch: Switch, make_end: MakeEnd, workdir: Path
) -> Ground:
    return Ground(home_switch, home, make_end("far"), make_switch(), workdir)


def resident(switch: Switch) -> int:
    """Bytes of the program's own; the mbufs are in memory that is taken at the start."""
    fields = Path(f"/proc/{switch.pid}/statm").read_text().split()
    return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")


def live(ground: Ground, driver: Driver, devargs: str, eventful: bool) -> None:
    switch = ground.switch
    switch.add_port("d", type="ethdev", devargs=devargs)
    if eventful:
        for change in CHANGES:
            switch.call("port.set", name="d", **change)
        if driver.refused:
            refusal(switch, "port.set", name="d", **driver.refused)
        port = switch.port("d")
        assert port["fault"] is None and port["mtu"] == 1500, port
    switch.call("port.delete", name="d")


@pytest.mark.parametrize("name", DRIVERS)
def test_many_lives(ground: Ground, name: str) -> None:
    """Added, changed, refused a change and deleted; nothing is lost, so the last life is as the first.

    A pool of mbufs that is lost would be a sixth of the switch's memory.
    """
    driver = DRIVERS[name]
    driver.prepare(ground)
    switch = ground.switch
    devargs = driver.devargs.format(ground.workdir, ground.peer.path("up"))
    for _ in range(3):
        live(ground, driver, devargs, True)
    fds, memory = open_descriptors(switch), resident(switch)
    for number in range(LIVES):
        live(ground, driver, devargs, number % 10 == 0)
    wait_until("descriptors are closed",
               lambda: open_descriptors(switch) <= fds + driver.lost_fds * LIVES)
    assert resident(switch) - memory < 4 * MIB
    switch.add_port("d", type="ethdev", devargs=devargs)
    assert switch.port("d")["fault"] is None
    switch.conserves = ground.peer.conserves = False


def test_refused_before_its_start(make_switch: MakeSwitch) -> None:
    """The driver of virtio_user forgets its handler when it is closed before it was started.

    With too little memory for its mbufs it is; the next handler that is registered made EAL run the forgotten one.
    """
    switch, peer = make_switch(), make_switch()
    peer.add_port("up")
    devargs = "net_virtio_user{},path=" + str(peer.path("up"))
    for number in range(64):
        try:
            switch.add_port(f"n{number}", type="ethdev", devargs=f"net_null{number},no-rx=1")
        except RpcError as error:
            assert "the switch's memory has not that much left" in str(error)
            break
    for number in range(5):
        text = refusal(switch, "port.add", name="v", type="ethdev", devargs=devargs.format(number))
        assert "the switch's memory has not that much left" in text
    for name in ("n0", "n1"):
        switch.call("port.delete", name=name)
    for number in range(3):
        switch.add_port("v", type="ethdev", devargs=devargs.format(number))
        switch.wait_state("v", "up")
        switch.call("port.delete", name="v")
    switch.conserves = peer.conserves = False


def test_af_xdp_again(ground: Ground, registry: Registry) -> None:
    """Each time frames pass; the kernel lets go of the queue a while after the port is deleted."""
    lay_veth(ground)
    switch = ground.switch
    switch.add_port("p0")
    VuserClient(registry, switch.path("p0"), "respond", ip=f"{HERE}/24").wait_ready()
    for mtu in (1400, 1300, 1500):
        switch.add_port("x", type="ethdev", devargs="net_af_xdp0,iface=v0")
        ground.far.ping(HERE, 1)
        switch.call("port.set", name="x", mtu=mtu)
        switch.wait_state("x", "up")
        assert ground.home.links()["v0"]["mtu"] == switch.port("x")["device"]["mtu"] == mtu
        ground.far.ping(HERE, 1)
        switch.call("port.delete", name="x")
    switch.conserves = False

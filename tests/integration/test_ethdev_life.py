# SPDX-License-Identifier: BSD-3-Clause
"""DPDK devices as ports: refused, changed, unplugged, plugged in again, and idle."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Optional

import pytest
from kernel_end import KernelEnd, MakeEnd
from support import Registry, Switch, VuserClient, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from support.station import Station, introduce
from test_ethdev_port import HERE, veth
from test_idle import sleeps, cpu_in_a_window, wait_asleep
from vswitch import RpcError


SILENT = "net_null0,no-rx=1"  # a device that sends into nothing, from which nothing comes


def reaches(a: Station, b: Station) -> None:
    """A frame for `b` comes there, amidst what others broadcast."""
    sent = a.send(b)
    wait_until("it comes", lambda: b.frontend.receive().frame == sent)


def wait_frames(switch: Switch, port: str, count: int) -> None:
    def came() -> bool:
        return bool(switch.stats(port)["rx_frames"] > count)

    wait_until(f"{count} frames come from {port}", came, 20.0)


def refusal(switch: Switch, method: str, **params: Any) -> str:
    with pytest.raises(RpcError) as caught:
        switch.call(method, params)
    return caught.value.message


REFUSED = [
    ("nonsense0", ["add-port d", "nonsense0", "net_af_packet0"]),
    ("0000:ff:1f.6", ["add-port d", "0000:ff:1f.6", "Cannot find device"]),
    ("net_af_packet0,iface=nobody", ["add-port d", "net_af_packet0", "No such device"]),
    ("net_af_packet0,iface=lo,qpairs=x", ["add-port d", "net_af_packet0"]),
    ("net_pcap0,rx_pcap=/nowhere/in.pcap", ["add-port d", "net_pcap0"]),
    ("net_virtio_user0,path=/nowhere/p.sock", ["add-port d", "net_virtio_user0"]),
    ("net_virtio_user0", ["add-port d", "net_virtio_user0", "path"]),
    *((devargs, ["add-port d", "--type vhost-user", "--any-driver"]) for devargs in (
        "net_vhost0,iface=/tmp/v", "vdev:net_vhost0,iface=/tmp/v", "eth_vhost0,iface=/tmp/v",
        "vdev:eth_vhost9,iface=/tmp/v", "bus=vdev,name=net_vhost0/class=eth/driver=vhost",
    )),
    ("net_failsafe0,dev(net_vhost0,iface=/tmp/v)", ["add-port d", "net_failsafe0"]),
    ("NET_VHOST0,iface=/tmp/v", ["add-port d", "NET_VHOST0"]),
    ("virtio_user0,path=/tmp/v,server=1", ["add-port d", "write net_virtio_user"]),
    ("net_tun0", ["add-port d", "net_tun0", "was not tried", "net_af_packet"]),
    ("class=eth", ["add-port d", "a device without a name"]),
]


@pytest.mark.parametrize("devargs, words", REFUSED, ids=[devargs for devargs, _ in REFUSED])
def test_refused_device(
    home_switch: Switch, devargs: str, words: list[str]
) -> None:
    message = refusal(home_switch, "port.add", name="d", type="ethdev", devargs=devargs)
    assert all(word in message for word in words), message
    assert "; " in message, message
    assert home_switch.call("port.list") == []
    # The name and the device are free again.
    home_switch.add_port("d", type="ethdev", devargs=SILENT)
    assert home_switch.port("d")["state"] == "up"


def test_any_driver_for_who_insists(make_switch: MakeSwitch, workdir: Path) -> None:
    switch = make_switch("--any-driver")
    switch.add_port("d", type="ethdev", devargs=f"net_vhost0,iface={workdir / 'v.sock'}")
    assert (workdir / "v.sock").is_socket()


def test_device_of_another_port(switch: Switch) -> None:
    switch.add_port("a", type="ethdev", devargs=SILENT)
    message = refusal(switch, "port.add", name="b", type="ethdev", devargs=SILENT)
    assert "another port has" in message and "net_null0" in message
    assert switch.port("a")["state"] == "up"
    switch.call("port.delete", name="a")
    switch.add_port("b", type="ethdev", devargs=SILENT)
    switch.conserves = False


def test_memory_for_devices_ends(make_switch: MakeSwitch) -> None:
    """The refusal says how much is missing; what a deleted port had is there again."""
    switch = make_switch(memory=32)
    message: Optional[str] = None
    number = 0
    while message is None and number < 40:
        try:
            switch.add_port(f"d{number}", type="ethdev", devargs=f"net_null{number},no-rx=1")
            number += 1
        except RpcError as error:
            message = error.message
    assert message is not None and "MiB" in message and "--memory" in message, message
    assert number >= 2
    for _ in range(3):
        switch.call("port.delete", name="d0")
        switch.add_port("d0", type="ethdev", devargs=SILENT)
    switch.conserves = False


def test_settings_reach_the_interface(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd
) -> None:
    veth(home, make_end("far"))
    home_switch.add_port("nic0", type="ethdev", devargs="net_af_packet0,iface=v0", mtu=1400,
                         mac="02:00:00:00:00:99")
    link = home.links()["v0"]
    assert (link["mtu"], link["address"]) == (1400, "02:00:00:00:00:99")
    home_switch.call("port.set", name="nic0", mtu=1300, promiscuous=False)
    link = home.links()["v0"]
    assert link["mtu"] == 1300 and "PROMISC" not in link["flags"]
    device = home_switch.port("nic0")["device"]
    assert (device["mtu"], device["mac"]) == (1300, "02:00:00:00:00:99")
    message = refusal(home_switch, "port.set", name="nic0", mtu=9000)
    assert "net_af_packet" in message and "9000" in message
    assert home.links()["v0"]["mtu"] == home_switch.port("nic0")["mtu"] == 1300


def test_disabled_device(switch: Switch) -> None:
    switch.add_port("d", type="ethdev", devargs=SILENT)
    switch.call("port.set", name="d", enabled=False)
    port = switch.port("d")
    assert (port["state"], port["device"]["link"]) == ("down", "down")
    assert "disabled" in port["state_text"]
    switch.call("port.set", name="d", enabled=True)
    assert switch.port("d")["state"] == "up"


def test_link_is_followed(home: KernelEnd, home_switch: Switch, make_end: MakeEnd) -> None:
    veth(home, make_end("far"))
    home_switch.add_port("nic0", type="ethdev", devargs="net_af_packet0,iface=v0")
    home_switch.wait_state("nic0", "up")
    home.ip("link", "set", "v0", "down")
    assert "link" in home_switch.wait_state("nic0", "down")["state_text"]
    home.ip("link", "set", "v0", "up")
    home_switch.wait_state("nic0", "up")


def test_interface_vanishes_under_traffic(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd, station: MakeStation,
    registry: Registry,
) -> None:
    """It marks the port and nothing else; when there is another, all is as before."""
    far = make_end("far")
    veth(home, far)
    home_switch.add_port("nic0", type="ethdev", devargs="net_af_packet0,iface=v0")
    home_switch.add_port("p0")
    VuserClient(registry, home_switch.path("p0"), "respond", ip=f"{HERE}/24").wait_ready()
    pair = station(home_switch, "x"), station(home_switch, "y")
    introduce(pair)
    far.ping(HERE, 1)
    flood = far.start("ping", "/usr/bin/ping", "-q", "-f", HERE)
    wait_frames(home_switch, "nic0", 200)
    home.ip("link", "delete", "v0")
    # For a moment it is down before it is gone.
    wait_until("it is missed", lambda: home_switch.port("nic0")["fault"] is not None)
    gone = home_switch.port("nic0")
    assert gone["state"] == "down" and "v0" in gone["state_text"] and "gone" in gone["state_text"]
    assert "v0" in gone["fault"]["text"]
    flood.end()
    reaches(*pair)
    home_switch.call("port.set", name="nic0", mtu=1400)
    veth(home, far)
    home_switch.wait_state("nic0", "up", 20.0)
    assert home.links()["v0"]["mtu"] == home_switch.port("nic0")["mtu"] == 1400
    far.ping(HERE, 1)
    home_switch.conserves = False


def test_plugged_and_unplugged_under_traffic(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd, workdir: Path, registry: Registry
) -> None:
    """Frames of one device are on their way to another when either is removed."""
    far = make_end("far")
    veth(home, far)
    home_switch.add_port("p0")
    VuserClient(registry, home_switch.path("p0"), "respond", ip=f"{HERE}/24").wait_ready()
    home_switch.add_port("sink", type="ethdev", devargs=f"net_pcap0,tx_pcap={workdir}/0.pcap")
    flood = far.start("ping", "/usr/bin/ping", "-q", "-f", "-b", "10.78.0.255")
    for number in range(6):
        home_switch.add_port("nic0", type="ethdev", devargs="net_af_packet0,iface=v0")
        wait_frames(home_switch, "nic0", 20)
        home_switch.call("port.delete", name="sink" if number % 2 else "nic0")
        if number % 2:
            home_switch.call("port.delete", name="nic0")
            home_switch.add_port(
                "sink", type="ethdev", devargs=f"net_pcap{number},tx_pcap={workdir}/{number}.pcap"
            )
    flood.end()
    home_switch.add_port("nic0", type="ethdev", devargs="net_af_packet0,iface=v0")
    far.ping(HERE, 1)
    home_switch.conserves = False


def test_silent_devices_cost_little(
    make_switch: MakeSwitch, home: KernelEnd, home_switch: Switch, make_end: MakeEnd, workdir: Path
) -> None:
    """One of each kind; those without interrupts are looked at now and then."""
    other = make_switch()
    other.add_port("up")
    veth(home, make_end("far"))
    for name, devargs in {
        "nic": "net_af_packet0,iface=v0",
        "tap": "net_tap0,iface=dtap0",
        "memif": f"net_memif0,role=server,socket={workdir}/m.sock,socket-abstract=no",
        "file": f"net_pcap0,tx_pcap={workdir}/out.pcap",
        "up": f"net_virtio_user0,path={other.path('up')}",
    }.items():
        home_switch.add_port(name, type="ethdev", devargs=devargs)
    other.wait_state("up", "up")
    wait_until("the other switch sleeps", lambda: sleeps(other))
    quiet = time.monotonic() + 1.5  # after a second without frames devices are looked at rarely
    wait_until("a silent second is over", lambda: time.monotonic() > quiet)
    home_switch.close_client()
    assert cpu_in_a_window(home_switch.pid) < 0.02
    wait_asleep(other)
    assert cpu_in_a_window(other.pid) < 0.01

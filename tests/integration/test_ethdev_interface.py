# SPDX-License-Identifier: BSD-3-Clause
"""Interfaces under DPDK devices: renamed, moved, deleted, refused what was asked of them, and shared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kernel_end import KernelEnd, MakeEnd
from support import Registry, Switch, VuserClient, wait_until
from test_ethdev_life import refusal
from test_ethdev_port import HERE, veth
from vswitch import RpcError

ON_V0 = "net_af_packet0,iface=v0"


def add(switch: Switch, devargs: str = ON_V0, **options: Any) -> None:
    switch.add_port("nic0", type="ethdev", devargs=devargs, **options)


def answering(switch: Switch, registry: Registry) -> None:
    """A station behind another port, which whoever is behind the device can ping."""
    switch.add_port("p0")
    VuserClient(registry, switch.path("p0"), "respond", ip=f"{HERE}/24").wait_ready()


def is_called(switch: Switch, name: str) -> bool:
    return bool(switch.port("nic0")["device"]["ifname"] == name)


@pytest.mark.parametrize("driver", ["net_af_packet0", "net_af_xdp0"])
def test_renamed_interface_is_followed(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd, registry: Registry, driver: str
) -> None:
    """It is shown by its new name, and what is asked of it happens."""
    far = make_end("far")
    veth(home, far)
    add(home_switch, f"{driver},iface=v0")
    answering(home_switch, registry)
    far.ping(HERE, 1)
    home.ip("link", "set", "v0", "name", "w0")
    wait_until("the new name is shown", lambda: is_called(home_switch, "w0"))
    assert "its interface v0 is called w0 now" in home_switch.process.log()
    home_switch.call("port.set", name="nic0", mtu=1300)
    home_switch.call("port.set", name="nic0", mtu=1400, promiscuous=False, mac="02:00:00:00:00:99")
    link = home.links()["w0"]
    assert (link["mtu"], link["address"]) == (1400, "02:00:00:00:00:99")
    assert "PROMISC" not in link["flags"]
    home_switch.call("port.set", name="nic0", promiscuous=True)
    assert "PROMISC" in home.links()["w0"]["flags"]
    home_switch.wait_state("nic0", "up")
    far.ping(HERE, 1)
    home_switch.call("port.delete", name="nic0")
    assert "PROMISC" not in home.links()["w0"]["flags"]
    home_switch.conserves = False


def test_renamed_interface_of_a_tap(home: KernelEnd, home_switch: Switch) -> None:
    add(home_switch, "net_tap0,iface=dtap0")
    home.ip("link", "set", "dtap0", "name", "dtap1")
    wait_until("the new name is shown", lambda: is_called(home_switch, "dtap1"))
    home_switch.call("port.set", name="nic0", mtu=1400)
    assert home.links()["dtap1"]["mtu"] == 1400
    message = refusal(home_switch, "port.set", name="nic0", mtu=1300, offload=False)
    assert "dtap0 is called dtap1 now" in message
    assert home.links()["dtap1"]["mtu"] == home_switch.port("nic0")["device"]["mtu"] == 1400
    assert home_switch.port("nic0")["fault"] is None
    home.ip("link", "set", "dtap1", "up")
    home_switch.wait_state("nic0", "up")
    home_switch.call("port.delete", name="nic0")
    assert home.links() == {}


@pytest.mark.parametrize("driver, words", [
    ("net_af_packet0", ["net_af_packet", "at most 1500", "9000"]),
    ("net_af_xdp0", ["net_af_xdp", "at most", "9000"]),
])
def test_refused_change_leaves_the_device_as_it_was(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd, registry: Registry, driver: str,
    words: list[str],
) -> None:
    far = make_end("far")
    veth(home, far)
    add(home_switch, f"{driver},iface=v0")
    answering(home_switch, registry)
    home_switch.wait_state("nic0", "up")
    before = home.links()["v0"]
    for change in ({"mtu": 9000}, {"mtu": 9000, "promiscuous": False}):
        message = refusal(home_switch, "port.set", name="nic0", **change)
        assert all(word in message for word in words), message
        assert home.links()["v0"] == before
    message = refusal(home_switch, "port.set", name="nic0", promiscuous=False,
                      mac="01:00:00:00:00:01")
    assert "MAC" in message and "CAP" not in message
    port = home_switch.wait_state("nic0", "up")
    assert port["fault"] is None and port["mtu"] == 1500
    assert home.links()["v0"] == before
    far.ping(HERE, 1)


@pytest.mark.parametrize("driver", ["net_af_packet0", "net_af_xdp0"])
def test_moved_interface_comes_back(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd, registry: Registry, driver: str
) -> None:
    """While it is away its port says so, takes settings, and has nothing open."""
    far, elsewhere = make_end("far"), make_end("elsewhere")
    veth(home, far)
    add(home_switch, f"{driver},iface=v0")
    answering(home_switch, registry)
    far.ping(HERE, 1)
    home.ip("link", "set", "v0", "netns", elsewhere.path.split("/")[2])
    wait_until("it is missed", lambda: home_switch.port("nic0")["fault"] is not None)
    port = home_switch.port("nic0")
    assert (port["state"], port["device"]["link"]) == ("down", "down")
    for text in (port["state_text"], port["fault"]["text"]):
        assert "interface v0" in text and "is gone from the switch's network namespace" in text
        assert "tried again" in text
    home_switch.call("port.set", name="nic0", mtu=1400)
    assert home_switch.port("nic0")["mtu"] == 1400
    elsewhere.ip("link", "set", "v0", "netns", home.path.split("/")[2])
    home.ip("link", "set", "v0", "up")
    home_switch.wait_state("nic0", "up", 20.0)
    assert home.links()["v0"]["mtu"] == 1400
    far.ping(HERE, 1)
    assert "its device is there again" in home_switch.process.log()


def test_one_interface_has_one_port(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd, workdir: Path
) -> None:
    """Whatever the devices are called, and whatever drivers they have."""
    veth(home, make_end("far"))
    add(home_switch)
    for devargs in ("net_af_packet1,iface=v0", "net_af_xdp1,iface=v0", "net_pcap1,iface=v0"):
        message = refusal(home_switch, "port.add", name="b", type="ethdev", devargs=devargs)
        assert "port nic0 has interface v0 already" in message
    home.ip("link", "set", "v0", "name", "w0")
    wait_until("the new name is shown", lambda: is_called(home_switch, "w0"))
    message = refusal(home_switch, "port.add", name="b", type="ethdev",
                      devargs="net_af_packet1,iface=w0")
    assert "port nic0 has interface w0 already" in message
    home.ip("tuntap", "add", "dev", "v0", "mode", "tap")
    home_switch.add_port("b", type="ethdev", devargs="net_af_packet1,iface=v0")
    for name in ("nic0", "b"):
        home_switch.call("port.delete", name=name)
    home_switch.add_port("b", type="ethdev", devargs="net_af_packet1,iface=w0")
    home_switch.conserves = False


def test_device_on_the_interface_of_a_kernel_port(home: KernelEnd, home_switch: Switch) -> None:
    home_switch.add_port("k", type="kernel", backend="tap", ifname="vsw0")
    for devargs in ("net_af_packet0,iface=vsw0", "net_tap0,iface=vsw0"):
        with pytest.raises(RpcError, match="port k has interface vsw0 already"):
            add(home_switch, devargs)
    home.ip("tuntap", "add", "dev", "made", "mode", "tap", "multi_queue", "vnet_hdr")
    add(home_switch, "net_af_packet0,iface=made")
    with pytest.raises(RpcError, match="port nic0 has interface made already"):
        home_switch.add_port("k2", type="kernel", backend="tap", ifname="made")


@pytest.mark.parametrize("first, second, words", [
    ("net_memif0,role=server,id=1,socket={0}/m,socket-abstract=no",
     "net_memif1,role=client,id=1,socket={0}/m,socket-abstract=no", "has socket="),
    ("net_memif0,role=server,socket={0}/m,socket-abstract=no",
     "net_memif1,role=server,id=0,socket={0}/m,socket-abstract=no", "has socket="),
    ("net_pcap0,tx_pcap={0}/out.pcap", "net_pcap1,tx_pcap={0}/out.pcap", "has tx_pcap="),
], ids=["loop", "twice", "file"])
def test_one_file_has_one_port(
    switch: Switch, workdir: Path, first: str, second: str, words: str
) -> None:
    add(switch, first.format(workdir, workdir.name))
    message = refusal(switch, "port.add", name="b", type="ethdev",
                      devargs=second.format(workdir, workdir.name))
    assert "port nic0 " + words in message
    assert switch.port("nic0")["fault"] is None
    if "id=" in second:
        switch.add_port("b", type="ethdev",
                        devargs=second.format(workdir, workdir.name).replace("id=", "id=2")
                        .replace("client", "server"))


def test_words_fit_the_error(switch: Switch) -> None:
    """An interface that is not there is no missing right."""
    message = refusal(switch, "port.add", name="b", type="ethdev",
                      devargs="net_af_packet0,iface=nobody")
    assert "No such device" in message and "right" not in message and "CAP" not in message

# SPDX-License-Identifier: BSD-3-Clause
"""Kernel ports whose interfaces change: by the switch, by others, and when they go."""

from __future__ import annotations

from typing import Any

import pytest
from kernel_end import KernelEnd, MakeEnd
from support import Switch, wait_until
from support.fixture_types import MakeStation
from support.frames import frame
from support.namespaces import run_tool
from support.station import introduce
from traffic import PairTraffic
from vswitch import RpcError

OWN, PEER = "10.77.0.254", "10.77.0.2"


def add(switch: Switch, name: str, end: KernelEnd, **options: Any) -> None:
    interface = {"ifname": f"{name}0", "netns": end.path}
    switch.add_port(name, type="kernel", backend="tap", **interface, **options)


def refusal(switch: Switch, method: str, **params: Any) -> str:
    with pytest.raises(RpcError) as caught:
        switch.call(method, params)
    return caught.value.message


def wait_device(switch: Switch, name: str, **wanted: Any) -> None:
    """Waits until show-port says so of the interface."""

    def check() -> bool:
        device = switch.port(name)["device"]
        return all(device[key] == value for key, value in wanted.items())

    wait_until(f"{wanted}", check, 10.0, lambda: str(switch.port(name)["device"]))


def options_of(switch: Switch, name: str) -> dict[str, Any]:
    port = switch.port(name)
    return {key: port.get(key) for key in ("mtu", "mac", "ip", "up", "enabled", "offload")}


def flags(end: KernelEnd, ifname: str) -> set[str]:
    return set(end.links()[ifname]["flags"])


@pytest.fixture
def pair(switch: Switch, make_end: MakeEnd) -> tuple[KernelEnd, KernelEnd]:
    a, b = make_end("a"), make_end("b")
    add(switch, "a", a, ip=[f"{OWN}/24"])
    add(switch, "b", b, ip=[f"{PEER}/24"])
    return a, b


# ---- What set-port changes ----


def test_mtu(switch: Switch, pair: tuple[KernelEnd, KernelEnd]) -> None:
    for name in ("a", "b"):
        switch.call("port.set", name=name, mtu=9000)
    assert pair[0].links()["a0"]["mtu"] == switch.port("a")["device"]["mtu"] == 9000
    pair[0].ping(PEER, 2, "-M", "do", "-s", "8972")


def test_mac_and_addresses(switch: Switch, pair: tuple[KernelEnd, KernelEnd]) -> None:
    a, b = pair
    a.ip("address", "add", "10.99.0.1/24", "dev", "a0")  # not the switch's business
    switch.call("port.set", name="a", mac="02:00:00:00:00:0a", ip=["10.77.0.7/24", "10.78.0.7/16"])
    assert a.links()["a0"]["address"] == "02:00:00:00:00:0a"
    assert switch.port("a")["device"]["mac"] == "02:00:00:00:00:0a"
    assert a.addresses("a0") == {"10.77.0.7/24", "10.78.0.7/16", "10.99.0.1/24"}
    b.ping("10.77.0.7")
    switch.call("port.set", name="a", ip=[])
    assert a.addresses("a0") == {"10.99.0.1/24"}


def test_refused_change_changes_nothing(
    switch: Switch, pair: tuple[KernelEnd, KernelEnd]
) -> None:
    """The interface has been given its new MAC and addresses when the MTU is refused, or before."""
    a = pair[0]
    before = a.links()["a0"], options_of(switch, "a")
    said = refusal(
        switch, "port.set", name="a", mtu=65535, mac="02:00:00:00:00:0b", ip=["10.78.0.1/24"]
    )
    assert said.startswith("set-port a: ") and "a0" in said and "65521" in said
    assert (a.links()["a0"], options_of(switch, "a")) == before
    # An IPv6 address cannot be where IPv6 is off: it is the last thing that is tried.
    said = refusal(
        switch, "port.set", name="a", mtu=9000, mac="02:00:00:00:00:0b", ip=["fd77::1/64"]
    )
    assert "fd77::1/64" in said
    assert (a.links()["a0"], options_of(switch, "a")) == before
    a.ping(PEER)


def test_up_and_down(switch: Switch, pair: tuple[KernelEnd, KernelEnd]) -> None:
    a, b = pair
    switch.call("port.set", name="a", up=False)
    assert "UP" not in flags(a, "a0")
    port = switch.wait_state("a", "down")
    assert "set down" in port["state_text"] and port["device"]["link"] == "down"
    switch.call("port.set", name="a", up=True)
    switch.wait_state("a", "up")
    b.ping(OWN)


def test_disabled_port_has_no_carrier(switch: Switch, pair: tuple[KernelEnd, KernelEnd]) -> None:
    a, b = pair
    switch.call("port.set", name="a", enabled=False)
    assert "LOWER_UP" not in flags(a, "a0") and "UP" in flags(a, "a0")
    assert "disabled" in switch.wait_state("a", "down")["state_text"]
    switch.call("port.set", name="a", enabled=True)
    assert "LOWER_UP" in flags(a, "a0")
    switch.wait_state("a", "up")
    b.ping(OWN)


# ---- What others change ----


def test_link_set_down_by_others(
    switch: Switch, pair: tuple[KernelEnd, KernelEnd], station: MakeStation
) -> None:
    a, b = pair
    s = station(switch, "s")
    a.ip("link", "set", "a0", "down")
    assert "set down" in switch.wait_state("a", "down")["state_text"]
    switch.call("stats.clear")
    for _ in range(3):
        s.frontend.send(frame("ff:ff:ff:ff:ff:ff", s.mac))
    switch.wait_stats("a", not_ready=3, tx_frames=0)
    a.ip("link", "set", "a0", "up")
    switch.wait_state("a", "up")
    b.ping(OWN)
    a.ip("link", "set", "a0", "down")
    switch.wait_state("a", "down")
    switch.call("port.set", name="a", up=True)  # as it is set already: what is wanted, again
    switch.wait_state("a", "up")


def test_mac_and_mtu_set_by_others(
    switch: Switch, pair: tuple[KernelEnd, KernelEnd], station: MakeStation
) -> None:
    a = pair[0]
    s = station(switch, "s")
    a.ip("link", "set", "a0", "address", "02:00:00:00:00:0c")
    a.ip("link", "set", "a0", "mtu", "1000")
    wait_device(switch, "a", mac="02:00:00:00:00:0c", mtu=1000)
    switch.call("stats.clear")
    for size in (1018, 1019):
        s.frontend.send(frame("ff:ff:ff:ff:ff:ff", s.mac, size))
    switch.wait_stats("a", too_big=1, tx_frames=1)
    a.ip("link", "set", "a0", "mtu", "9000")
    wait_device(switch, "a", mtu=9000)
    s.frontend.send(frame("ff:ff:ff:ff:ff:ff", s.mac, 1519))  # the port's own MTU is 1,500
    switch.wait_stats("s", too_big=1)
    switch.call("port.set", name="b", mac="02:00:00:00:00:0d")
    switch.call("port.set", name="a", offload=False)  # nothing else is touched
    assert a.links()["a0"]["mtu"] == 9000
    switch.call("port.set", name="a", mtu=2000)
    assert a.links()["a0"]["mtu"] == 2000


def test_renamed_and_moved_by_others(
    switch: Switch, pair: tuple[KernelEnd, KernelEnd], make_end: MakeEnd
) -> None:
    a, b = pair
    elsewhere = make_end("c")
    a.ip("link", "set", "a0", "down")
    a.ip("link", "set", "a0", "name", "other0")
    wait_device(switch, "a", ifname="other0")
    a.ip("link", "set", "other0", "netns", str(elsewhere.space.pid))
    elsewhere.ip("address", "add", f"{OWN}/24", "dev", "other0")
    elsewhere.ip("link", "set", "other0", "up")
    switch.wait_state("a", "up")
    b.ping(OWN)
    switch.call("port.set", name="a", mtu=1400)
    assert elsewhere.links()["other0"]["mtu"] == 1400


def check_gone(switch: Switch, b: KernelEnd, sign: str) -> None:
    """The port is marked, its neighbours go on, and it can be deleted and made again."""
    switch.conserves = False
    port = switch.wait_state("a", "down")
    assert sign in port["state_text"] and sign in port["fault"]["text"]
    assert port["device"]["link"] == "down"
    assert "gone" in refusal(switch, "port.set", name="a", mtu=1400)
    add(switch, "c", b, ip=["10.77.1.3/24"])
    switch.call("port.delete", name="c")
    switch.call("port.delete", name="a")


def test_deleted_by_others(switch: Switch, pair: tuple[KernelEnd, KernelEnd]) -> None:
    a, b = pair
    a.ip("link", "delete", "a0")
    check_gone(switch, b, "deleted")
    add(switch, "a", a, ip=[f"{OWN}/24"])
    b.ping(OWN)


def test_namespace_vanishes(
    switch: Switch, pair: tuple[KernelEnd, KernelEnd], named_netns: str
) -> None:
    b = pair[1]
    switch.call("port.delete", name="a")
    switch.add_port("a", type="kernel", backend="tap", netns=named_netns, ip=[f"{OWN}/24"])
    b.ping(OWN)
    run_tool(["/usr/sbin/ip", "netns", "delete", named_netns])
    check_gone(switch, b, f"namespace {named_netns} is gone")


# ---- What cannot be ----


@pytest.mark.parametrize(
    "options, signs",
    [
        ({"netns": "vswitch-none"}, ["vswitch-none", "ip netns add"]),
        ({"netns": "/dev/null"}, ["/dev/null", "not a namespace"]),
        ({"mtu": 65535}, ["65521"]),
        ({"ifname": "taken"}, ["taken", "veth", "--ifname"]),
        ({"name": "a-name-that-is-too-long"}, ["a-name-that-is-too-long", "--ifname"]),
        ({"ip": ["fd77::1/64"]}, ["fd77::1/64"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_failed_start_leaves_nothing(
    home: KernelEnd, home_switch: Switch, options: dict[str, Any], signs: list[str]
) -> None:
    home.ip("link", "add", "taken", "type", "veth", "peer", "name", "peer")
    before = home.links()
    params = {"name": "k", "type": "kernel", "backend": "tap", **options}
    said = refusal(home_switch, "port.add", **params)
    assert said.startswith(f"add-port {params['name']}: "), said
    assert all(sign in said for sign in signs), said
    assert home.links() == before
    assert home_switch.call("port.list") == []


def test_name_that_is_taken_there(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd
) -> None:
    there = make_end("there")
    there.ip("link", "add", "eth0", "type", "veth", "peer", "name", "peer")
    before = there.links()
    said = refusal(home_switch, "port.add", name="k", type="kernel", backend="tap", ifname="eth0",
                   netns=there.path)
    assert "eth0" in said and "exists" in said, said
    assert there.links() == before and home.links() == {}


# ---- Under traffic ----


def test_ports_come_and_go_under_traffic(
    switch: Switch, make_end: MakeEnd, station: MakeStation
) -> None:
    end = make_end("k")
    stations = station(switch, "x"), station(switch, "y")
    introduce(stations)
    switch.conserves = False
    with PairTraffic(*stations, others=["ff:ff:ff:ff:ff:ff"]) as traffic:
        for number in range(8):
            add(switch, "k", end, ip=[f"{OWN}/24"], queues=1 + number % 2)
            begin = traffic.check()
            wait_until("traffic goes on", lambda: traffic.check() > begin)
            if number % 4 == 3:
                end.ip("link", "delete", "k0")
            switch.call("port.delete", name="k")
    assert end.links() == {}




def test_moved_interface_is_shown_where_it_is(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd, named_netns: str
) -> None:
    """The setting says where it was made; a namespace may have no name."""
    home_switch.add_port("k", type="kernel", backend="tap", ifname="vsw0")
    assert home_switch.port("k")["device"]["netns"] is None
    home.ip("link", "set", "vsw0", "netns", named_netns)
    wait_device(home_switch, "k", netns=named_netns)
    assert f"vsw0 in {named_netns} (tap)" in home_switch.ctl("show-port", "k").stdout
    assert home_switch.port("k").get("netns") is None
    elsewhere = make_end("elsewhere")
    run_tool(["/usr/sbin/ip", "-netns", named_netns, "link", "set", "vsw0", "netns",
              elsewhere.path.split("/")[2]])
    wait_device(home_switch, "k", netns="a namespace without a name")
    home_switch.add_port("c", type="kernel", backend="tap", netns=elsewhere.path)
    assert home_switch.port("c")["device"]["netns"] == elsewhere.path
    elsewhere.ip("link", "set", "c", "netns", home.path.split("/")[2])
    wait_device(home_switch, "c", netns=None)

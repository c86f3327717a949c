# SPDX-License-Identifier: BSD-3-Clause
"""Settings of kernel ports: in the configuration file, by set-port, and as people see them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kernel_end import KernelEnd, MakeEnd
from support import RawClient, Switch, wait_until
from support.fixture_types import MakeSwitch
from vswitch import RpcError

PARAMS, EXISTS = -32602, -32002
KEYS = ("name", "type", "mtu", "mac-limit", "enabled", "offload", "ifname", "netns", "ip", "mac",
        "up", "backend", "queues")


def port(end: KernelEnd, **more: Any) -> dict[str, Any]:
    """A port of the configuration file with an interface in this namespace."""
    return {"name": "k", "type": "kernel", "backend": "tap", "ifname": "vsw0", "netns": end.path,
            "ip": ["10.79.0.1/24"], **more}


def settings(switch: Switch) -> list[dict[str, Any]]:
    return [{key: one[key] for key in KEYS} for one in switch.call("port.list")]


def test_file_with_interfaces(make_switch: MakeSwitch, make_end: MakeEnd) -> None:
    """The switch is ready when all of them are there."""
    end = make_end("blue")
    ports = [
        port(end, name=f"k{number}", ifname=f"vsw{number}", ip=[f"10.79.{number}.1/24"], queues=2,
             mtu=1400, mac=f"02:00:00:00:00:0{number}")
        for number in range(4)
    ]
    switch = make_switch(config={"version": 1, "ports": [*ports, {"name": "p"}]})
    links = end.links()
    assert sorted(links) == ["vsw0", "vsw1", "vsw2", "vsw3"]
    assert {link["mtu"] for link in links.values()} == {1400}
    assert links["vsw3"]["address"] == "02:00:00:00:00:03"
    assert end.addresses("vsw2") == {"10.79.2.1/24"}
    assert [one["name"] for one in switch.call("port.list")] == ["k0", "k1", "k2", "k3", "p"]


def test_interface_that_cannot_be_stops_the_start(
    make_switch: MakeSwitch, make_end: MakeEnd
) -> None:
    """The file and the port are named, and the interfaces before it are gone."""
    end = make_end("blue")
    config = {"version": 1, "ports": [
        port(end), port(end, name="l", ifname="vsw1", netns="/proc/self/ns/mnt"),
    ]}
    switch = make_switch(config=config, start=False)
    process = switch.launch()
    assert process.wait(20.0) == 1
    process.check_sanitizers()
    for words in (switch.arguments[-1], "ports[1]", "add-port l", "/proc/self/ns/mnt"):
        assert words in process.log(), process.log()
    assert end.links() == {}


def test_save_and_start_again(
    make_switch: MakeSwitch, make_end: MakeEnd, workdir: Path
) -> None:
    end = make_end("blue").with_ipv6()
    first = make_switch(config={"version": 1, "ports": [port(end, mac="02:00:00:00:00:0a")]})
    first.call("port.set", {"name": "k", "mtu": 2000, "ip": "10.79.0.9/8,FD00::01/64"})
    path = workdir / "saved.json"
    first.call("config.save", file=str(path))
    saved = json.loads(path.read_text())["ports"]
    assert saved[0]["ip"] == ["10.79.0.9/8", "fd00::1/64"]
    assert not {"socket", "mode", "devargs", "promiscuous"} & set(saved[0])
    before = settings(first)
    first.stop()
    assert end.links() == {}
    second = make_switch("--config", str(path), directory=first.directory)
    assert settings(second) == before
    assert end.addresses("vsw0") == {"10.79.0.9/8", "fd00::1/64"}


def test_addresses_by_the_command_line(switch: Switch, make_end: MakeEnd) -> None:
    end = make_end("blue").with_ipv6()
    added = switch.ctl("add-port", "k", "--type", "kernel", "--backend", "tap", "--netns", end.path,
                       "--ip", "10.79.0.1/24", "--ip", "10.80.0.1/24,fd00::1/64")
    assert added.returncode == 0, added.stderr
    assert f"nsenter --net={end.path} ping 10.79.0.2" in added.stdout
    assert end.addresses("k") == {"10.79.0.1/24", "10.80.0.1/24", "fd00::1/64"}
    done = switch.ctl("set-port", "k", "ip=10.79.0.7/24", "mtu=1300")
    assert done.stdout == "port k: mtu 1300, ip 10.79.0.7/24\n"
    assert end.addresses("k") == {"10.79.0.7/24"}
    assert " ip=10.79.0.7/24" in switch.ctl("show-port", "k").stdout
    assert switch.ctl("set-port", "k", "ip=").stdout == "port k: ip none\n"
    assert end.addresses("k") == set()
    assert " ip=" not in switch.ctl("show-port", "k").stdout


def test_hints_are_of_the_interfaces_network(switch: Switch, make_end: MakeEnd) -> None:
    """No hint gives a station the address of an interface, or of another station."""
    end = make_end("blue")

    def hint(name: str, **more: Any) -> str:
        return str(switch.call("port.add", {"name": name, **more})["hint"])

    assert "--ip 10.0.0.1/16 respond" in hint("p0")
    assert hint("k", type="kernel", backend="tap", netns=end.path, ip=["10.79.0.9/29"])
    assert hint("l", type="kernel", backend="tap", netns=end.path,
                ip=["10.79.0.10/29", "10.79.0.12/29"])
    assert "show-port n" in hint("n", type="ethdev", devargs="net_null0,no-rx=1")
    for name, own in (("p1", 13), ("p2", 14)):
        assert hint(name).endswith(f" --ip 10.79.0.{own}/29 ping 10.79.0.11")
    assert hint("p3").endswith(" --ip 10.0.0.4/16 ping 10.0.0.1")
    switch.call("port.delete", name="p0")
    assert hint("p9", socket=str(switch.directory / "other.sock")).endswith("/29 respond")


def test_what_is_seen(switch: Switch, make_end: MakeEnd) -> None:
    end = make_end("blue")
    added = switch.call("port.add", port(end, ip=[]))
    assert added["hint"] == f"try: nsenter --net={end.path} ip address show dev vsw0"
    shown = switch.port("k")
    assert shown["session"] is None and not shown.keys() & {"peer", "socket", "mode", "connect"}
    device = shown["device"]
    assert (device["ifname"], device["netns"], device["mtu"]) == ("vsw0", end.path, 1500)
    assert device["mac"] == end.links()["vsw0"]["address"]
    assert set(device["takes"]) == {"csum", "tso4", "tso6", "ecn"}
    for command in (["list-ports"], ["show-port", "k"], ["status"]):
        assert "vsw0" in switch.ctl(*command).stdout


def test_port_that_is_there_already(switch: Switch, make_end: MakeEnd) -> None:
    end = make_end("blue")
    wanted = port(end)
    switch.call("port.add", wanted)
    again = {**wanted, "may-exist": True}
    assert switch.call("port.add", again)["state"] == "up"
    for key, value in (("ifname", "vsw9"), ("ip", ["10.79.0.2/24"]), ("queues", 3)):
        with pytest.raises(RpcError) as caught:
            switch.call("port.add", {**again, key: value})
        assert (caught.value.code, caught.value.data["param"]) == (EXISTS, key)
    unnamed = {"name": "vsw1", "type": "kernel", "backend": "tap", "netns": end.path}
    switch.call("port.add", unnamed)
    switch.call("port.add", {**unnamed, "ifname": "vsw1", "may-exist": True})
    with pytest.raises(RpcError) as caught:
        switch.call("port.set", {"name": "k", "mtu": 1400, "mode": "0600"})
    assert (caught.value.code, caught.value.data["param"]) == (PARAMS, "mode")
    assert switch.port("k")["mtu"] == 1500


def test_changes_at_once(switch: Switch, make_end: MakeEnd) -> None:
    """Each is done or refused in words, and nothing is left between two of them."""
    end = make_end("blue")
    switch.call("port.add", port(end))
    clients = [RawClient(switch.control) for _ in range(4)]
    for number, client in enumerate(clients):
        client.send_request("port.set", {
            "name": "k", "mtu": 1400 + number, "ip": [f"10.79.0.{10 + number}/24"],
        })
    replies = [client.read_reply() for client in clients]
    for client in clients:
        client.close()
    assert any("result" in reply for reply in replies)
    assert all("set-port k: " in reply["error"]["message"] for reply in replies if "error" in reply)
    last = switch.port("k")
    assert last["ip"] == [f"10.79.0.{last['mtu'] - 1390}/24"]
    assert end.addresses("vsw0") == set(last["ip"])
    assert end.links()["vsw0"]["mtu"] == last["mtu"]


def test_each_setting_together_with_one_that_is_not_the_interfaces(
    switch: Switch, make_end: MakeEnd
) -> None:
    """A change of the interface is done, also where another setting changes with it."""
    end = make_end("blue")
    switch.call("port.add", port(end))
    mac = "02:00:00:00:79:01"
    changes: list[dict[str, Any]] = [
        {"mtu": 1404}, {"mac": mac}, {"ip": ["10.79.0.9/24"]}, {"offload": False}, {"up": False},
        {"up": True}, {"enabled": False},
    ]
    for limit, change in enumerate(changes, 1):
        shown = switch.call("port.set", {"name": "k", "mac-limit": limit, **change})
        assert {key: shown[key] for key in ("mac-limit", *change)} == {"mac-limit": limit, **change}
        link = end.links()["vsw0"]
        if "up" in change:
            assert ("UP" in link["flags"]) == change["up"]
    assert (link["mtu"], link["address"]) == (1404, mac)
    assert end.addresses("vsw0") == {"10.79.0.9/24"}
    assert shown["device"]["takes"] == []
    assert switch.port("k")["state"] == "down"


def test_client_that_leaves_before_its_port_is_there(switch: Switch, make_end: MakeEnd) -> None:
    end = make_end("blue")
    with RawClient(switch.control) as client:
        client.send_request("port.add", port(end))
    wait_until("the port is there", lambda: bool(switch.call("port.list")))
    assert end.addresses("vsw0") == {"10.79.0.1/24"}
    switch.call("port.delete", name="k")
    assert end.links() == {}

# SPDX-License-Identifier: BSD-3-Clause
"""The options of each kind of port, and how one that a port's kind does not have is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support import Switch
from support.fixture_types import MakeSwitch
from vswitch import RpcError

PARAMS, EXISTS = -32602, -32002
USAGE = 2


def refusal(switch: Switch, method: str, params: dict[str, Any]) -> RpcError:
    with pytest.raises(RpcError) as caught:
        switch.call(method, params)
    return caught.value


FOREIGN: list[tuple[str, str, Any, list[str]]] = [
    ("vhost-user", "ifname", "vsw0", ["kernel"]),
    ("vhost-user", "netns", "blue", ["kernel"]),
    ("vhost-user", "ip", ["10.0.0.1/24"], ["kernel"]),
    ("vhost-user", "mac", "02:00:00:00:00:01", ["kernel", "ethdev"]),
    ("vhost-user", "up", True, ["kernel", "ethdev"]),
    ("vhost-user", "backend", "tap", ["kernel"]),
    ("vhost-user", "queues", 1, ["kernel", "ethdev"]),
    ("vhost-user", "devargs", "net_null0", ["ethdev"]),
    ("vhost-user", "promiscuous", False, ["ethdev"]),
    ("kernel", "socket", "/x/y.sock", ["vhost-user"]),
    ("kernel", "connect", "/x/y.sock", ["vhost-user"]),
    ("kernel", "mode", "0600", ["vhost-user"]),
    ("kernel", "owner", "0", ["vhost-user"]),
    ("kernel", "devargs", "net_null0", ["ethdev"]),
    ("ethdev", "ip", [], ["kernel"]),
    ("ethdev", "group", "0", ["vhost-user"]),
]


def test_option_of_another_kind(switch: Switch) -> None:
    for kind, key, value, kinds in FOREIGN:
        params = {"name": "p0", "type": kind, key: value}
        if kind == "ethdev":
            params["devargs"] = "net_null0"
        error = refusal(switch, "port.add", params)
        assert (error.code, error.data["param"]) == (PARAMS, key)
        for name in (kind, *kinds):
            assert name in error.message, error.message
    assert switch.call("port.list") == []


def test_device_without_its_arguments(switch: Switch) -> None:
    error = refusal(switch, "port.add", {"name": "p0", "type": "ethdev"})
    assert (error.code, error.data["param"]) == (PARAMS, "devargs")
    assert "is missing" in error.message and "net_af_packet0" in error.message


WRONG: list[tuple[str, Any, str]] = [
    ("ifname", "", "name of a network interface"),
    ("ifname", "a" * 16, "1 to 15 bytes"),
    ("ifname", "a/b", "name of a network interface"),
    ("ifname", "..", "name of a network interface"),
    ("ifname", "vsw%d", "name of a network interface"),
    ("netns", "a/b", "network namespace"),
    ("netns", "", "network namespace"),
    ("ip", ["10.0.0.1"], "10.0.0.1/24"),
    ("ip", ["10.0.0.1/33"], "from 1 to 32"),
    ("ip", ["fd00::1/129"], "from 1 to 128"),
    ("ip", ["10.0.0.1/24", "10.0.0.1/16"], "given twice"),
    ("ip", ["239.0.0.1/24"], "multicast"),
    ("ip", ["::/64"], "no address"),
    ("ip", [f"10.0.0.{host}/24" for host in range(1, 18)], "at most 16"),
    ("ip", [1], "element 0"),
    ("ip", 1, "array of addresses"),
    ("mac", "01:00:5e:00:00:01", "one station"),
    ("mac", "00:00:00:00:00:00", "one station"),
    ("backend", "vhost", "did you mean vhost-net?"),
    ("queues", 0, "from 1 to 8"),
    ("queues", 9, "from 1 to 8"),
    ("up", "on", "true or false"),
]


def test_wrong_value_is_named(switch: Switch) -> None:
    for key, value, words in WRONG:
        error = refusal(switch, "port.add", {"name": "p0", "type": "kernel", key: value})
        assert (error.code, error.data["param"]) == (PARAMS, key)
        assert words in error.message, error.message
    assert switch.call("port.list") == []


def test_device_is_saved_and_made_again(make_switch: MakeSwitch, workdir: Path) -> None:
    """What the file and the command line say, and what people see."""
    quiet = "net_null0,no-rx=1"
    config = {"version": 1, "ports": [
        {"name": "n", "type": "ethdev", "devargs": quiet, "promiscuous": False, "mac-limit": 5},
    ]}
    first = make_switch(config=config)
    path = workdir / "saved.json"
    first.call("config.save", file=str(path))
    saved = json.loads(path.read_text())["ports"]
    assert (saved[0]["devargs"], saved[0]["promiscuous"]) == (quiet, False)
    assert not {"socket", "mode", "ifname", "ip", "backend"} & set(saved[0])
    first.stop()
    second = make_switch("--config", str(path), directory=first.directory)
    shown = second.port("n")
    assert (shown["type"], shown["devargs"], shown["promiscuous"]) == ("ethdev", quiet, False)
    assert (shown["mac-limit"], shown["session"]) == (5, None) and "socket" not in shown
    assert (shown["device"]["backend"], shown["device"]["ifname"]) == ("net_null", None)
    assert "net_null" in second.ctl("list-ports").stdout
    assert quiet in second.ctl("show-port", "n").stdout
    again = second.call("port.add", {"name": "n", "type": "ethdev", "devargs": quiet,
                                     "promiscuous": False, "may-exist": True})
    assert again["hint"] == "try: vswitchctl show-port n"


def test_set_of_what_another_kind_has(switch: Switch) -> None:
    switch.add_port("p0")
    for key, value in (("ip", []), ("mac", "02:00:00:00:00:01"), ("promiscuous", True)):
        error = refusal(switch, "port.set", {"name": "p0", "mtu": 2000, key: value})
        assert (error.code, error.data["param"]) == (PARAMS, key)
        assert "vhost-user" in error.message
    assert switch.port("p0")["mtu"] == 1500
    for key in ("ifname", "netns", "queues", "backend", "devargs"):
        error = refusal(switch, "port.set", {"name": "p0", key: 1})
        assert "cannot be changed" in error.message, error.message


def test_offload_is_an_option_of_a_frontends_port(switch: Switch) -> None:
    assert switch.add_port("p0")["offload"] is True
    assert switch.call("port.set", {"name": "p0", "offload": False})["offload"] is False
    assert switch.add_port("p1", offload=False)["offload"] is False


def test_name_that_a_port_of_another_type_has(switch: Switch) -> None:
    switch.add_port("p0")
    error = refusal(switch, "port.add", {"name": "p0", "type": "kernel", "may-exist": True})
    assert (error.code, error.data["param"]) == (EXISTS, "type")
    assert "vhost-user" in error.message and "kernel" in error.message


CTL: list[tuple[list[str], str]] = [
    (["--ip", "10.0.0.1/24"], "ports of type kernel"),
    (["--type", "kernel", "--mode", "0600"], "ports of type vhost-user"),
    (["--type", "ethdev"], "devargs: is missing"),
    (["--type", "kernel", "--ip", "10.0.0.1/24", "--ip", "10.0.0.1/8"], "given twice"),
    (["--type", "kernel", "--ip", "10.0.0.1/24,foo"], "'foo'"),
    (["--type", "kernel", "--ifname", "a", "--ifname", "b"], "ifname is given twice"),
    (["--type", "kernl"], "kernel"),
    (["--type", "kernel", "--ifnam", "x"], "--ifname"),
]


def test_wrong_usage(switch: Switch) -> None:
    for words, says in CTL:
        done = switch.ctl("add-port", "p0", *words)
        assert done.returncode == USAGE, words
        assert says in done.stderr, done.stderr
    assert switch.call("port.list") == []


def test_help_tells_whose_an_option_is(switch: Switch) -> None:
    out = switch.ctl("add-port", "--help").stdout
    of_kernel = out.partition("Options of kernel ports:")[2].partition("\n\n")[0]
    assert "--ifname" in of_kernel and "--netns" in of_kernel and "--mode" not in of_kernel
    keys = switch.ctl("set-port", "--help").stdout
    assert "promiscuous=" in keys.partition("Keys of ethdev ports:")[2]

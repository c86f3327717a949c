# SPDX-License-Identifier: BSD-3-Clause
"""Configurations of which something is missing at the start: its port waits, all others are up."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from kernel_end import KernelEnd, MakeEnd
from support import Switch, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from support.frontend import RawFrontend
from support.station import introduce
from test_start import fails
from vswitch import RpcError

MAC = "02:00:00:00:00:aa"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to make interfaces")


def device(workdir: Path, **keys: Any) -> dict[str, Any]:
    """A device of a file that is not there."""
    return {
        "name": "m", "type": "ethdev", "devargs": f"net_pcap0,rx_pcap={workdir}/in.pcap", **keys
    }


def config(*ports: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"version": 1, "ports": [{"name": "a"}, *ports, {"name": "z"}], **keys}


def write_capture(workdir: Path) -> None:
    """An empty capture file."""
    head = "d4c3b2a1020004000000000000000000ffff000001000000"
    whole = workdir / "whole.pcap"
    whole.write_bytes(bytes.fromhex(head))
    whole.rename(workdir / "in.pcap")


def is_waiting(switch: Switch, *words: str) -> dict[str, Any]:
    port = switch.port("m")
    assert port["state"] == "waiting", port
    assert port.get("device") is None and port["fault"] is None
    for word in words:
        assert word in port["state_text"], (word, port["state_text"])
        assert any(
            line.startswith("warning: port m: waits") and word in line
            for line in switch.process.log().splitlines()
        ), switch.process.log()
    return port


def test_device_that_is_missing(
    make_switch: MakeSwitch, station: MakeStation, workdir: Path
) -> None:
    switch = make_switch(config=config(device(workdir), fdb=[{"mac": MAC, "port": "m"}]))
    assert [port["name"] for port in switch.call("port.list")] == ["a", "m", "z"]
    is_waiting(switch, "net_pcap0")
    assert switch.fdb() == {MAC: "m"}
    a, z = station(switch, "a"), station(switch, "z")
    introduce([a, z])
    z.expect(a.send(z))
    a.send(MAC)
    switch.wait_drops("a", {"not-ready": 1})
    write_capture(workdir)
    wait_until("it has come", lambda: bool(switch.port("m")["device"]), 20.0)
    assert switch.port("m")["state"] == "up"
    log = switch.process.log()
    assert "info: port m: what it waited for is there" in log
    assert log.count("port m: waits") == 1 and "error" not in log
    assert switch.fdb()[MAC] == "m"
    switch.call("port.delete", name="m")
    assert [port["name"] for port in switch.call("port.list")] == ["a", "z"]


def test_directory_of_a_socket_that_is_missing(
    make_switch: MakeSwitch, workdir: Path
) -> None:
    """That of a container which has not started yet."""
    there = workdir / "container"
    port = {"name": "m", "socket": str(there / "m.sock")}
    switch = make_switch(config=config(port))
    is_waiting(switch, str(there / "m.sock"), "No such file or directory")
    there.mkdir()
    wait_until("it listens", lambda: "for a frontend" in switch.port("m")["state_text"], 20.0)
    with RawFrontend(there / "m.sock") as frontend:
        frontend.handshake()
        switch.wait_state("m", "up")
    assert switch.call("port.delete", name="m")["deleted"]
    assert not (there / "m.sock").exists()


def test_what_waits_is_a_port_like_others(make_switch: MakeSwitch, workdir: Path) -> None:
    """It is listed, changed, saved and deleted, and its name is taken."""
    switch = make_switch(config=config(device(workdir)))
    is_waiting(switch)
    with pytest.raises(RpcError, match="there already"):
        switch.add_port("m")
    wait_until("it is changed", lambda: changes(switch, mtu=1400))
    assert switch.port("m")["mtu"] == 1400
    path = workdir / "saved.json"
    switch.call("config.save", file=str(path))
    saved = json.loads(path.read_text())["ports"][1]
    assert (saved["name"], saved["mtu"]) == ("m", 1400)
    assert saved["devargs"] == device(workdir)["devargs"]
    switch.call("stats.clear")
    assert switch.ctl("show-port", "m").returncode == 0
    assert "waiting" in switch.ctl("list-ports").stdout
    assert switch.call("port.delete", name="m")["deleted"]
    assert [port["name"] for port in switch.call("port.list")] == ["a", "z"]
    switch.add_port("m")


def changes(switch: Switch, **options: Any) -> bool:
    """False while the port is being tried."""
    try:
        switch.call("port.set", {"name": "m"}, **options)
    except RpcError as error:
        assert "try again in a moment" in error.message
        return False
    return True


def test_the_switch_starts_with_what_it_saved(make_switch: MakeSwitch, workdir: Path) -> None:
    write_capture(workdir)
    first = make_switch(config=config(device(workdir)))
    assert first.port("m")["state"] == "up"
    path = workdir / "saved.json"
    first.call("config.save", file=str(path))
    first.stop()
    (workdir / "in.pcap").unlink()
    second = make_switch("--config", str(path), directory=first.directory)
    is_waiting(second)
    again = workdir / "again.json"
    second.call("config.save", file=str(again))
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("missing, words", [
    ("devargs", "DPDK cannot attach net_pcap0"), ("socket", "cannot listen on"),
])
def test_strict(make_switch: MakeSwitch, workdir: Path, missing: str, words: str) -> None:
    ports = {
        "devargs": device(workdir), "socket": {"name": "m", "socket": str(workdir / "no" / "m")},
    }
    switch = make_switch("--config-strict", config=config(ports[missing]), start=False)
    assert f"ports[1]: add-port m: {words}" in fails(switch, status=1)
    assert not switch.directory.exists()


@pytest.mark.parametrize(
    "wrong, word",
    [
        ({"devargs": "net_nosuch0,iface=x"}, "net_nosuch0"),
        ({"devargs": "net_vhost0,iface=/x"}, "net_vhost"), ({"devargs": ""}, "devargs"),
    ],
)
def test_what_is_wrong_still_stops_the_start(
    make_switch: MakeSwitch, workdir: Path, wrong: dict[str, Any], word: str
) -> None:
    switch = make_switch(config=config(device(workdir, **wrong)), start=False)
    log = fails(switch, status=1)
    assert "ports[1]" in log and word in log


def test_added_by_a_request_it_is_refused(switch: Switch, workdir: Path) -> None:
    """Whoever asks is there, and told."""
    with pytest.raises(RpcError, match="cannot attach net_pcap0"):
        switch.call("port.add", device(workdir))
    assert switch.call("port.list") == []


def test_stop_while_it_waits(make_switch: MakeSwitch, workdir: Path) -> None:
    switch = make_switch(config=config(*(
        {"name": f"m{n}", "type": "ethdev", "devargs": f"net_pcap{n},rx_pcap={workdir}/{n}"}
        for n in range(20)
    )))
    assert len(switch.call("port.list")) == 22
    switch.stop()
    assert "did not end" not in switch.process.log()


@needs_root
def test_namespace_that_is_missing(make_switch: MakeSwitch, netns_name: str) -> None:
    missing = {"name": "m", "type": "kernel", "netns": netns_name, "ifname": "eth0"}
    switch = make_switch(config=config(missing))
    is_waiting(switch, netns_name)
    subprocess.run(["ip", "netns", "add", netns_name], check=True)
    wait_until("it has come", lambda: bool(switch.port("m")["state"] == "up"), 20.0)
    done = subprocess.run(["ip", "-n", netns_name, "link", "show", "eth0"], capture_output=True)
    assert done.returncode == 0


@needs_root
def test_interface_that_is_missing(make_switch: MakeSwitch, home: KernelEnd) -> None:
    missing = {"name": "m", "type": "ethdev", "devargs": "net_af_packet0,iface=v0"}
    switch = make_switch(config=config(missing), wrapper=home.command())
    switch.conserves = False  # the kernel sends what it likes, and the port is deleted
    is_waiting(switch, "net_af_packet0")
    home.ip("link", "add", "v0", "type", "veth", "peer", "v0p")
    for end in ("v0", "v0p"):
        home.ip("link", "set", end, "up")
    wait_until("it has come", lambda: bool(switch.port("m")["state"] == "up"), 20.0)
    switch.call("port.delete", name="m")


@needs_root
def test_namespace_of_a_process_is_saved_with_a_warning(
    switch: Switch, workdir: Path, make_end: MakeEnd
) -> None:
    netns = make_end("m").path
    switch.add_port("m", type="kernel", netns=netns, ifname="k0")
    path = workdir / "saved.json"
    result = switch.call("config.save", file=str(path))
    assert result["file"] == str(path)
    (words,) = result["warnings"]
    assert "port m" in words and netns in words and "ip netns attach" in words
    assert "warning: port m" in switch.ctl("save-config", str(path)).stdout
    switch.call("port.delete", name="m")
    assert switch.call("config.save", file=str(path)) == {"file": str(path)}

# SPDX-License-Identifier: BSD-3-Clause
"""What each method of the control protocol does with good parameters, and refuses of bad ones."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Mapping

import pytest
from support import Switch, wait_until
from support.fixture_types import MakeStation
from support.messages import Feature, bits
from support.process import ordinary_user
from support.station import introduce
from vswitch import Client, RpcError

PARAMS, REFUSED, NOT_FOUND, EXISTS = -32602, -32000, -32001, -32002
REASONS = {
    "ring-full", "not-ready", "bad-chain", "too-short", "too-big", "same-port", "disabled",
    "reserved-address", "bad-offload", "refused", "memory-limit", "resting",
}
MAC = "02:00:00:00:00:01"


def refusal(switch: Switch, method: str, params: Mapping[str, Any]) -> RpcError:
    with pytest.raises(RpcError) as caught:
        switch.call(method, params)
    return caught.value


# port.add

def test_added_port_has_its_defaults(switch: Switch) -> None:
    port = switch.add_port("p0")
    assert "vuser-client" in port.pop("hint")
    path = str(switch.path("p0"))
    expected = {
        "name": "p0", "type": "vhost-user", "socket": path, "state": "waiting",
        "state_text": f"waiting for a frontend on {path}", "peer": None, "mtu": 1500,
        "mac-limit": 0, "enabled": True, "mode": "0600", "fault": None,
        "rejected_connections": 0, "macs": 0, "offload": True, "max-memory": 0,
        "frontend_mtu": None,
    }
    assert not port.keys() & {"connect", "device", "ifname", "devargs", "promiscuous"}
    assert {key: port[key] for key in expected} == expected
    assert set(port["stats"]["drops"]) == REASONS
    assert port["stats"]["offload"] == {"checksummed": 0, "segmented": 0, "segments": 0}
    assert stat.S_IMODE(switch.path("p0").stat().st_mode) == 0o600
    assert stat.S_ISSOCK(switch.path("p0").stat().st_mode)


def test_port_with_every_option(switch: Switch, workdir: Path) -> None:
    path = workdir / "elsewhere.sock"
    user = ordinary_user() or os.getuid()
    group = ordinary_user() or os.getgid()
    options = {
        "socket": str(path), "mtu": 9000, "mac-limit": 7, "enabled": False, "mode": "0660",
        "owner": str(user), "group": str(group), "max-memory": 512,
    }
    port = switch.call("port.add", {"name": "p0", "type": "vhost-user", **options})
    assert {key: port[key] for key in ("socket", "mtu", "mac-limit", "enabled", "mode")} == {
        key: options[key] for key in ("socket", "mtu", "mac-limit", "enabled", "mode")
    }
    status = path.stat()
    assert stat.S_IMODE(status.st_mode) == 0o660
    assert (status.st_uid, status.st_gid) == (user, group)
    switch.call("port.delete", name="p0")
    assert not path.exists()


BAD_OPTIONS: list[tuple[str, Any]] = [
    ("mtu", 67), ("mtu", 65536), ("mtu", -1), ("mtu", 1500.5), ("mtu", "1500"), ("mtu", True),
    ("mtu", None), ("mac-limit", -1), ("mac-limit", 65537), ("mac-limit", "x"), ("enabled", 1),
    ("enabled", "on"), ("mode", "9999"), ("mode", "rw"), ("mode", 600), ("mode", ""),
    ("mode", "01777"), ("owner", "nobody-of-this-name"), ("owner", 0), ("group", "no-such-group"),
    ("group", ""), ("socket", ""), ("socket", "relative.sock"), ("socket", "/" + "x" * 200),
    ("socket", 7), ("connect", ""), ("connect", "/" + "x" * 108), ("type", "vhost-usr"),
    ("type", 1), ("name", ""), ("name", "control"), ("name", "-a"), ("name", ".a"),
    ("name", "a/b"), ("name", "a b"), ("name", "a" * 64), ("name", "\u00e9"), ("name", "a\n"),
    ("name", 7), ("name", None),
]


@pytest.mark.parametrize("key, value", BAD_OPTIONS, ids=lambda part: repr(part)[:24])
def test_bad_option_is_named_and_nothing_is_added(switch: Switch, key: str, value: Any) -> None:
    error = refusal(switch, "port.add", {"name": "p0", key: value})
    assert error.code == PARAMS, error
    assert error.data["param"] == key
    assert key in error.message or str(value) in error.message
    assert switch.call("port.list") == []
    assert not switch.path("p0").exists()


@pytest.mark.parametrize(
    "name", ["a", "0", "A" * 63, "a.b", "a-b", "a_b", "p0.sock", "Control", "control0"]
)
def test_good_names(switch: Switch, name: str) -> None:
    assert switch.add_port(name)["name"] == name
    assert switch.path(name).exists()
    assert switch.call("port.delete", name=name) == {"name": name, "deleted": True}
    assert not switch.path(name).exists()


@pytest.mark.parametrize("key, value", [
    ("socket", "/x/y"), ("mode", "0660"), ("owner", "0"), ("group", "0"),
])
def test_connect_excludes_what_is_for_listening(
    switch: Switch, workdir: Path, key: str, value: str
) -> None:
    error = refusal(
        switch, "port.add", {"name": "p0", "connect": str(workdir / "c.sock"), key: value}
    )
    assert error.code == PARAMS
    assert error.data["param"] in (key, "connect")
    assert key in error.message and "connect" in error.message


def test_name_that_is_taken(switch: Switch) -> None:
    switch.add_port("p0", mtu=2000)
    assert refusal(switch, "port.add", {"name": "p0"}).code == EXISTS
    assert switch.add_port("p0", may_exist=True)["mtu"] == 2000
    assert switch.add_port("p0", may_exist=True, mtu=2000)["mtu"] == 2000
    error = refusal(switch, "port.add", {"name": "p0", "may-exist": True, "mtu": 3000})
    assert "mtu" in error.message
    assert switch.port("p0")["mtu"] == 2000


def test_socket_that_another_port_has(switch: Switch) -> None:
    switch.add_port("p0")
    error = refusal(switch, "port.add", {"name": "p1", "socket": str(switch.path("p0"))})
    assert str(switch.path("p0")) in error.message
    assert [port["name"] for port in switch.call("port.list")] == ["p0"]
    assert switch.path("p0").exists()


def test_directory_that_does_not_exist(switch: Switch, workdir: Path) -> None:
    missing = workdir / "missing" / "a.sock"
    error = refusal(switch, "port.add", {"name": "p0", "socket": str(missing)})
    assert error.code == REFUSED
    assert str(missing) in error.message
    assert switch.call("port.list") == []


def test_file_that_is_no_socket_is_left_alone(switch: Switch, workdir: Path) -> None:
    path = workdir / "precious"
    path.write_text("precious")
    error = refusal(switch, "port.add", {"name": "p0", "socket": str(path)})
    assert error.code == REFUSED
    assert str(path) in error.message
    assert path.read_text() == "precious"


# port.delete, port.list, port.show

def test_delete_of_nothing(switch: Switch) -> None:
    switch.add_port("port0")
    error = refusal(switch, "port.delete", {"name": "prt0"})
    assert (error.code, error.data["nearest"]) == (NOT_FOUND, "port0")
    assert "prt0" in error.message and "port0" in error.message
    assert switch.call("port.delete", name="other", if_exists=True) == {
        "name": "other", "deleted": False
    }


def test_name_is_free_when_delete_has_answered(switch: Switch, station: MakeStation) -> None:
    switch.conserves = False
    for _ in range(5):
        a = station(switch, "a")
        switch.call("port.delete", name="a")
        assert switch.call("port.list") == []
        assert not switch.path("a").exists()
        a.frontend.wait_closed()


def test_list_is_sorted_and_show_agrees(switch: Switch) -> None:
    for name in ("b", "c", "a"):
        switch.add_port(name)
    ports = switch.call("port.list")
    assert [port["name"] for port in ports] == ["a", "b", "c"]
    shown = switch.port("b")
    assert shown.pop("session") is None
    assert shown == ports[1]
    assert len({port["id"] for port in ports}) == 3


@pytest.mark.parametrize(
    "method", ["port.show", "port.set", "port.delete", "stats.get", "stats.clear"]
)
def test_port_that_is_not_there(switch: Switch, method: str) -> None:
    switch.add_port("wan")
    error = refusal(switch, method, {"name": "wann"})
    assert (error.code, error.data["nearest"]) == (NOT_FOUND, "wan")


def test_session_in_full(switch: Switch, station: MakeStation) -> None:
    a = station(switch, "a")
    port = switch.port("a")
    assert (port["state"], port["state_text"]) == ("up", "up")
    session = port["session"]
    assert set(session["features"]) >= {"VIRTIO_F_VERSION_1", "VIRTIO_NET_F_MRG_RXBUF"}
    assert int(session["features_hex"], 16) == a.frontend.features
    assert "VHOST_USER_PROTOCOL_F_REPLY_ACK" in session["protocol_features"] or \
        "REPLY_ACK" in " ".join(session["protocol_features"])
    assert session["memory"] == [dict(a.frontend.memory.table[0]._asdict())]
    assert session["memory_regions_max"] == 8
    receive, transmit = session["vrings"]
    assert (receive["role"], transmit["role"]) == ("receiveq", "transmitq")
    for ring in (receive, transmit):
        assert ring["size"] == 256
        assert all(ring[key] for key in ("enabled", "running", "has_kick", "has_call"))
    assert a.frontend.features & bits([Feature.VERSION_1])


# port.set

def test_set_changes_all_or_nothing(switch: Switch) -> None:
    before = switch.add_port("p0")
    good = {"mtu": 9000, "mac-limit": 5, "mode": "0666"}
    wrong: list[dict[str, Any]] = [
        {"mtu": 1}, {"owner": "no-such-user"}, {"colour": "red"}, {"socket": "/x"},
    ]
    for bad in wrong:
        error = refusal(switch, "port.set", {"name": "p0", **good, **bad})
        assert error.code == PARAMS
        assert error.data["param"] == next(iter(bad))
    now = switch.port("p0")
    assert {key: now[key] for key in good} == {key: before[key] for key in good}
    assert stat.S_IMODE(switch.path("p0").stat().st_mode) == 0o600
    port = switch.call("port.set", {"name": "p0", **good})
    assert {key: port[key] for key in good} == good
    assert stat.S_IMODE(switch.path("p0").stat().st_mode) == 0o666


def test_set_without_a_key_is_refused_or_changes_nothing(switch: Switch) -> None:
    before = switch.add_port("p0")
    before.pop("hint")
    try:
        after = switch.call("port.set", name="p0")
        assert after["mtu"] == before["mtu"]
    except RpcError as error:
        assert error.code == PARAMS


# stats

def test_stats_of_one_and_all(switch: Switch, station: MakeStation) -> None:
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    b.expect(a.send(b, 100))
    a.frontend.flush()
    every = switch.call("stats.get")
    assert set(every["ports"]) == {"a", "b"}
    assert {reason["name"] for reason in every["reasons"]} == REASONS
    assert all(reason["meaning"] and reason["remedy"] for reason in every["reasons"])
    assert set(switch.call("stats.get", name="a")["ports"]) == {"a"}
    switch.wait_stats("a", rx_frames=2, rx_bytes=164, tx_frames=1, tx_bytes=64)
    switch.wait_stats("b", rx_frames=1, rx_bytes=64, tx_frames=2, tx_bytes=164)


def test_counters_outlive_the_frontend_and_end_by_clear(
    switch: Switch, station: MakeStation
) -> None:
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    b.expect(a.send(b))
    a.frontend.flush()
    a.frontend.close()
    switch.wait_state("a", "waiting")
    assert switch.stats("a")["rx_frames"] == 2
    assert switch.call("stats.clear", name="a") == {"cleared": ["a"]}
    assert switch.stats("a")["rx_frames"] == 0
    assert switch.stats("b")["tx_frames"] == 2
    assert switch.call("stats.clear") == {"cleared": ["a", "b"]}
    assert switch.stats("b")["tx_frames"] == 0


def test_rates_rise_and_fall(switch: Switch, station: MakeStation) -> None:
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])

    def sends_and_rises() -> bool:
        frames = [a.build(b, 1000) for _ in range(50)]
        a.frontend.send(*frames)
        b.expect(*frames)
        rates = switch.port("a")["rates"]
        return bool(rates["rx_fps"] > 50 and rates["rx_bps"] > 8 * 1000 * 50)

    wait_until("the rate is seen", sends_and_rises, 10.0)
    wait_until("it falls", lambda: bool(switch.port("a")["rates"]["rx_fps"] == 0.0), 10.0)


# fdb

@pytest.mark.parametrize("mac", ["", "02:00", "zz:00:00:00:00:01", "01:00:5e:00:00:01",
                                 "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", 7])
def test_static_entry_with_a_bad_address(switch: Switch, mac: Any) -> None:
    switch.add_port("a")
    error = refusal(switch, "fdb.add", {"mac": mac, "port": "a"})
    assert (error.code, error.data["param"]) == (PARAMS, "mac")
    assert switch.fdb() == {}


def test_entry_in_a_vlan_is_refused(switch: Switch) -> None:
    """Frames are looked up in VLAN 0 alone: an entry in another would do nothing."""
    switch.add_port("a")
    for vlan in (-1, 5, 4095, "x", 0.0):
        for method in ("fdb.add", "fdb.delete"):
            params = {"mac": MAC, "vlan": vlan}
            error = refusal(switch, method, {"port": "a", **params} if method == "fdb.add" else params)
            assert (error.code, error.data["param"]) == (PARAMS, "vlan")
            assert "no VLANs yet" in error.message
    assert switch.fdb() == {}
    assert switch.call("fdb.add", mac=MAC, port="a", vlan=0)["vlan"] == 0
    assert switch.call("fdb.delete", mac=MAC, vlan=0) == {"deleted": 1}


def test_static_entry_of_an_unknown_port(switch: Switch) -> None:
    switch.add_port("wan")
    error = refusal(switch, "fdb.add", {"mac": MAC, "port": "wam"})
    assert (error.code, error.data["nearest"]) == (NOT_FOUND, "wan")
    assert refusal(switch, "fdb.flush", {"port": "wam"}).code == NOT_FOUND
    assert refusal(switch, "fdb.list", {"port": "wam"}).code == NOT_FOUND
    assert refusal(switch, "fdb.delete", {"mac": MAC}).code == NOT_FOUND


def test_entries_go_with_their_port(switch: Switch) -> None:
    switch.add_port("a")
    switch.call("fdb.add", mac=MAC, port="a")
    switch.call("port.delete", name="a")
    assert switch.fdb() == {}


# switch, log, events

def test_status_in_full(switch: Switch) -> None:
    switch.add_port("a")
    status = switch.call("switch.status")
    assert status["pid"] == switch.pid
    assert status["socket_dir"] == str(switch.directory)
    assert status["control"] == str(switch.control)
    assert status["config"] is None
    assert status["poll"] == "adaptive"
    assert status["memory"] == {"kind": "ordinary", "mib": 64}
    assert (status["sessions"], status["sessions_max"]) == (0, 1000)
    assert status["fdb"] == {"entries": 0, "static": 0, "max": 65536, "ageing-time": 300,
                             "flapping": []}
    assert [port["name"] for port in status["ports"]] == ["a"]
    assert len(status["workers"]) == 1
    assert status["uptime_s"] > 0


@pytest.mark.parametrize("value", [0, 86401, -1, 1.5, "300", None])
def test_ageing_time_out_of_range(switch: Switch, value: Any) -> None:
    error = refusal(switch, "switch.set", {"ageing-time": value})
    assert (error.code, error.data["param"]) == (PARAMS, "ageing-time")
    assert switch.call("switch.status")["fdb"]["ageing-time"] == 300


@pytest.mark.parametrize("level", ["error", "warning", "info", "debug"])
def test_log_level(switch: Switch, level: str) -> None:
    assert switch.call("log.set", level=level) == {"level": level}
    assert switch.call("switch.status")["log_level"] == level


def test_log_level_misspelt(switch: Switch) -> None:
    error = refusal(switch, "log.set", {"level": "debgu"})
    assert (error.code, error.data["param"], error.data["nearest"]) == (PARAMS, "level", "debug")


def test_events_of_a_ports_life(switch: Switch, station: MakeStation) -> None:
    switch.conserves = False
    with Client(switch.control) as watcher:
        assert len(watcher.subscribe()) == 6
        a = station(switch, "a")
        added = watcher.wait_event("port.added", port="a")
        attached = watcher.wait_event("port.attached", port="a")
        assert attached["peer"]["pid"] == os.getpid()
        assert attached["time"] >= added["time"] > 1.5e9
        a.frontend.tx.avail_idx = 5000
        a.frontend.tx.kick()
        assert "chains" in watcher.wait_event("port.fault", port="a")["text"]
        watcher.wait_event("port.detached", port="a")
        switch.call("port.delete", name="a")
        watcher.wait_event("port.deleted", port="a")


def test_only_events_that_were_asked_for(switch: Switch) -> None:
    with Client(switch.control) as watcher:
        assert watcher.subscribe("port.deleted") == ["port.deleted"]
        switch.add_port("a")
        switch.call("port.delete", name="a")
        assert next(watcher.events())["event"] == "port.deleted"
        error = refusal(switch, "event.subscribe", {"events": ["port.deletd"]})
        assert (error.code, error.data["nearest"]) == (PARAMS, "port.deleted")

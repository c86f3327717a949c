# SPDX-License-Identifier: BSD-3-Clause
"""The configuration file: what it sets, what stops a start, and what config.save writes."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from support import RawClient, Switch
from support.fixture_types import MakeStation, MakeSwitch
from support.process import give_away, ordinary_user
from vswitch import RpcError

MAC = "02:00:00:00:00:aa"
OTHER_MAC = "02:00:00:00:00:ab"
FULL: dict[str, Any] = {
    "version": 1,
    "switch": {"ageing-time": 77},
    "ports": [
        {"name": "b", "type": "vhost-user", "mtu": 9000, "enabled": False, "mac-limit": 3,
         "mode": "0660"},
        {"name": "a"},
    ],
    "fdb": [{"mac": MAC, "port": "b"}, {"mac": OTHER_MAC, "port": "a", "vlan": 0}],
}


def test_file_is_applied(make_switch: MakeSwitch) -> None:
    switch = make_switch(config=FULL)
    ports = {port["name"]: port for port in switch.call("port.list")}
    assert set(ports) == {"a", "b"}
    b = ports["b"]
    assert (b["mtu"], b["enabled"], b["mac-limit"], b["mode"]) == (9000, False, 3, "0660")
    assert ports["a"]["mtu"] == 1500
    status = switch.call("switch.status")
    assert status["fdb"]["ageing-time"] == 77
    assert status["config"].endswith(".json")
    entries = switch.call("fdb.list")["entries"]
    assert [(e["mac"], e["vlan"], e["port"], e["type"]) for e in entries] == [
        (MAC, 0, "b", "static"), (OTHER_MAC, 0, "a", "static")
    ]


@pytest.mark.parametrize("config", [{"version": 1}, {"version": 1, "ports": []}])
def test_empty_configurations(make_switch: MakeSwitch, config: dict[str, Any]) -> None:
    assert make_switch(config=config).call("port.list") == []


def test_missing_file_is_an_empty_one(make_switch: MakeSwitch, workdir: Path) -> None:
    path = workdir / "none.json"
    switch = make_switch("--config", str(path))
    assert switch.call("port.list") == []
    switch.add_port("a")
    assert switch.call("config.save") == {"file": str(path)}
    assert [port["name"] for port in json.loads(path.read_text())["ports"]] == ["a"]


def port(**keys: Any) -> dict[str, Any]:
    return {"version": 1, "ports": [{"name": "a", **keys}]}


WRONG: dict[str, tuple[Any, list[str]]] = {
    "no-version": ({"ports": []}, ["version"]),
    "version-2": ({"version": 2}, ["version", "2"]),
    "version-text": ({"version": "1"}, ["version"]),
    "not-an-object": ([], ["object"]),
    "unknown-top": ({"version": 1, "prots": []}, ["prots", "ports"]),
    "unknown-switch": ({"version": 1, "switch": {"aging-time": 1}}, ["aging-time", "ageing-time"]),
    "switch-range": ({"version": 1, "switch": {"ageing-time": 0}}, ["ageing-time", "86400"]),
    "ports-object": ({"version": 1, "ports": {}}, ["ports", "array"]),
    "port-number": ({"version": 1, "ports": [1]}, [r"ports\[0\]|port 0|first"]),
    "port-unnamed": ({"version": 1, "ports": [{}]}, ["name"]),
    "port-key": (port(mtuu=1500), ["mtuu", "mtu"]),
    "port-mtu": (port(mtu=1), ["mtu", "68"]),
    "port-mtu-type": (port(mtu="1500"), ["mtu", "whole number"]),
    "port-type": (port(type="vhost-usr"), ["vhost-usr", "vhost-user"]),
    "port-name": ({"version": 1, "ports": [{"name": "control"}]}, ["control"]),
    "port-both": (port(connect="/x/y", socket="/x/z"), ["connect", "socket"]),
    "port-twice": (
        {"version": 1, "ports": [{"name": "a"}, {"name": "a"}]}, ["a", "twice|already"]
    ),
    "fdb-port": ({"version": 1, "fdb": [{"mac": MAC, "port": "a"}]}, ["fdb", "'?a'?"]),
    "fdb-mac": ({**port(), "fdb": [{"mac": "x", "port": "a"}]}, ["mac"]),
    "fdb-key": ({**port(), "fdb": [{"mac": MAC, "prot": "a"}]}, ["prot", "port"]),
}


def refuses(switch: Switch, words: list[str]) -> None:
    """It does not start, names the file and every word, and leaves no socket behind."""
    process = switch.launch()
    assert process.wait(20.0) == 1, process.report("should have left with 1")
    process.check_sanitizers()
    log = process.log()
    path = switch.arguments[-1]
    for word in [re.escape(path), *words]:
        assert re.search(word, log), (word, log)
    assert not list(switch.directory.rglob("*.sock"))


@pytest.mark.parametrize("config, words", WRONG.values(), ids=WRONG.keys())
def test_one_error_stops_the_start(
    make_switch: MakeSwitch, config: Any, words: list[str]
) -> None:
    refuses(make_switch(config=config, start=False), words)


@pytest.mark.parametrize(
    "text, words",
    [
        ("", ["line 1|empty"]),
        ("{", ["line 1"]),
        ('{"version": 1,\n "ports": [\n  {"name" "a"}]}', ["line 3"]),
        ('{"version": 1, "version": 1}', ["version|duplicate"]),
        ('{"version": 1} x', ["line 1|end of file"]),
    ],
)
def test_error_in_the_text(
    make_switch: MakeSwitch, workdir: Path, text: str, words: list[str]
) -> None:
    path = workdir / "broken.json"
    path.write_text(text)
    refuses(make_switch("--config", str(path), start=False), words)


def test_file_that_may_not_be_read(make_switch: MakeSwitch, workdir: Path) -> None:
    path = workdir / "secret.json"
    path.write_text('{"version": 1}')
    path.chmod(0)
    home = workdir / "home"
    home.mkdir()
    user = ordinary_user()
    give_away(home, user)
    switch = make_switch("--config", str(path), directory=home / "s", user=user, start=False)
    refuses(switch, ["(?i)permission denied"])


def test_directory_as_a_file(make_switch: MakeSwitch, workdir: Path) -> None:
    refuses(make_switch("--config", str(workdir), start=False), ["(?i)directory"])


def test_error_late_in_the_file_leaves_no_half_start(
    make_switch: MakeSwitch, workdir: Path
) -> None:
    """The second port cannot listen: the first is not left behind either."""
    taken = workdir / "b.txt"
    taken.write_text("no socket")
    config = {"version": 1, "ports": [{"name": "a"}, {"name": "b", "socket": str(taken)}]}
    refuses(make_switch(config=config, start=False), ["b", str(taken), "not a socket"])


def test_save_and_start_again(
    make_switch: MakeSwitch, station: MakeStation, workdir: Path
) -> None:
    """What is saved makes the same switch; what was learned is not saved."""
    first = make_switch(config=FULL)
    served = str(workdir / "served.sock")
    first.add_port("c", connect=served, mtu=4000)
    first.call("port.set", {"name": "b", "enabled": True, "mtu": 2000})
    first.call("fdb.delete", mac=OTHER_MAC)
    first.call("switch.set", ageing_time=55)
    station(first, "a").announce()
    path = workdir / "saved.json"
    assert first.call("config.save", file=str(path)) == {"file": str(path)}
    saved = json.loads(path.read_text())
    assert saved["version"] == 1
    assert saved["switch"]["ageing-time"] == 55
    assert [entry["mac"] for entry in saved["fdb"]] == [MAC]
    before = settings(first)
    first.stop()
    second = make_switch("--config", str(path), directory=first.directory)
    assert settings(second) == before
    again = workdir / "again.json"
    second.call("config.save", file=str(again))
    assert json.loads(again.read_text()) == saved


def settings(switch: Switch) -> list[dict[str, Any]]:
    keys = ("name", "socket", "connect", "mtu", "mac-limit", "enabled", "mode", "owner", "group")
    return [{key: port.get(key) for key in keys} for port in switch.call("port.list")]


def test_save_replaces_the_old_file_whole(switch: Switch, workdir: Path) -> None:
    path = workdir / "saved.json"
    path.write_text("old")
    before = path.stat().st_ino
    switch.add_port("a")
    switch.call("config.save", file=str(path))
    assert json.loads(path.read_text())["version"] == 1
    assert path.stat().st_ino != before
    assert stat.S_IMODE(path.stat().st_mode) & 0o022 == 0
    assert [name for name in os.listdir(workdir) if "saved" in name] == ["saved.json"]


def test_save_where_it_cannot_be(switch: Switch, workdir: Path) -> None:
    for path in (workdir / "no" / "such.json", workdir):
        with pytest.raises(RpcError) as caught:
            switch.call("config.save", file=str(path))
        assert caught.value.code == -32000
        assert str(path) in caught.value.message
    with pytest.raises(RpcError) as caught:
        switch.call("config.save")
    assert "file" in caught.value.message
    assert os.path.isdir(workdir)


def test_save_start_save_gives_the_same_bytes(make_switch: MakeSwitch, workdir: Path) -> None:
    """Also of many entries, whose order in the table is another one in each switch."""
    switch = make_switch(config=FULL)
    switch.add_port("c", connect=str(workdir / "served.sock"), offload=False)
    for number in range(100):
        mac = f"02:00:00:00:{number * 37 % 256:02x}:01"
        switch.call("fdb.add", mac=mac, port="abc"[number % 3])
    texts = []
    for life in range(3):
        path = workdir / f"{life}.json"
        switch.call("config.save", file=str(path))
        texts.append(path.read_bytes())
        switch.stop()
        switch = make_switch("--config", str(path), directory=switch.directory)
    assert texts[0] == texts[1] == texts[2]
    assert texts[0].count(b'"mac"') > 90


def not_saved(switch: Switch, path: Path) -> str:
    with pytest.raises(RpcError) as caught:
        switch.call("config.save", file=str(path))
    assert str(path) in caught.value.message
    return caught.value.message


def test_save_into_a_directory_that_cannot_be_read(
    make_switch: MakeSwitch, workdir: Path
) -> None:
    """It can be written in: so it is saved, and that is said."""
    home = workdir / "home"
    home.mkdir()
    inner = home / "inner"
    inner.mkdir()
    for directory in (home, inner):
        give_away(directory, ordinary_user())
    inner.chmod(0o300)
    switch = make_switch(directory=home / "s", user=ordinary_user())
    path = inner / "saved.json"
    assert switch.call("config.save", file=str(path)) == {"file": str(path)}
    inner.chmod(0o500)
    assert "Permission denied; the old file is as it was" in not_saved(switch, path)
    inner.chmod(0o700)
    assert json.loads(path.read_text())["version"] == 1
    assert os.listdir(inner) == ["saved.json"]


def test_save_onto_a_mounted_file(make_switch: MakeSwitch, workdir: Path) -> None:
    """As containers have it: the file cannot be replaced, and its directory is not the host's."""
    path = workdir / "mounted.json"
    path.write_text("old")
    script = 'mount --bind "$1" "$1" && shift && exec "$@"'
    wrapper = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", script, "sh", str(path)]
    if os.geteuid() != 0:
        pytest.skip("needs the right to mount")
    switch = make_switch(wrapper=wrapper)
    words = not_saved(switch, path)
    assert "mounted" in words and "mount its directory instead" in words
    assert path.read_text() == "old"
    assert [name for name in os.listdir(workdir) if "mounted" in name] == ["mounted.json"]


def test_save_onto_a_dangling_link(switch: Switch, workdir: Path) -> None:
    """The link stays, and what it names is made; where that cannot be nothing is."""
    target, link, lost = workdir / "target.json", workdir / "link", workdir / "lost"
    link.symlink_to("second")
    (workdir / "second").symlink_to(target)
    switch.call("config.save", file=str(link))
    assert link.is_symlink() and json.loads(target.read_text())["version"] == 1
    lost.symlink_to("no/such/file")
    assert "No such file or directory" in not_saved(switch, lost)
    assert lost.is_symlink()
    circle = workdir / "circle"
    circle.symlink_to(circle)
    assert "symbolic links" in not_saved(switch, circle)


@pytest.mark.parametrize(
    "path, words",
    [
        ("/dev/stdout", "leads to what a process has open"),
        ("/proc/self/fd/2", "leads to what a process has open"),
        ("/dev/full", "it is a device"), ("/dev/null", "it is a device"),
        ("/tmp", "it is a directory"),
    ],
)
def test_save_onto_what_is_no_file(switch: Switch, path: str, words: str) -> None:
    before = os.lstat(path)
    log = switch.process.log_path.stat().st_ino
    text = not_saved(switch, Path(path))
    assert words in text and "nothing was changed" in text
    assert switch.process.log_path.stat().st_ino == log
    if not path.startswith("/proc"):
        after = os.lstat(path)
        assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


def test_saves_at_once_do_not_mix(switch: Switch, workdir: Path) -> None:
    path = workdir / "saved.json"
    with RawClient(switch.control) as client:
        for number in range(20):
            switch.add_port(f"p{number}")
            client.send_request("config.save", {"file": str(path)})
        for _ in range(20):
            assert client.read_reply()["result"] == {"file": str(path)}
    assert len(json.loads(path.read_text())["ports"]) == 20
    assert sorted(name for name in os.listdir(workdir) if "saved" in name) == ["saved.json"]

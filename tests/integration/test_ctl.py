# SPDX-License-Identifier: BSD-3-Clause
"""vswitchctl: its tables, its JSON, its statuses, and how it takes misspelt words."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from pathlib import Path

import pytest
from support import Registry, Switch, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from support.frames import BROADCAST
from support.process import binary
from support.station import introduce
from support.switch import run_ctl

DONE, REFUSED, USAGE, NO_SWITCH = 0, 1, 2, 3


def says(switch: Switch, *arguments: str, status: int = DONE) -> str:
    """Runs a command, checks its status, and returns what it said (refusals: on stderr)."""
    done = switch.ctl(*arguments)
    assert done.returncode == status, (done.stdout, done.stderr)
    if status == DONE:
        assert done.stderr == ""
        assert all(len(line) <= 80 for line in done.stdout.splitlines()), done.stdout
        return done.stdout
    assert done.stdout == ""
    return done.stderr


def test_add_port_says_what_to_try_next(switch: Switch) -> None:
    out = switch.ctl("add-port", "p0").stdout
    assert "p0" in out and f"waiting for a frontend on {switch.path('p0')}" in out
    assert f"vuser-client --path {switch.path('p0')}" in out


def test_add_port_with_options(switch: Switch) -> None:
    says(switch, "add-port", "p0", "--mtu", "9000", "--enabled", "off", "--mac-limit=5")
    port = switch.port("p0")
    assert (port["mtu"], port["enabled"], port["mac-limit"]) == (9000, False, 5)
    assert "p0" in says(switch, "add-port", "p0", status=REFUSED)
    says(switch, "add-port", "p0", "--may-exist")
    says(switch, "del-port", "p0")
    assert "p0" in says(switch, "del-port", "p0", status=REFUSED)
    says(switch, "del-port", "p0", "--if-exists")


@pytest.mark.parametrize("word, value", [
    ("on", True), ("off", False), ("yes", True), ("no", False), ("true", True), ("false", False),
    ("1", True), ("0", False),
])
def test_set_port_takes_words_for_switches(switch: Switch, word: str, value: bool) -> None:
    switch.add_port("p0", enabled=not value)
    says(switch, "set-port", "p0", f"enabled={word}", "mtu=2000")
    port = switch.port("p0")
    assert (port["enabled"], port["mtu"]) == (value, 2000)


def test_hint_fits_the_port(switch: Switch, workdir: Path) -> None:
    """A port that is called like a machine gets QEMU's options, for the side that listens."""
    def hint_of(*words: str) -> str:
        lines = says(switch, "add-port", *words).partition("\n")[2].splitlines()
        assert all(line.endswith(" \\") for line in lines[:-1])
        return " ".join(line.rstrip("\\").strip() for line in lines)

    hint = hint_of("vm0")
    for words in ("qemu-system-x86_64", f"path={switch.path('vm0')},reconnect", "share=on",
                  "mac=52:54:00:00:00:00"):
        assert words in hint
    path = workdir / "guest"
    hint = hint_of("guest1", "--connect", str(path))
    assert f"path={path},server=on,wait=off" in hint and "reconnect" not in hint
    assert "mac=52:54:00:00:00:01" in hint
    hint = hint_of("app", "--connect", str(path) + "2")
    assert f"vuser-client --server --path {path}2" in hint


def test_json_of_a_port_has_what_the_port_has(switch: Switch, workdir: Path) -> None:
    """No nulls for what its type does not have; null is what there is none of at present."""
    switch.add_port("a")
    switch.call("port.add", name="b", connect=str(workdir / "b"))
    a, b = json.loads(switch.ctl("list-ports", "--json").stdout)
    nulls = {"peer", "frontend_mtu", "fault"}
    for port in (a, b):
        assert {key for key, value in port.items() if value is None} == nulls
        assert not port.keys() & {"device", "ifname", "devargs", "promiscuous", "up", "mac", "ip"}
    assert a["socket"] == str(switch.path("a")) and a["mode"] == "0600" and "connect" not in a
    assert b["connect"] == str(workdir / "b") and not b.keys() & {"socket", "mode", "owner"}


def test_set_port_is_all_or_nothing(switch: Switch) -> None:
    switch.add_port("p0")
    for bad in ("mtu=1", "mtuu=1500", "enabled=perhaps", "socket=/x", "mtu", "=5"):
        done = switch.ctl("set-port", "p0", "mac-limit=9", bad)
        assert done.returncode in (REFUSED, USAGE), bad
        assert bad.partition("=")[0] in done.stderr
    assert switch.port("p0")["mac-limit"] == 0


def test_status_on_one_screen(switch: Switch, station: MakeStation) -> None:
    switch.add_port("idle")
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    a.frontend.send_raw(b"\xff" * 12)
    switch.wait_state("a", "fault")
    out = switch.ctl("status").stdout
    assert all(len(line) <= 80 or str(switch.directory) in line for line in out.splitlines())
    assert len(out.splitlines()) < 24
    for words in ("vswitch 0.1.0", f"pid {switch.pid}", "idle", "waiting for a frontend on",
                  "fault: ", "up", str(os.getpid())):
        assert words in out, (words, out)


def test_tables_name_what_they_count(switch: Switch, station: MakeStation) -> None:
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    a.send(BROADCAST, 2000)
    a.send("01:80:c2:00:00:00")
    a.frontend.flush()
    switch.wait_stats("a", too_big=1, reserved_address=1)
    fdb = says(switch, "fdb")
    assert a.mac in fdb and b.mac in fdb
    stats = says(switch, "stats")
    assert "a" in stats.split() and "b" in stats.split()
    drops = says(switch, "drops", "a")
    assert "too-big" in drops and "set-port" in drops and "reserved-address" in drops
    assert "too-big" in says(switch, "drops")
    shown = switch.ctl("show-port", "a").stdout
    for word in ("VIRTIO_F_VERSION_1", "receiveq", "transmitq", "256"):
        assert word in shown, shown
    assert "a" in says(switch, "clear-stats", "a")
    assert "too-big" not in says(switch, "drops")


def test_fdb_commands(switch: Switch) -> None:
    switch.add_port("a")
    mac = "02:00:00:00:00:aa"
    says(switch, "add-fdb", mac, "a")
    assert "static" in says(switch, "fdb", "--port", "a")
    refused = says(switch, "add-fdb", mac, "a", "--vlan", "5", status=REFUSED)
    assert f"add-fdb {mac}: vlan: 5 is not" in refused and "no VLANs yet" in refused
    says(switch, "flush-fdb")
    assert switch.call("fdb.list")["count"] == 1
    says(switch, "del-fdb", mac, "--vlan", "0")
    assert mac in says(switch, "del-fdb", mac, status=REFUSED)


def test_json_is_the_reply(switch: Switch) -> None:
    switch.add_port("a")
    for command, method in (
        (["list-ports"], "port.list"), (["fdb"], "fdb.list"), (["stats"], "stats.get"),
        (["drops"], "stats.get"), (["discover"], "rpc.discover"),
    ):
        assert json.loads(switch.ctl("--json", *command).stdout) == switch.call(method)
    shown = json.loads(switch.ctl("show-port", "a", "--json").stdout)
    assert shown["name"] == "a"
    status = json.loads(switch.ctl("--json", "status").stdout)
    assert status["pid"] == switch.pid


def test_json_refusal(switch: Switch) -> None:
    done = switch.ctl("--json", "show-port", "nobody")
    assert done.returncode == REFUSED
    assert "nobody" in done.stderr + done.stdout


def test_call_any_method(switch: Switch) -> None:
    out = switch.ctl("call", "port.add", '{"name":"a","mtu":2000}').stdout
    assert json.loads(out)["mtu"] == 2000
    assert json.loads(switch.ctl("call", "port.list").stdout)[0]["name"] == "a"
    done = switch.ctl("call", "-v", "port.list")
    assert '"method":"port.list"' in done.stderr.replace(" ", "")
    assert "port.list" in says(switch, "call", "port.lst", status=REFUSED)
    assert says(switch, "call", "port.show", "{bad", status=USAGE)
    assert "name" in says(switch, "call", "port.show", "[1]", status=REFUSED)


MISSPELT = [
    (["stauts"], "status"), (["add_port", "x"], "add-port"), (["addport", "x"], "add-port"),
    (["show-ports", "x"], "show-port"), (["add-port", "x", "--mtuu", "9"], "--mtu"),
    (["--jsn", "status"], "--json"), (["add-port"], "NAME"), (["set-port", "a", "b", "mtu=9000"], "b"),
    (["fdb", "--prot", "a"], "--port"), (["fdb", "a", "extra"], "extra"), ([], "status"),
    (["set-port", "a", "mtu"], "mtu=VALUE"), (["set-port", "a"], "mtu=9000"),
    (["help", "stauts"], "status"), (["add-port", "x", "mtuu=9"], "mtu"),
    (["show"], "vswitchctl status"), (["list-br"], "vswitchctl status"), (["ls"], "list-ports"),
    (["del", "x"], "del-port"), (["link"], "list-ports"), (["mac"], "vswitchctl fdb"),
    (["add-port", "x", "--mtu"], "mtu"), (["add-port", "x", "--mtu", "x"], "mtu"),
    (["add-port", "x", "--type", "vhost-usr"], "vhost-user"),
]


@pytest.mark.parametrize("arguments, word", MISSPELT, ids=lambda part: str(part)[:30])
def test_wrong_usage_names_what_is_right(
    switch: Switch, arguments: list[str], word: str
) -> None:
    assert word in says(switch, *arguments, status=USAGE)
    assert switch.call("port.list") == []


def test_misspelt_port_names_the_nearest(switch: Switch) -> None:
    switch.add_port("uplink")
    for arguments in (["show-port", "uplnk"], ["del-port", "uplnk"], ["stats", "uplnk"],
                      ["set-port", "uplnk", "mtu=2000"], ["drops", "uplnk"],
                      ["add-fdb", "02:00:00:00:00:01", "uplnk"]):
        error = says(switch, *arguments, status=REFUSED)
        assert "uplnk" in error and "uplink" in error, error


def test_no_switch_answers(workdir: Path) -> None:
    path = workdir / "nothing.sock"
    done = run_ctl(["--wait", "0.2", "--control", str(path), "status"])
    assert done.returncode == NO_SWITCH
    assert str(path) in done.stderr and "vswitchd" in done.stderr
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    done = run_ctl(["--control", str(path), "status", "--wait=0"])
    assert done.returncode == NO_SWITCH
    assert str(path) in done.stderr


def sleeps(pid: int) -> bool:
    proc = Path(f"/proc/{pid}")
    asleep = proc.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "S"
    return asleep and proc.joinpath("comm").read_text() == "vswitchctl\n"


@pytest.mark.parametrize("dead_socket", [False, True])
def test_waits_for_a_switch_that_is_starting(
    registry: Registry, make_switch: MakeSwitch, dead_socket: bool
) -> None:
    """Asked before the switch is there, it is answered as soon as it is."""
    switch = make_switch(start=False)
    if dead_socket:
        switch.directory.mkdir()
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(switch.control))
    argv = [str(binary("ctl/vswitchctl")), "--control", str(switch.control), "--wait", "60"]
    ctl = registry.start("ctl", [*argv, "add-port", "p0"])
    wait_until("vswitchctl sleeps", lambda: sleeps(ctl.pid))
    switch.start()
    assert ctl.wait() == DONE, ctl.log()
    assert [port["name"] for port in switch.call("port.list")] == ["p0"]


def test_switch_that_goes_before_it_answers(workdir: Path) -> None:
    path = workdir / "mute.sock"
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(path))
        mute.listen()
        mute.settimeout(20.0)
        registry = Registry(workdir)
        try:
            ctl = registry.start(
                "ctl", [str(binary("ctl/vswitchctl")), "--control", str(path), "status"]
            )
            mute.accept()[0].close()
            assert ctl.wait(20.0) == NO_SWITCH
            assert str(path) in ctl.log()
        finally:
            registry.end_all()


def test_directory_by_option_and_environment(switch: Switch) -> None:
    done = run_ctl(["--socket-dir", str(switch.directory), "list-ports"])
    assert done.returncode == DONE
    linked = switch.directory.parent / "vswitch"
    linked.symlink_to(switch.directory)
    if os.geteuid() != 0:
        env = {"XDG_RUNTIME_DIR": str(switch.directory.parent)}
        assert run_ctl(["list-ports"], env=env).returncode == DONE


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_command(option: str) -> None:
    done = run_ctl([option])
    assert done.returncode == DONE
    for command in ("add-port", "del-port", "set-port", "list-ports", "show-port", "stats",
                    "clear-stats", "drops", "fdb", "add-fdb", "del-fdb", "flush-fdb", "status",
                    "monitor", "call"):
        assert command in done.stdout
    one = run_ctl(["add-port", option])
    assert one.returncode == DONE
    assert "--mtu" in one.stdout and "--may-exist" in one.stdout


def test_version() -> None:
    done = run_ctl(["--version"])
    assert (done.returncode, done.stdout) == (DONE, "vswitchctl 0.1.0\n")


@pytest.mark.parametrize("as_json", [False, True])
def test_monitor_follows_events(switch: Switch, registry: Registry, as_json: bool) -> None:
    argv = [str(binary("ctl/vswitchctl")), "--control", str(switch.control), "monitor"]
    monitor = registry.start("monitor", argv + (["--json"] if as_json else []))
    names = iter(f"p{number}" for number in range(1000))

    def follows() -> bool:
        switch.add_port(next(names))
        return "port.added" in monitor.out()

    wait_until("it follows", follows, 20.0)
    switch.call("port.delete", name="p0")
    wait_until("it tells of the end", lambda: "port.deleted" in monitor.out())
    if as_json:
        assert {json.loads(line)["event"] for line in monitor.out().splitlines()} == {
            "port.added", "port.deleted"
        }
    assert monitor.end(signal.SIGINT) in (DONE, 130)


def test_monitor_ends_with_its_switch(switch: Switch, registry: Registry) -> None:
    argv = [str(binary("ctl/vswitchctl")), "--control", str(switch.control), "monitor"]
    monitor = registry.start("monitor", [*argv, "port.added"])
    names = iter(f"p{number}" for number in range(1000))

    def follows() -> bool:
        switch.add_port(next(names))
        return "port.added" in monitor.out()

    wait_until("it follows", follows, 20.0)
    switch.stop()
    assert monitor.wait(20.0) == NO_SWITCH


def test_output_that_nobody_can_take(switch: Switch, registry: Registry) -> None:
    """A full disk is an error, not silence."""
    switch.add_port("a")
    script = 'exec "$0" "$@" >/dev/full'
    ctl = registry.start(
        "ctl",
        ["/bin/sh", "-c", script, str(binary("ctl/vswitchctl")), "--control",
         str(switch.control), "list-ports"],
    )
    assert ctl.wait(20.0) != DONE
    assert ctl.log() != ""


def names(switch: Switch) -> list[str]:
    return [port["name"] for port in switch.call("port.list")]


def test_several_ports_at_once(switch: Switch) -> None:
    out = switch.ctl("add-port", "a", "b", "c", "--mtu", "2000").stdout
    assert [line.split()[1].rstrip(":") for line in out.splitlines() if line.startswith("port ")] == [
        "a", "b", "c"]
    assert [switch.port(name)["mtu"] for name in "abc"] == [2000] * 3
    shown = [line for line in says(switch, "stats", "a", "c").splitlines()[1:]]
    assert [line.split()[0] for line in shown] == ["a", "c"]
    counters = json.loads(switch.ctl("-j", "stats", "a", "c").stdout)
    assert list(counters["ports"]) == ["a", "c"]
    assert counters["reasons"] == switch.call("stats.get")["reasons"]
    table = says(switch, "status", "b").split("PORT", 1)[1].splitlines()[1:]
    assert [line.split()[0] for line in table if line[0] != " "] == ["b"]
    assert [port["name"] for port in json.loads(switch.ctl("-j", "show-port", "b", "a").stdout)] == [
        "b", "a"]
    assert says(switch, "clear-stats", "a", "b") == "cleared: a b\n"
    says(switch, "drops", "a", "b")
    says(switch, "del-port", "a", "b", "c")
    assert names(switch) == []


def test_of_several_ports_each_is_tried(switch: Switch) -> None:
    """What is wrong with a name is said with that name, and the others are done."""
    switch.add_port("b")
    done = switch.ctl("add-port", "a", "b", "c")
    assert done.returncode == REFUSED
    assert "port a:" in done.stdout and "port c:" in done.stdout
    assert "b" in done.stderr and len(done.stderr.splitlines()) == 1
    assert sorted(names(switch)) == ["a", "b", "c"]
    done = switch.ctl("--json", "del-port", "a", "d", "c")
    assert done.returncode == REFUSED and "d" in done.stderr
    assert len(json.loads(done.stdout)) == 2
    assert names(switch) == ["b"]
    assert "d" in says(switch, "stats", "b", "d", status=REFUSED)
    assert "uplink" not in says(switch, "status", "d", status=REFUSED)


def test_one_station_table_of_one_port(switch: Switch, station: MakeStation) -> None:
    introduce([station(switch, "a"), station(switch, "b")])
    for arguments in (["fdb", "a"], ["fdb", "--port", "a"]):
        assert [line.split()[2] for line in says(switch, *arguments).splitlines()[1:-1]] == ["a"]


def test_settings_in_either_form(switch: Switch) -> None:
    says(switch, "add-port", "mtu=3000", "a", "mac-limit=4", "--enabled", "off")
    port = switch.port("a")
    assert (port["mtu"], port["mac-limit"], port["enabled"]) == (3000, 4, False)
    says(switch, "set-port", "a", "--mtu", "9000", "--enabled=1", "mac-limit=0")
    port = switch.port("a")
    assert (port["mtu"], port["mac-limit"], port["enabled"]) == (9000, 0, True)
    assert "twice" in says(switch, "set-port", "a", "--mtu", "9000", "mtu=1500", status=USAGE)


def test_refusals_are_in_the_words_of_the_command_line(switch: Switch) -> None:
    switch.add_port("a")
    error = says(switch, "add-port", "a", status=REFUSED)
    assert "use --may-exist" in error and error.startswith("vswitchctl: add-port a: ")
    assert "port.add" not in error
    error = says(switch, "save-config", "/nonexistent/x", status=REFUSED)
    assert error.startswith("vswitchctl: save-config ") and "config.save" not in error


def test_refusals_are_fit_for_a_terminal(switch: Switch) -> None:
    """What was typed comes back in the switch's words, and a terminal would obey it."""
    for arguments in (["del-port", "a\x1b]0;x\a"], ["call", "no\x01such"]):
        error = says(switch, *arguments, status=REFUSED)
        assert not re.search(r"[\x00-\x09\x0b-\x1f]", error), error


def test_help_as_a_word() -> None:
    assert run_ctl(["help"]).stdout == run_ctl(["--help"]).stdout
    assert run_ctl(["help", "add-port"]).stdout == run_ctl(["add-port", "--help"]).stdout

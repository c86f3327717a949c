# SPDX-License-Identifier: BSD-3-Clause
"""Kernel ports of a switch that has no rights: what it may use, and what it says of the rest."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Sequence

import pytest
from kernel_end import KernelEnd
from support import Switch, VuserClient
from support.fixture_types import MakeSwitch
from support.process import Registry
from vswitch import RpcError

NOBODY = 65534
AS_NOBODY = ("/usr/bin/setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups")
OWN, CLIENT = "10.77.0.254", "10.77.0.1"

MakePlain = Callable[..., Switch]


@pytest.fixture
def make_plain(make_switch: MakeSwitch, home: KernelEnd, workdir: Path) -> MakePlain:
    """Switches of `nobody` in the namespace `home`; `before` is a script that root runs first."""

    def make(before: str = ":") -> Switch:
        directory = workdir / "plain"
        directory.mkdir()
        os.chown(directory, NOBODY, NOBODY)
        script = f"{before} && exec \"$@\""
        wrapper = home.command(
            "/usr/bin/unshare", "--mount", "--", "/bin/sh", "-ec", script, "sh", *AS_NOBODY, "--"
        )
        return make_switch(directory=directory, wrapper=wrapper)

    return make


def refusal(switch: Switch, method: str, **params: Any) -> str:
    with pytest.raises(RpcError) as caught:
        switch.call(method, params)
    return caught.value.message


def make_tap(home: KernelEnd, *words: str, name: str = "t0") -> None:
    home.ip("tuntap", "add", "dev", name, "mode", "tap", *words)


def give_tap(home: KernelEnd) -> None:
    """As the manual tells an administrator."""
    make_tap(home, "multi_queue", "vnet_hdr", "user", str(NOBODY))
    home.ip("address", "add", f"{OWN}/24", "dev", "t0")
    home.ip("link", "set", "t0", "up")


def add(switch: Switch, **options: Any) -> None:
    switch.add_port("k", type="kernel", backend="tap", ifname="t0", **options)


def refused_add(switch: Switch, **options: Any) -> str:
    said = refusal(switch, "port.add", name="k", type="kernel", backend="tap", ifname="t0",
                   **options)
    assert said.startswith("add-port k: ") and switch.call("port.list") == []
    return said


def test_interface_that_was_made_beforehand(
    home: KernelEnd, make_plain: MakePlain, registry: Registry
) -> None:
    give_tap(home)
    switch = make_plain()
    add(switch, queues=2)
    switch.wait_state("k", "up")
    switch.add_port("p")
    client = VuserClient(registry, switch.path("p"), "respond", user=NOBODY, ip=f"{CLIENT}/24")
    client.wait_ready()
    home.ping(CLIENT)
    client.stop()
    home.ip("link", "set", "t0", "down")
    switch.wait_state("k", "down")
    home.ip("link", "set", "t0", "up")
    switch.wait_state("k", "up")
    switch.call("port.delete", name="k")
    assert home.addresses("t0") == {f"{OWN}/24"}  # it stays as it was
    add(switch)


@pytest.mark.parametrize(
    "key, value",
    [
        ("ip", ["10.77.0.5/24"]),
        ("mtu", 9000),
        ("mac", "02:00:00:00:00:05"),
        ("netns", "/proc/1/ns/net"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 6 else "",
)
def test_what_needs_a_right_is_refused_by_name(
    home: KernelEnd, make_plain: MakePlain, key: str, value: Any
) -> None:
    give_tap(home)
    before = home.links()
    switch = make_plain()
    said = refused_add(switch, **{key: value})
    assert f": {key} needs CAP_NET_ADMIN" in said
    if key != "netns":
        add(switch)
        said = refusal(switch, "port.set", name="k", **{key: value})
        assert said.startswith("set-port k: ") and f"{key} needs CAP_NET_ADMIN" in said
        switch.call("port.set", name="k", offload=False)
        switch.call("port.delete", name="k")
    after = home.links()
    assert after["t0"]["mtu"] == before["t0"]["mtu"] and home.addresses("t0") == {f"{OWN}/24"}
    assert after["t0"]["address"] == before["t0"]["address"]


def test_no_interface_and_no_right_to_make_one(home: KernelEnd, make_plain: MakePlain) -> None:
    said = refused_add(make_plain())
    assert "CAP_NET_ADMIN" in said
    command = said.split("`")[1]
    assert command == f"ip tuntap add dev t0 mode tap multi_queue vnet_hdr user {NOBODY}"
    home.run(*command.split())  # what it says helps


@pytest.mark.parametrize(
    "words, signs",
    [
        (("vnet_hdr", "user", str(NOBODY)), ["without multi_queue", "ip tuntap add dev t0"]),
        (("multi_queue", "vnet_hdr", "user", "1"), ["another user", f"user {NOBODY}"]),
    ],
    ids=["single-queue", "foreign"],
)
def test_interface_that_was_made_wrongly(
    home: KernelEnd, make_plain: MakePlain, words: Sequence[str], signs: list[str]
) -> None:
    make_tap(home, *words)
    said = refused_add(make_plain())
    assert all(sign in said for sign in signs), said


def test_interface_of_another_program(
    home: KernelEnd, make_plain: MakePlain, make_switch: MakeSwitch
) -> None:
    give_tap(home)
    other = make_switch(wrapper=home.command())
    add(other)
    said = refused_add(make_plain())
    assert "t0" in said and "a program uses already" in said


NODES = "mount -t tmpfs none /dev && mkdir /dev/net && mknod -m 666 /dev/null c 1 3"


@pytest.mark.parametrize(
    "nodes, backend, signs",
    [
        (NODES, "tap", ["/dev/net/tun", "No such file", "modprobe tun"]),
        (f"{NODES} && mknod -m 600 /dev/net/tun c 10 200", "tap",
         ["/dev/net/tun", f"user {NOBODY} may not", "setfacl -m u:65534:rw /dev/net/tun"]),
        (NODES, "vhost-net", ["/dev/vhost-net", "No such file", "modprobe vhost_net"]),
        (f"{NODES} && mknod -m 600 /dev/vhost-net c 10 238", "vhost-net",
         ["/dev/vhost-net", f"user {NOBODY} may not", "setfacl -m u:65534:rw /dev/vhost-net"]),
    ],
    ids=["no-tun", "closed-tun", "no-vhost", "closed-vhost"],
)
def test_device_file(
    make_plain: MakePlain, nodes: str, backend: str, signs: list[str]
) -> None:
    """Missing, or not for this user: the file, the right and the command."""
    switch = make_plain(nodes)
    said = refusal(switch, "port.add", name="k", type="kernel", backend=backend)
    assert all(sign in said for sign in signs), said


def test_why_this_backend(home: KernelEnd, make_plain: MakePlain) -> None:
    give_tap(home)
    switch = make_plain(f"{NODES} && mknod -m 666 /dev/net/tun c 10 200")
    switch.add_port("k", type="kernel", ifname="t0")
    device = switch.port("k")["device"]
    assert device["backend"] == "tap" and device["vhost_pids"] == []
    assert "/dev/vhost-net: No such file" in device["why"]


def test_interface_that_is_taken_over_is_given_back(
    home: KernelEnd, make_switch: MakeSwitch
) -> None:
    """With the right to change it, it is changed while it is a port's, and then as it was found."""
    make_tap(home, "multi_queue", "vnet_hdr")
    home.ip("link", "set", "t0", "mtu", "1300", "address", "02:00:00:00:00:0e")
    home.ip("address", "add", "10.99.0.1/24", "dev", "t0")
    before = home.links()["t0"]
    switch = make_switch(wrapper=home.command())
    add(switch, mtu=9000, mac="02:00:00:00:00:0f", ip=[f"{OWN}/24"])
    link = home.links()["t0"]
    assert (link["mtu"], link["address"]) == (9000, "02:00:00:00:00:0f") and "UP" in link["flags"]
    assert home.addresses("t0") == {f"{OWN}/24", "10.99.0.1/24"}
    said = refusal(switch, "port.set", name="k", mtu=65535)
    assert "65521" in said
    switch.call("port.delete", name="k")
    after = home.links()["t0"]
    for key in ("mtu", "address", "addr_info"):
        assert after[key] == before[key]
    assert "UP" not in after["flags"]
    said = refusal(switch, "port.add", name="k", type="kernel", backend="tap", ifname="t0",
                   mac="02:00:00:00:00:0f", mtu=65535)
    assert "65521" in said and home.links()["t0"]["address"] == before["address"]

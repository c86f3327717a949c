# SPDX-License-Identifier: BSD-3-Clause
"""Kernel ports by a TAP: the host's kernel and a container's as neighbours of DPDK programs."""

from __future__ import annotations

import json
import signal
import struct

import pytest
from hostile import open_descriptors
from kernel_end import KernelEnd, MakeEnd
from support import Registry, Switch, VuserClient, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from support.segments import DESTINATION_OPTIONS, TCP, destination_options, ones_sum
from test_idle import cpu_in_a_window, wait_asleep, wait_watched_no_more
from vswitch import RpcError

HOST, CONTAINER, CLIENT = "10.77.0.254", "10.77.0.2", "10.77.0.1"


def connect(switch: Switch, a: KernelEnd, b: KernelEnd, **options: object) -> None:
    """A port for each of two ends, with `a0` and `b0` as interfaces."""
    switch.add_port("a", type="kernel", backend="tap", ifname="a0", netns=a.path,
                    ip=[f"{HOST}/24"], **options)
    switch.add_port("b", type="kernel", backend="tap", ifname="b0", netns=b.path,
                    ip=[f"{CONTAINER}/24"], **options)


def test_host_pings_a_client(
    home: KernelEnd, home_switch: Switch, registry: Registry
) -> None:
    added = home_switch.ctl(
        "add-port", "host0", "--type", "kernel", "--backend", "tap", "--ifname", "vsw0",
        "--ip", f"{HOST}/24",
    )
    assert added.returncode == 0, added.stderr
    home_switch.add_port("p0")
    client = VuserClient(
        registry, home_switch.path("p0"), "respond", ip=f"{CLIENT}/24"
    ).wait_ready()
    trace = home.start("tcpdump", "/usr/bin/tcpdump", "-lni", "vsw0", "-c", "6", "icmp")
    trace.wait_log("listening on vsw0")
    home.ping(CLIENT)
    assert trace.wait() == 0
    assert trace.out().count("ICMP echo request") == trace.out().count("ICMP echo reply") == 3
    client.stop()
    device = home_switch.port("host0")["device"]
    assert (device["backend"], device["ifname"], device["link"]) == ("tap", "vsw0", "up")
    assert device["why"] == "asked for"


def test_interface_goes_with_the_port(home: KernelEnd, home_switch: Switch) -> None:
    home_switch.add_port("vsw0", type="kernel", backend="tap")
    assert home.links()["vsw0"]["mtu"] == 1500
    home_switch.call("port.delete", name="vsw0")
    assert home.links() == {}
    home_switch.add_port("vsw0", type="kernel", backend="tap")
    home_switch.kill()
    wait_until("the kernel has removed it", lambda: home.links() == {})


def test_container_by_name(
    home: KernelEnd, home_switch: Switch, named_netns: str
) -> None:
    """An interface may have a name that another one in the switch's namespace has."""
    home.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
    home_switch.add_port("c", type="kernel", backend="tap", ifname="eth0", netns=named_netns,
                         ip=[f"{CONTAINER}/24"])
    home_switch.add_port("host0", type="kernel", backend="tap", ip=[f"{HOST}/24"])
    home.ping(CONTAINER)
    assert sorted(home.links()) == ["eth0", "eth1", "host0"]


def test_tcp_between_two_namespaces(switch: Switch, make_end: MakeEnd) -> None:
    a, b = make_end("a"), make_end("b")
    connect(switch, a, b)
    a.copy(b, CONTAINER)
    b.copy(a, HOST)
    assert a.iperf(b, CONTAINER) > 0
    assert a.iperf(b, CONTAINER, "-R") > 0
    for port in ("a", "b"):
        stats = switch.stats(port)
        # Large segments crossed the switch untouched, and nobody computed anything.
        assert stats["rx_bytes"] / stats["rx_frames"] > 1518
        assert not any(stats["offload"].values()), stats


# A connection whose packets have destination options of 512 bytes before TCP.
LONG_OPTIONS = """
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, bytes.fromhex("%s"))
s.setblocking(False)
s.connect_ex(("fd00::2", 7))
"""


def test_linux_leaves_a_checksum_far_behind(
    switch: Switch, make_end: MakeEnd, station: MakeStation
) -> None:
    a, b = make_end("a").with_ipv6(), station(switch, "b")
    switch.add_port("a", type="kernel", backend="tap", ifname="a0", netns=a.path,
                    ip=["fd00::1/64"])
    a.ip("neighbour", "add", "fd00::2", "lladdr", b.mac, "dev", "a0")
    wait_until("the address may be used", lambda: not any(
        info.get("tentative") for info in a.links()["a0"]["addr_info"]
    ))
    a.run("/usr/bin/python3", "-c", LONG_OPTIONS % destination_options(512, 0).hex())

    def is_syn(data: bytes) -> bool:
        return data[12:14] == b"\x86\xdd" and data[20] == DESTINATION_OPTIONS

    data = wait_until("its SYN comes", lambda: next(
        (frame for frame in [b.frontend.receive().frame] if is_syn(frame)), None
    ))
    segment = data[54 + 512:]
    pseudo = data[22:54] + struct.pack("!II", len(segment), TCP)
    assert ones_sum(pseudo + segment) == 0xFFFF
    assert switch.stats("b")["offload"]["checksummed"] == 1
    assert switch.drops("a") == {}


@pytest.mark.parametrize("off", [("a",), ("b",), ("a", "b")], ids="-".join)
def test_offload_off(switch: Switch, make_end: MakeEnd, off: tuple[str, ...]) -> None:
    """What one side does not take is done for it; contents and checksums stay right."""
    a, b = make_end("a"), make_end("b")
    connect(switch, a, b)
    for port in off:
        switch.call("port.set", name=port, offload=False)
    switch.call("stats.clear")
    a.copy(b, CONTAINER)
    b.copy(a, HOST)
    for port in off:
        stats = switch.stats(port)
        assert stats["rx_bytes"] / stats["rx_frames"] < 1518
    if len(off) == 1:
        assert switch.stats(off[0])["offload"]["segmented"] > 0
    assert switch.stats("a")["drops"]["bad-offload"] == 0


def test_offload_changes_under_traffic(switch: Switch, make_end: MakeEnd) -> None:
    a, b = make_end("a"), make_end("b")
    connect(switch, a, b)
    server = b.serve("iperf3", 5201, "/usr/bin/iperf3", "-s", "-1")
    client = a.start("iperf3", "/usr/bin/iperf3", "-c", CONTAINER, "-t", "2")
    changes = 0
    while client.status is None:
        for port in ("a", "b"):
            switch.call("port.set", name=port, offload=changes % 2 == 1)
        changes += 1
    assert client.wait() == 0 and server.wait() == 0 and changes > 10
    for port in ("a", "b"):
        assert switch.drops(port).get("bad-offload", 0) == 0


def test_ipv6(switch: Switch, make_end: MakeEnd) -> None:
    a, b = make_end("a").with_ipv6(), make_end("b").with_ipv6()
    connect(switch, a, b)
    for port, address in (("a", "fd77::1/64"), ("b", "fd77::2/64")):
        switch.call("port.set", name=port, ip=[address])
    a.ping("fd77::2")
    a.copy(b, "fd77::2")


def test_several_queues(switch: Switch, make_end: MakeEnd) -> None:
    a, b = make_end("a"), make_end("b")
    connect(switch, a, b, queues=4)
    assert a.links()["a0"]["linkinfo"]["info_data"]["numqueues"] == 4
    assert a.iperf(b, CONTAINER, "-P", "8") > 0
    a.copy(b, CONTAINER)
    assert switch.port("a")["device"]["queues"] == 4


def test_sizes(switch: Switch, make_end: MakeEnd) -> None:
    """Frames from the shortest to the longest that an interface can have."""
    a, b = make_end("a"), make_end("b")
    connect(switch, a, b, mtu=65521)
    for payload in (0, 1, 17, 18, 22, 23, 1472, 1473, 8972, 60000, 65493):
        a.ping(CONTAINER, 2, "-M", "do", "-s", str(payload))


def test_every_frame_size_from_a_station(
    switch: Switch, make_end: MakeEnd, station: MakeStation
) -> None:
    """Broadcasts of each size up to the MTU, as the kernel's counters see them."""
    end = make_end("a")
    switch.add_port("k", type="kernel", backend="tap", ifname="k0", netns=end.path)
    s = station(switch, "s")
    sizes = range(14, 1515)
    for size in sizes:
        s.frontend.send(bytes.fromhex("ffffffffffff") + bytes.fromhex(s.mac.replace(":", ""))
                        + b"\x88\xb5" + bytes(size - 14))
    switch.wait_stats("k", tx_frames=len(sizes), tx_bytes=sum(sizes))
    seen = int(end.run("/bin/cat", "/proc/net/dev").split("k0:")[1].split()[1])
    assert seen == len(sizes)
    s.frontend.send(b"\xff" * 13)
    switch.wait_stats("s", too_short=1)
    assert switch.stats("k")["tx_frames"] == len(sizes)


def test_idle_switch_sleeps_and_wakes(
    switch: Switch, make_end: MakeEnd
) -> None:
    a, b = make_end("a"), make_end("b")
    connect(switch, a, b, queues=2)
    for _ in range(20):
        wait_until(
            "the workers sleep",
            lambda: all(w["state"] == "sleeping" for w in switch.call("switch.status")["workers"]),
        )
        a.ping(CONTAINER, 1)
    wait_asleep(switch)
    wait_watched_no_more(switch.pid)
    assert cpu_in_a_window(switch.pid) < 0.01


def test_nothing_is_left_behind(switch: Switch, make_end: MakeEnd) -> None:
    """Ports that come and go, and some that cannot come, leave no descriptor and no interface."""
    a, b = make_end("a"), make_end("b")
    connect(switch, a, b)
    before = open_descriptors(switch)
    for number in range(30):
        options = {"type": "kernel", "backend": "tap", "ifname": "t0", "netns": a.path}
        switch.add_port("t", ip=["10.78.0.1/24"], queues=1 + number % 8, **options)
        with pytest.raises(RpcError):
            switch.add_port("u", mtu=65535, queues=1 + number % 8, **options)
        switch.call("port.delete", name="t")
    wait_until("all are closed", lambda: open_descriptors(switch) <= before)
    assert set(a.links()) == {"a0"}


def test_ports_of_the_configuration(
    home: KernelEnd, make_switch: MakeSwitch
) -> None:
    """The interface is there when the switch is ready, and it is saved as it was given."""
    port = {"name": "k", "type": "kernel", "backend": "tap", "ifname": "k0", "ip": [f"{HOST}/24"],
            "mtu": 1400, "mac": "02:00:00:00:00:77"}
    config = {"version": 1, "ports": [port]}
    switch = make_switch(config=config, wrapper=home.command())
    link = home.links()["k0"]
    assert (link["mtu"], link["address"]) == (1400, "02:00:00:00:00:77")
    assert home.addresses("k0") == {f"{HOST}/24"}
    switch.wait_state("k", "up")
    port["mtu"] = 65535
    failing = make_switch(config=config, wrapper=home.command(), start=False)
    process = failing.launch()
    assert process.wait() != 0 and "k0" in process.log()
    assert set(home.links()) == {"k0"}


# Frames to nobody, into an interface whose queue ends somewhere.
FLOOD = """
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("a0", 0))
for _ in range(3000):
    try:
        s.send(bytes.fromhex("02000000000f0200000000aa88b5") + bytes(50))
    except OSError:
        pass
"""


def overflow(switch: Switch, end: KernelEnd) -> int:
    """How many frames the kernel drops at the interface's queue while the switch stands still."""
    switch.process.send_signal(signal.SIGSTOP)
    try:
        end.run("/usr/bin/python3", "-c", FLOOD)
    finally:
        switch.process.send_signal(signal.SIGCONT)
    shown = json.loads(end.ip("-json", "-stats", "link", "show", "dev", "a0"))
    lost: int = shown[0]["stats64"]["tx"]["dropped"]
    return lost


@pytest.mark.parametrize("options", [
    {"type": "kernel", "backend": "tap", "ifname": "a0"},
    {"type": "ethdev", "devargs": "net_tap0,iface=a0"},
], ids=["kernel", "net_tap"])
def test_what_the_interface_drops_itself(
    home: KernelEnd, home_switch: Switch, options: dict[str, str]
) -> None:
    """A switch that does not read in time loses frames in the kernel, and says so."""
    switch = home_switch
    switch.add_port("a", **options)
    switch.add_port("p")
    switch.wait_state("a", "up")
    assert not any(switch.stats("a")["device_drops"].values())
    assert "device_drops" not in switch.stats("p")
    lost = overflow(switch, home)
    assert lost > 0
    wait_until("the switch has looked",
               lambda: bool(switch.stats("a")["device_drops"]["tx_dropped"] == lost))
    assert f"it dropped {lost} by itself" in switch.ctl("show-port", "a").stdout
    said = switch.ctl("drops").stdout
    assert f"{lost}: a {lost} (the device's own count, not the switch's)" in said
    assert "txqueuelen" in said

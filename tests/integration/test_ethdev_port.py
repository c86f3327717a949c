# SPDX-License-Identifier: BSD-3-Clause
"""DPDK devices as ports: frames through each kind of driver that needs no hardware."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Sequence

import pytest
from kernel_end import KernelEnd, MakeEnd
from support import Registry, Setup, Switch, VuserClient, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from support.frames import BROADCAST, frame
from support.memory import MIB, RegionSpec
from support.station import Station, introduce
from vswitch import RpcError

SIZES = (14, 15, 60, 63, 64, 65, 128, 129, 1024, 1513, 1514, 1518)
JUMBO = (2047, 2048, 2049, 4096, 9014, 9018)
MANY = 5000
OURS = b"\x88\xb5"
# From the other end of the veth, in an order that can be checked; no more at once than fit the
# 512 places of net_af_packet.
SEND_MANY = """
import socket, sys, time
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as v1:
    v1.bind(("v1", 0))
    for number in range(int(sys.argv[1])):
        v1.send(b"\\xff" * 6 + bytes.fromhex("02000000007788b5") + number.to_bytes(46, "big"))
        if number % 100 == 99:
            time.sleep(0.01)
"""
MARKER = "02:00:00:00:00:78"
SEND_MARKER = f"""
import socket
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as v1:
    v1.bind(("v1", 0))
    v1.send(b"\\xff" * 6 + bytes.fromhex("{MARKER}88b6".replace(":", "")) + bytes(46))
"""
HERE, THERE = "10.78.0.1", "10.78.0.2"
LARGE_SETUP = Setup(regions=(RegionSpec(4 * MIB),), rx_layout=(12, 9100))


def veth(home: KernelEnd, far: KernelEnd) -> None:
    """`v0` at home, whose other end is `v1` in the namespace `far`.

    `net_af_packet` gives frames as the kernel shows them: what a veth's other end left undone would
    stay undone, so that end does it all, as a wire's other end does.
    """
    pid = far.path.split("/")[2]
    home.ip("link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", pid)
    far.run("/usr/sbin/ethtool", "-K", "v1", "tx", "off", "tso", "off", "gso", "off")
    far.space.address("v1", f"{THERE}/24")
    home.ip("link", "set", "v0", "up")


def exchange(a: Station, b: Station, sizes: Sequence[int]) -> None:
    """Each size both ways, in one piece and in several, and as a flood."""
    introduce([a, b])
    for size in sizes:
        b.expect(a.send(b, size))
        if size > 40:
            b.expect(a.send(b, size, layout=(12, 20, 20)))
        a.expect(b.send(a, size))
        b.expect(a.send(BROADCAST, size))


def test_af_packet_on_an_interface(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd, registry: Registry
) -> None:
    far = make_end("far")
    veth(home, far)
    added = home_switch.ctl(
        "add-port", "nic0", "--type", "ethdev", "--devargs", "net_af_packet0,iface=v0"
    )
    assert added.returncode == 0, added.stderr
    home_switch.wait_state("nic0", "up")
    home_switch.add_port("p0")
    client = VuserClient(
        registry, home_switch.path("p0"), "respond", ip=f"{HERE}/24"
    ).wait_ready()
    for size in (0, 18, 56, 1000, 1472):
        far.ping(HERE, 1, "-s", str(size))
    assert "PROMISC" in home.links()["v0"]["flags"]
    device = home_switch.port("nic0")["device"]
    assert (device["backend"], device["ifname"]) == ("net_af_packet", "v0")
    assert (device["mac"], device["link"]) == (home.links()["v0"]["address"], "up")
    assert (device["interrupts"], device["takes"], device["gives"]) == (False, [], [])
    client.stop()
    home_switch.call("port.delete", name="nic0")
    assert "PROMISC" not in home.links()["v0"]["flags"]


def test_tcp_from_a_wire_to_a_container(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd
) -> None:
    """What a NIC cannot do the switch does for it, and for it alone."""
    far, near = make_end("far"), make_end("near")
    veth(home, far)
    home_switch.add_port("nic0", type="ethdev", devargs="net_af_packet0,iface=v0")
    home_switch.add_port("c0", type="kernel", backend="tap", netns=near.path, ip=[f"{HERE}/24"])
    near.copy(far, THERE)
    far.copy(near, HERE)
    assert home_switch.stats("nic0")["offload"]["segmented"] > 0
    assert not any(home_switch.stats("c0")["offload"].values())


@pytest.mark.parametrize("mtu, sizes", [(1500, SIZES), (9000, SIZES + JUMBO)], ids=["1500", "9000"])
def test_memif_between_two_switches(
    make_switch: MakeSwitch, station: MakeStation, workdir: Path, mtu: int, sizes: Sequence[int]
) -> None:
    """Every byte of every size; a frame over 2 KiB lies in several mbufs on its way."""
    a, b = make_switch(), make_switch()
    common = f"id=0,socket={workdir}/memif.sock,socket-abstract=no"
    a.add_port("m", type="ethdev", devargs=f"net_memif0,role=server,{common}", mtu=mtu)
    b.add_port("m", type="ethdev", devargs=f"net_memif0,role=client,{common}", mtu=mtu)
    for switch in (a, b):
        switch.wait_state("m", "up")
    setup = LARGE_SETUP if mtu > 1500 else None
    exchange(station(a, "p", setup, mtu=mtu), station(b, "p", setup, mtu=mtu), sizes)
    for switch in (a, b):
        assert switch.drops("m") == {}


def test_memif_peer_leaves_and_comes_back(
    make_switch: MakeSwitch, station: MakeStation, workdir: Path
) -> None:
    a, b = make_switch(), make_switch()
    common = f"id=0,socket={workdir}/memif.sock,socket-abstract=no"
    a.add_port("m", type="ethdev", devargs=f"net_memif0,role=server,{common}")
    here, there = station(a, "p"), station(b, "p")
    for _ in range(2):
        b.add_port("m", type="ethdev", devargs=f"net_memif0,role=client,{common}")
        a.wait_state("m", "up")
        b.wait_state("m", "up")
        exchange(here, there, (64,))
        b.call("port.delete", name="m")
        down = a.wait_state("m", "down")
        assert "link" in down["state_text"]
    b.conserves = False


def write_pcap(path: Path, frames: Sequence[bytes]) -> None:
    """The classic format: a header, then each frame behind its time and its lengths."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for data in frames:
            file.write(struct.pack("<IIII", 0, 0, len(data), len(data)) + data)


def read_pcap(path: Path) -> list[bytes]:
    data, frames, at = path.read_bytes(), [], 24
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


def test_pcap_files(switch: Switch, station: MakeStation, workdir: Path) -> None:
    """What is in one file comes in; what goes out is in the other."""
    receiver = station(switch, "p", LARGE_SETUP, mtu=9000)
    frames = [frame(BROADCAST, "02:00:00:00:00:77", size, size) for size in SIZES + JUMBO]
    write_pcap(workdir / "in.pcap", frames)
    switch.add_port(
        "file", type="ethdev", mtu=9000,
        devargs=f"net_pcap0,rx_pcap={workdir}/in.pcap,tx_pcap={workdir}/out.pcap",
    )
    receiver.expect(*frames)
    sent = [receiver.send(BROADCAST, size) for size in SIZES + JUMBO]
    switch.wait_stats("file", tx_frames=len(sent))
    switch.call("port.delete", name="file")
    assert read_pcap(workdir / "out.pcap") == sent
    switch.conserves = False


def test_tap_of_dpdk(home: KernelEnd, home_switch: Switch, registry: Registry) -> None:
    home_switch.add_port("t0", type="ethdev", devargs="net_tap0,iface=dtap0")
    home.space.address("dtap0", f"{THERE}/24")
    home_switch.add_port("p0")
    VuserClient(registry, home_switch.path("p0"), "respond", ip=f"{HERE}/24").wait_ready()
    home.ping(HERE, 1)
    assert home_switch.port("t0")["device"]["ifname"] == "dtap0"
    home_switch.call("port.delete", name="t0")
    assert "dtap0" not in home.links()


def test_interface_of_others_is_no_tap_of_dpdk(home: KernelEnd, home_switch: Switch) -> None:
    """The driver would take the interface over; who has it keeps what it is."""
    home.ip("tuntap", "add", "dev", "theirs", "mode", "tap")
    before = home.links()["theirs"]
    with pytest.raises(RpcError, match="interface theirs exists already"):
        home_switch.add_port("t0", type="ethdev", devargs="net_tap0,iface=theirs")
    assert home.links()["theirs"] == before


def test_frontend_of_another_switch(make_switch: MakeSwitch, station: MakeStation) -> None:
    """`net_virtio_user`: a port of one switch is a port of the other."""
    a, b = make_switch(), make_switch()
    a.add_port("up", mtu=9000)
    b.add_port("up", type="ethdev", devargs=f"net_virtio_user0,path={a.path('up')}", mtu=9000)
    a.wait_state("up", "up")
    device = b.wait_state("up", "up")["device"]
    assert device["interrupts"] and set(device["gives"]) == {"csum", "tso4", "tso6"}
    exchange(
        station(a, "p", LARGE_SETUP, mtu=9000), station(b, "p", LARGE_SETUP, mtu=9000),
        SIZES + JUMBO,
    )


@pytest.mark.parametrize("entries", [256, 1024])
def test_frames_of_several_mbufs_for_ever(
    make_switch: MakeSwitch, station: MakeStation, entries: int
) -> None:
    """The driver gives mbufs back when its ring is nearly full, and they may end before it is."""
    a, b = make_switch(), make_switch()
    a.add_port("up", mtu=9000)
    b.add_port("up", type="ethdev", mtu=9000,
               devargs=f"net_virtio_user0,path={a.path('up')},queue_size={entries},in_order=0")
    b.wait_state("up", "up")
    here, there = (
        station(switch, "p", LARGE_SETUP, mtu=9000) for switch in (b, a)
    )
    introduce([here, there])
    for _ in range(1000):
        there.expect(here.send(there, 9014))
    assert b.drops("up") == {}


def test_frontend_of_itself(switch: Switch) -> None:
    """However its socket is called: frames would go round."""
    switch.add_port("p")
    path = f"{switch.directory}/../{switch.directory.name}/p.sock"
    with pytest.raises(RpcError, match="socket of port p of this switch"):
        switch.add_port("n", type="ethdev", devargs=f"net_virtio_user0,path={path}")
    assert switch.port("p")["state"] == "waiting"


@pytest.mark.parametrize("offload", [True, False], ids=["offload", "plain"])
def test_large_segments_to_another_switch(
    make_switch: MakeSwitch, make_end: MakeEnd, offload: bool
) -> None:
    """With offloads they cross two switches and a virtio device undone; without, none crosses."""
    a, b = make_switch(), make_switch()
    ends = make_end("a"), make_end("b")
    a.add_port("up")
    b.add_port("up", type="ethdev", devargs=f"net_virtio_user0,path={a.path('up')}",
               offload=offload)
    for switch, end, address in zip((a, b), ends, (HERE, THERE)):
        switch.add_port("c", type="kernel", backend="tap", netns=end.path, ip=[f"{address}/24"])
    b.wait_state("up", "up")
    ends[0].copy(ends[1], THERE)
    ends[1].copy(ends[0], HERE)
    for switch in (a, b):
        stats = switch.stats("up")
        assert any(stats["offload"].values()) is not offload, stats
        assert (stats["rx_bytes"] / stats["rx_frames"] > 1518) is offload, stats
        assert not any(switch.stats("c")["offload"].values())


def marker_came(switch: Switch, far: KernelEnd) -> bool:
    """Whether the switch has learned the address of a frame that is sent now.

    A device's frames are taken in order, so it has taken whatever was sent before.
    """
    far.run("/usr/bin/python3", "-c", SEND_MARKER)
    return MARKER in switch.fdb()


def test_flood_goes_to_every_device(
    home: KernelEnd, home_switch: Switch, make_end: MakeEnd, workdir: Path
) -> None:
    """Frames of one device go to two others: each that came once, in order."""
    far = make_end("far")
    veth(home, far)
    for number in (0, 1):
        home_switch.add_port(
            f"file{number}", type="ethdev",
            devargs=f"net_pcap{number},tx_pcap={workdir}/{number}.pcap",
        )
    home_switch.add_port("nic0", type="ethdev", devargs="net_af_packet0,iface=v0")
    # More than the device has mbufs, so that each is used again.
    far.run("/usr/bin/python3", "-c", SEND_MANY, str(MANY))
    wait_until("all that came is taken", lambda: marker_came(home_switch, far), 20.0)
    home_switch.call("port.delete", name="nic0")  # so that nothing more comes to one of the files
    files = [workdir / f"{number}.pcap" for number in (0, 1)]
    for number in (0, 1):
        home_switch.call("port.delete", name=f"file{number}")
    assert read_pcap(files[0]) == read_pcap(files[1])
    frames = [data for data in read_pcap(files[0]) if data[12:14] == OURS]
    seen = [int.from_bytes(data[14:], "big") for data in frames]
    # While the switch has no CPU the kernel loses frames.
    assert len(seen) > MANY // 2 and seen == sorted(set(seen))
    home_switch.conserves = False

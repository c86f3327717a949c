# SPDX-License-Identifier: BSD-3-Clause
"""Ports with several queues on two workers: each flow in order, each frame counted once."""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path

from kernel_end import KernelEnd, MakeEnd
from support import Switch, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from support.station import Station

FLOWS, FRAMES, ROUNDS = 16, 12, 4  # of each flow so many frames a round: all fit a station's ring
SENDER = "02:00:00:00:00:99"
# Frames of UDP whose source ports are the flows; what follows the headers is the number in the flow.
BUILD = """
import socket, struct, sys
def build(to, sender, flow, number, first_port):
    ethernet = bytes.fromhex((to + sender).replace(":", "")) + b"\\x08\\x00"
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 46, 0, 0, 64, 17, 0, b"\\x0a\\x50\\0\\1", b"\\x0a\\x50\\0\\2")
    return ethernet + ip + struct.pack("!HHHHI", first_port + flow, 9, 26, 0, number) + bytes(14)
"""
SEND = BUILD + """
name, to, sender, flows, first, n = sys.argv[1:4] + [int(word) for word in sys.argv[4:]]
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
    s.bind((name, 0))
    for number in range(first, first + n):
        for flow in range(flows):
            s.send(build(to, sender, flow, number, 1000))
"""
RECEIVE = """
import socket, struct, sys
name, wanted = sys.argv[1], int(sys.argv[2])
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x800)) as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((name, 0x800))
    print("listening", file=sys.stderr, flush=True)
    while wanted > 0:
        frame, where = s.recvfrom(2000)
        if where[2] != socket.PACKET_OUTGOING and 2000 <= int.from_bytes(frame[34:36], "big") < 3000:
            print("flow", int.from_bytes(frame[34:36], "big"), int.from_bytes(frame[42:46], "big"))
            wanted -= 1
"""


def build(to: str, sender: str, flow: int, number: int) -> bytes:
    space: dict[str, object] = {}
    exec(BUILD, space)  # the same as in the other namespace
    made = space["build"](to, sender, flow, number, 2000)  # type: ignore[operator]
    assert isinstance(made, bytes)
    return made


def check_order(seen: list[tuple[int, int]]) -> None:
    """Each flow whole and in order, whatever the others do between."""
    numbers: dict[int, list[int]] = {}
    for port, number in seen:
        numbers.setdefault(port, []).append(number)
    assert len(numbers) == FLOWS
    for port, got in numbers.items():
        assert got == list(range(FRAMES * ROUNDS)), f"flow {port}: {got}"


def to_station(station: Station, end: KernelEnd, ifname: str) -> None:
    """Frames of the kernel, which chooses a queue for each flow."""
    seen = []
    for first in range(0, FRAMES * ROUNDS, FRAMES):
        end.run("/usr/bin/python3", "-c", SEND, ifname, station.mac, SENDER, str(FLOWS), str(first),
                str(FRAMES))
        for _ in range(FLOWS * FRAMES):
            frame = station.frontend.receive(10).frame
            port, number = struct.unpack("!H6xI", frame[34:46])
            seen.append((port, number))
    check_order(seen)


def from_station(station: Station, end: KernelEnd, ifname: str) -> None:
    """Frames for the kernel, for which the switch chooses a queue for each flow."""
    total = FLOWS * FRAMES * ROUNDS
    receiver = end.start("receive", "/usr/bin/python3", "-c", RECEIVE, ifname, str(total))
    receiver.wait_log("listening")
    for number in range(FRAMES * ROUNDS):
        for flow in range(FLOWS):
            station.frontend.send(build(SENDER, station.mac, flow, number))
    assert receiver.wait(30) == 0
    lines = [line.split() for line in receiver.out().splitlines() if line.startswith("flow ")]
    check_order([(int(port), int(number)) for _, port, number in lines])


def exchange(switch: Switch, port: str, ifname: str, end: KernelEnd, station: Station) -> None:
    """Both ways; what the kernel itself may send is let by with the frames that count."""
    total = FLOWS * FRAMES * ROUNDS
    before = switch.stats(port)
    station.announce()
    to_station(station, end, ifname)
    from_station(station, end, ifname)
    switch.wait_stats("s", tx_frames=total, rx_frames=total + 1)
    after = switch.stats(port)
    assert after["rx_frames"] - before["rx_frames"] == total
    assert after["tx_frames"] - before["tx_frames"] == total + 1
    assert sum(switch.drops(port).values()) == 0


def queues_of(switch: Switch) -> list[int]:
    return sorted(worker["queues"] for worker in switch.call("switch.status")["workers"])


def wakeups(switch: Switch) -> Counter[str]:
    """How often each worker has slept, by name."""
    found: Counter[str] = Counter()
    for task in Path(f"/proc/{switch.pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if name.startswith("worker-"):
            status = (task / "status").read_text()
            found[name] = int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return found


def test_kernel_port(make_switch: MakeSwitch, make_end: MakeEnd, station: MakeStation) -> None:
    switch, end = make_switch("--workers", "2"), make_end("k")
    switch.add_port("k", type="kernel", backend="tap", ifname="k0", netns=end.path, queues=4)
    assert queues_of(switch) == [2, 2]
    s = station(switch, "s")
    assert queues_of(switch) == [2, 3]
    assert sorted(w["ports"] for w in switch.call("switch.status")["workers"]) == [1, 2]
    wait_until("both workers sleep", lambda: all(
        w["state"] == "sleeping" for w in switch.call("switch.status")["workers"]))
    before = wakeups(switch)
    exchange(switch, "k", "k0", end, s)
    woken = wakeups(switch) - before
    assert len(woken) == 2, "both have had frames of the kernel"
    switch.conservation()
    switch.conserves = False  # what was counted at the port goes with it
    switch.call("port.delete", name="k")
    assert queues_of(switch) == [0, 1]


def test_ethdev(home: KernelEnd, make_switch: MakeSwitch, station: MakeStation) -> None:
    switch = make_switch("--workers", "2", wrapper=home.command())
    switch.add_port("t", type="ethdev", devargs="net_tap0,iface=dtap0", queues=2)
    assert switch.port("t")["device"]["queues"] == 2
    home.ip("link", "set", "dtap0", "up")
    assert queues_of(switch) == [1, 1]
    s = station(switch, "s")
    exchange(switch, "t", "dtap0", home, s)
    switch.conservation()
    switch.conserves = False
    switch.call("port.delete", name="t")
    assert queues_of(switch) == [0, 1]


def test_device_with_fewer_queues(home: KernelEnd, make_switch: MakeSwitch) -> None:
    """A device that has one queue gets one source, however many were asked for."""
    switch = make_switch("--workers", "2", wrapper=home.command())
    home.ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
    home.ip("link", "set", "v0", "up")
    switch.add_port("n", type="ethdev", devargs="net_af_packet0,iface=v0", queues=2)
    assert switch.port("n")["device"]["queues"] == 1
    assert queues_of(switch) == [0, 1]

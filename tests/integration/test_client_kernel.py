# SPDX-License-Identifier: BSD-3-Clause
"""vuser-client kernel: one application and the kernel behind one address."""

from __future__ import annotations

import hashlib
import json
import signal
import struct
import subprocess
import time
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
from support import Process, Registry, Switch, VuserClient, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from support.frames import BROADCAST, mac_bytes
from support.namespaces import Namespace, run_tool
from support.process import as_user, binary, ordinary_user
from support.segments import IPAddress, ones_sum
from support.station import Station

OK, NO_PERMISSION, GONE, NO_START = 0, 4, 6, 8
MAC = "02:00:00:00:00:aa"
OURS4, OURS6 = IPv4Address("10.0.0.1"), IPv6Address("fd00::1")
PEER4, PEER6 = IPv4Address("10.0.0.9"), IPv6Address("fd00::9")
ADDRESSES = ("--ip", "10.0.0.1/24", "--ip", "fd00::1/64")
UDP, ECHO, PLACE = 17, 7, 9000  # PLACE: where nobody listens
LIMIT = 10.0


@pytest.fixture
def make_namespace(registry: Registry) -> Callable[[str], Namespace]:
    """Namespaces without a name, each held by a process that ends with the test."""

    def make(name: str) -> Namespace:
        process = registry.start(name, ["/usr/bin/unshare", "--net", "--", "/bin/sleep", "600"])
        comm = Path(f"/proc/{process.pid}/comm")
        wait_until("it is there", lambda: comm.read_text() == "sleep\n", 20.0, process.tail)
        return Namespace(process.pid)

    return make


@dataclass
class App:
    """A client in the role kernel on the port `a`, and the namespace of its interface."""

    client: VuserClient
    home: Namespace

    def link(self) -> dict[str, Any]:
        (link,) = json.loads(self.home.ip("-json", "address", "show", "app0"))
        return dict(link)

    def has_interface(self) -> bool:
        return any(link["ifname"] == "app0" for link in json.loads(self.home.ip("-json", "link")))


def start(registry: Registry, switch: Switch, home: Namespace, *more: str) -> App:
    """With net_tap, which is everywhere; tests/vm has the other backend."""
    client = VuserClient(
        registry, switch.path("a"), "kernel", *ADDRESSES, *more, mac=MAC, netns=home.path,
        backend="tap",
    )
    return App(client, home)


@pytest.fixture
def app(
    switch: Switch, registry: Registry, make_namespace: Callable[[str], Namespace]
) -> App:
    switch.add_port("a")
    made = start(registry, switch, make_namespace("home"), "--fast-udp", str(ECHO))
    made.client.wait_ready()
    return made


@dataclass(frozen=True)
class Datagram:
    """A UDP packet from a station to the application."""

    source: IPAddress
    target: IPAddress
    payload: bytes = b"hello"
    to_port: int = ECHO
    from_port: int = 4000
    damage: int = 0  # added to the checksum

    def udp(self) -> bytes:
        size = 8 + len(self.payload)
        ports = struct.pack("!HHH", self.from_port, self.to_port, size)
        pseudo = self.source.packed + self.target.packed + struct.pack("!II", size, UDP)
        check = (ones_sum(pseudo + ports + self.payload) ^ 0xFFFF) or 0xFFFF
        return ports + struct.pack("!H", (check + self.damage) & 0xFFFF) + self.payload

    def ip(self) -> bytes:
        addresses = self.source.packed + self.target.packed
        size = 8 + len(self.payload)
        if self.source.version == 6:
            return struct.pack("!IHBB", 6 << 28, size, UDP, 64) + addresses
        head = struct.pack("!BBHHHBB", 0x45, 0, 20 + size, 7, 0x4000, 64, UDP)
        return head + struct.pack("!H", ones_sum(head + addresses) ^ 0xFFFF) + addresses

    def frame(self, source: str, target: str = MAC) -> bytes:
        kind = struct.pack("!H", 0x0800 if self.source.version == 4 else 0x86DD)
        return mac_bytes(target) + mac_bytes(source) + kind + self.ip() + self.udp()

    def answer(self) -> Datagram:
        return Datagram(self.target, self.source, self.payload, self.from_port, self.to_port)


def expect(station: Station, is_it: Callable[[bytes], bool]) -> bytes:
    """The next frame of a kind; what the kernel says by itself is passed over."""

    def look() -> Optional[bytes]:
        seen = station.frontend.poll()
        return seen.frame if seen is not None and is_it(seen.frame) else None

    return wait_until("the frame is there", look, LIMIT)


def arp(station: Station) -> bytes:
    kind = struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1)
    us, them = mac_bytes(station.mac), PEER4.packed
    return mac_bytes(BROADCAST) + us + kind + us + them + bytes(6) + OURS4.packed


def meet(station: Station) -> None:
    """Asks for the address as anybody would; so the kernel learns the station, too."""
    station.frontend.send(arp(station))
    seen = expect(station, lambda data: data[12:14] == b"\x08\x06" and data[20:22] == b"\0\2")
    assert seen[22:28] == mac_bytes(MAC) and seen[28:32] == OURS4.packed


def is_udp(data: bytes) -> bool:
    return (data[12:14] == b"\x08\0" and data[23] == UDP) or (
        data[12:14] == b"\x86\xdd" and data[20] == UDP
    )


def is_unreachable(data: bytes) -> bool:
    """ICMP: there is no such port."""
    return data[12:14] == b"\x08\0" and data[23] == 1 and data[34:36] == b"\x03\x03"


def wait_echo(station: Station, mac: str) -> None:
    """Until the application answers at an address; before, the kernel may complain, or not."""

    def echoed() -> bool:
        station.frontend.send(Datagram(PEER4, OURS4).frame(station.mac, mac))
        seen = station.frontend.poll()
        return seen is not None and is_udp(seen.frame)

    wait_until(f"it answers at {mac}", echoed, LIMIT)


@pytest.mark.parametrize("source, target", [(PEER4, OURS4), (PEER6, OURS6)], ids=["v4", "v6"])
def test_fast_path_echoes_every_size(
    app: App, switch: Switch, station: MakeStation, source: IPAddress, target: IPAddress
) -> None:
    """Byte for byte, so with right checksums; the kernel sees none of it."""
    peer = station(switch, "b")
    for size in (*range(0, 64), *range(64, 1453, 89)):
        sent = Datagram(source, target, bytes(range(256)) * 6)
        sent = Datagram(source, target, sent.payload[:size])
        peer.frontend.send(sent.frame(peer.mac))
        answer = expect(peer, is_udp)
        assert answer == sent.answer().frame(MAC, peer.mac), size
    report = app.client.stop()
    assert report["fast"]["frames"] == 64 + len(range(64, 1453, 89))
    assert report["fast"]["dropped"] == report["to_kernel"]["dropped"] == 0


def test_all_else_is_the_kernels(app: App, switch: Switch, station: MakeStation) -> None:
    peer = station(switch, "b")
    meet(peer)
    peer.frontend.send(Datagram(PEER4, OURS4, to_port=PLACE).frame(peer.mac))
    assert is_unreachable(expect(peer, is_unreachable))
    # From a port that answers itself nothing is echoed, or two such would never stop.
    peer.frontend.send(Datagram(PEER4, OURS4, from_port=ECHO).frame(peer.mac))
    assert is_unreachable(expect(peer, is_unreachable))
    report = app.client.stop()
    assert report["fast"]["frames"] == 0
    assert report["to_kernel"]["frames"] >= 3 and report["from_kernel"]["frames"] >= 3


def test_wrong_checksum_is_counted_by_the_kernel(
    app: App, switch: Switch, station: MakeStation
) -> None:
    peer = station(switch, "b")
    peer.frontend.send(Datagram(PEER4, OURS4, damage=1).frame(peer.mac))

    def counted() -> bool:
        lines = run_tool(app.home.command("/bin/cat", "/proc/self/net/snmp")).splitlines()
        names, values = (line.split() for line in lines if line.startswith("Udp:"))
        return dict(zip(names, values))["InCsumErrors"] == "1"

    wait_until("the kernel counts it", counted, LIMIT)
    assert app.client.stop()["fast"]["frames"] == 0


def test_interface_is_as_asked_for(app: App) -> None:
    link = app.link()
    assert link["address"] == MAC and link["mtu"] == 1500 and "UP" in link["flags"]
    addresses = {(a["local"], a["prefixlen"]) for a in link["addr_info"]}
    assert {("10.0.0.1", 24), ("fd00::1", 64)} <= addresses
    report = app.client.stop()
    assert report["kernel"]["ifname"] == "app0" and report["kernel"]["backend"] == "tap"
    assert [port["mac"] for port in report["ports"]] == [MAC, MAC]
    assert not app.has_interface()


def test_mtu(
    switch: Switch, registry: Registry, make_namespace: Callable[[str], Namespace]
) -> None:
    switch.add_port("a")
    app = start(registry, switch, make_namespace("home"), "--mtu", "1400")
    app.client.wait_ready()
    assert app.link()["mtu"] == 1400
    app.client.stop()


@pytest.mark.parametrize("end", ["kill", "backend", "delete", "namespace"])
def test_every_end_takes_the_interface_away(app: App, switch: Switch, end: str) -> None:
    switch.wait_state("a", "up")
    if end == "kill":
        app.client.kill()
    elif end == "backend":
        switch.kill()
    elif end == "delete":
        app.home.ip("link", "delete", "app0")
    else:
        subprocess.run(["/bin/kill", str(app.home.pid)], check=True)
    if end != "kill":
        report = app.client.result(status=GONE)
        assert ("the backend" if end == "backend" else "the interface app0") in report["error"]
    if end != "namespace":
        wait_until("it is gone", lambda: not app.has_interface(), LIMIT)


def test_address_and_link_are_followed(app: App, switch: Switch, station: MakeStation) -> None:
    """The administrator gives the interface another MAC; then that is the application's."""
    other = "02:00:00:00:00:bb"
    peer = station(switch, "b")
    meet(peer)
    app.home.ip("link", "set", "app0", "address", other)

    wait_echo(peer, other)
    app.home.ip("link", "set", "app0", "down")
    sent = Datagram(PEER4, OURS4, b"while it is down")
    peer.frontend.send(sent.frame(peer.mac, other))
    expect(peer, lambda data: data == sent.answer().frame(other, peer.mac))
    peer.frontend.send(arp(peer))
    app.home.ip("link", "set", "app0", "up")
    peer.frontend.send(arp(peer))
    expect(peer, lambda data: data[12:14] == b"\x08\x06" and data[22:28] == mac_bytes(other))
    report = app.client.stop()
    assert report["fast"]["frames"] >= 2
    assert report["to_kernel"]["dropped"] >= 1


def test_address_is_found_after_lost_events(
    app: App, switch: Switch, station: MakeStation, workdir: Path
) -> None:
    """More happens than the kernel keeps for a program that stands still; the last of it counts."""
    other = "02:00:00:00:00:cc"
    batch = workdir / "batch"
    batch.write_text("link set lo up\nlink set lo down\n" * 2000)
    peer = station(switch, "b")
    meet(peer)
    app.client.process.send_signal(signal.SIGSTOP)
    app.home.ip("-batch", str(batch))
    app.home.ip("link", "set", "app0", "address", other)
    app.client.process.send_signal(signal.SIGCONT)

    wait_echo(peer, other)
    app.client.stop()


def socat(registry: Registry, name: str, home: Namespace, *words: str) -> Process:
    return registry.start(name, home.command("/usr/bin/socat", *words))


def test_a_file_by_tcp_while_the_fast_path_runs(
    app: App, switch: Switch, registry: Registry, station: MakeStation, workdir: Path,
    make_namespace: Callable[[str], Namespace],
) -> None:
    """From one kernel to another, each behind an application."""
    switch.add_port("c")
    other = make_namespace("other")
    peer = VuserClient(
        registry, switch.path("c"), "kernel", "--ip", "10.0.0.2/24", netns=other.path
    ).wait_ready()
    prober = station(switch, "b")
    data = b"".join(hashlib.sha256(bytes([i % 251])).digest() for i in range(1 << 15))
    (workdir / "sent").write_bytes(data)
    server = socat(
        registry, "server", app.home, "-u", "TCP-LISTEN:5000,bind=10.0.0.1",
        f"CREATE:{workdir}/received",
    )
    wait_until("it listens", lambda: "5000" in listeners(app.home), LIMIT)
    client = socat(registry, "client", other, "-u", f"FILE:{workdir}/sent", "TCP:10.0.0.1:5000")
    echoes = 0
    while client.status is None or server.status is None:
        prober.frontend.send(Datagram(PEER4, OURS4).frame(prober.mac))
        expect(prober, is_udp)
        echoes += 1
        assert echoes < 1_000_000
    assert client.status == server.status == OK, client.report("") + server.report("")
    assert (workdir / "received").read_bytes() == data
    peer.stop()
    assert app.client.stop()["fast"]["frames"] == echoes


def listeners(home: Namespace) -> str:
    return run_tool(home.command("/usr/bin/ss", "--tcp", "--listening", "--numeric"))


def test_sleeps(app: App, switch: Switch, station: MakeStation) -> None:
    meet(station(switch, "b"))

    def used() -> int:
        fields = Path(f"/proc/{app.client.process.pid}/stat").read_text().split()
        return int(fields[13]) + int(fields[14])

    before, end = used(), time.monotonic() + 2.0
    wait_until("the window is over", lambda: time.monotonic() > end)
    assert used() - before <= 4  # of 200 ticks


def test_served_socket_whose_switch_comes_back(
    make_switch: MakeSwitch, registry: Registry, workdir: Path,
    make_namespace: Callable[[str], Namespace],
) -> None:
    """The interface stays meanwhile. The backend is what there is, and the program says why."""
    path = workdir / "served.sock"
    home = make_namespace("home")
    client = VuserClient(
        registry, path, "kernel", *ADDRESSES, "--fast-udp", str(ECHO), mac=MAC, netns=home.path,
        server=True,
    )
    app = App(client, home)
    for name in ("first", "second"):
        switch = make_switch(directory=workdir / name)
        switch.add_port("a", connect=str(path))
        client.wait_ready()
        switch.wait_state("a", "up")
        switch.add_port("b")
        ping = VuserClient(
            registry, switch.path("b"), "ping", "10.0.0.1", count=2, interval=0.05, ip="10.0.0.2/24"
        )
        assert ping.result()["received"] == 2
        assert app.has_interface()
        switch.stop()
        wait_until("it has seen that", lambda: "is gone" in client.process.log(), LIMIT)
    kernel = client.stop()["kernel"]
    assert kernel["backend"] in ("vhost-net", "tap") and "/dev/vhost-net" in kernel["why"]
    assert not app.has_interface()


def test_without_room_for_signals(
    switch: Switch, registry: Registry, station: MakeStation,
    make_namespace: Callable[[str], Namespace],
) -> None:
    """net_tap asks for one a frame; what the kernel sends in their stead ends most programs."""
    switch.add_port("a")
    argv = [
        "/usr/bin/prlimit", "--sigpending=0", str(binary("client/vuser-client")),
        "--path", str(switch.path("a")), "--ip", "10.0.0.1/24", "--mac", MAC,
        "--netns", make_namespace("home").path, "kernel", "--backend", "tap",
    ]
    client = registry.start("client", argv, {"XDG_RUNTIME_DIR": str(registry.directory)})
    client.wait_log("ready")
    meet(station(switch, "b"))
    assert client.end(signal.SIGINT) == OK, client.report("left otherwise")


def fails(registry: Registry, path: Path, *arguments: str) -> VuserClient:
    client = VuserClient(registry, path, "kernel", *arguments)
    client.process.wait(20.0)
    client.process.check_sanitizers()
    return client


def test_name_that_is_taken(app: App, registry: Registry, switch: Switch) -> None:
    switch.add_port("b")
    client = fails(registry, switch.path("b"), "--netns", app.home.path)
    assert client.process.status == NO_START
    assert "interface app0 already" in client.process.log()
    assert app.has_interface()
    app.client.stop()


def test_words_for_what_is_missing(registry: Registry, switch: Switch) -> None:
    switch.add_port("a")
    path = switch.path("a")
    client = fails(registry, path, "--netns", "no-such-namespace")
    assert client.process.status == NO_START and "no-such-namespace" in client.process.log()
    client = fails(registry, path, "--mtu", "9000", "--backend", "tap")
    assert client.process.status == NO_START and "1500" in client.process.log()
    if not Path("/dev/vhost-net").exists():
        client = fails(registry, path, "--backend", "vhost-net")
        assert client.process.status == NO_START
        for word in ("/dev/vhost-net", "modprobe vhost_net", "--backend tap"):
            assert word in client.process.log()


def test_words_for_missing_rights(switch: Switch) -> None:
    switch.add_port("a", mode="0666")
    argv = [str(binary("client/vuser-client")), "--path", str(switch.path("a")), "kernel"]
    done = subprocess.run(
        [*as_user(ordinary_user()), *argv], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == NO_PERMISSION, done.stderr
    assert "CAP_NET_ADMIN" in done.stderr or "/dev/net/tun" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_with_its_report(app: App, number: int) -> None:
    assert app.client.process.end(number) == OK
    report = app.client.result()
    assert report["role"] == "kernel" and report["ended_by"] == "signal"
    assert not app.has_interface()

# SPDX-License-Identifier: BSD-3-Clause
"""Devices whose other end is a program: it restarts, is late, is killed, or does not answer."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from support import RawClient, Switch
from support.fixture_types import MakeStation, MakeSwitch
from test_ethdev_life import SILENT, refusal
from test_ethdev_port import exchange
from vswitch import RpcError

BACK = 20.0  # a second until it is missed, and tries a second apart


def memif(workdir: Path, role: str) -> str:
    return f"net_memif0,role={role},socket={workdir}/memif.sock,socket-abstract=no"


def linked(*switches: Switch) -> None:
    for switch in switches:
        switch.wait_state("m", "up", BACK)


@pytest.mark.parametrize("changed", ["server", "client"])
def test_memif_link_survives_a_change(
    make_switch: MakeSwitch, station: MakeStation, workdir: Path, changed: str
) -> None:
    """The device is started anew for larger frames; its peer comes back to it, or it to the peer."""
    switches = {role: make_switch() for role in ("server", "client")}
    for role, switch in switches.items():
        switch.add_port("m", type="ethdev", devargs=memif(workdir, role))
    linked(*switches.values())
    pair = [station(switch, "p") for switch in switches.values()]
    switches[changed].call("port.set", name="m", mtu=9000)
    linked(*switches.values())
    exchange(pair[0], pair[1], (64, 1514))
    for switch in switches.values():
        assert switch.port("m")["fault"] is None
        switch.conserves = False  # who asks while the link is down is not heard


@pytest.mark.parametrize("ends", ["leaves", "is killed"])
def test_memif_server_restarts(
    make_switch: MakeSwitch, station: MakeStation, workdir: Path, ends: str
) -> None:
    """The socket that a killed program leaves behind is in nobody's way."""
    server, client = make_switch(), make_switch()
    server.add_port("m", type="ethdev", devargs=memif(workdir, "server"))
    client.add_port("m", type="ethdev", devargs=memif(workdir, "client"))
    linked(server, client)
    server.conserves = client.conserves = False
    if ends == "leaves":
        server.stop()
    else:
        server.kill()
        assert (workdir / "memif.sock").is_socket()
    down = client.wait_state("m", "down")
    assert "its peer is called again" in down["state_text"] and down["fault"] is None
    again = make_switch()
    again.add_port("m", type="ethdev", devargs=memif(workdir, "server"))
    linked(again, client)
    exchange(station(again, "p"), station(client, "p"), (64, 1514))


def test_virtio_user_peer_restarts(
    make_switch: MakeSwitch, station: MakeStation
) -> None:
    peer, switch = make_switch(), make_switch()
    peer.add_port("up")
    switch.add_port("m", type="ethdev", devargs=f"net_virtio_user0,path={peer.path('up')}")
    linked(switch)
    switch.conserves = False
    peer.kill()
    switch.wait_state("m", "down", BACK)
    switch.call("port.set", name="m", offload=False)
    again = make_switch(directory=peer.directory)
    again.add_port("up")
    linked(switch)
    assert switch.port("m")["device"]["takes"] == []
    exchange(station(again, "p"), station(switch, "p"), (64, 1514))
    again.conserves = False


def test_client_that_is_first_waits(make_switch: MakeSwitch, workdir: Path) -> None:
    """A configuration names a peer that is not there yet; by hand that is refused at once."""
    port = {"name": "m", "type": "ethdev", "devargs": memif(workdir, "client")}
    early = make_switch(config={"version": 1, "ports": [port]})
    assert early.port("m")["state"] == "waiting"
    assert f"nobody listens on {workdir}/memif.sock" in early.port("m")["state_text"]
    late = make_switch()
    message = refusal(late, "port.add", **port)
    assert "nobody listens" in message
    late.add_port("m", type="ethdev", devargs=memif(workdir, "server"))
    linked(early, late)


def test_memif_socket_of_another_program(switch: Switch, workdir: Path) -> None:
    """What cannot be is refused, again and again, and the device is free after that."""
    path = workdir / "memif.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        for _ in range(40):  # more than DPDK has numbers for devices
            with pytest.raises(RpcError, match="another program listens"):
                switch.add_port("m", type="ethdev", devargs=memif(workdir, "server"))
    path.unlink()
    path.write_text("a file\n")
    with pytest.raises(RpcError, match="is no socket"):
        switch.add_port("m", type="ethdev", devargs=memif(workdir, "server"))
    assert path.read_text() == "a file\n"
    path.unlink()
    with pytest.raises(RpcError, match="no socket can be made"):
        switch.add_port("m", type="ethdev", devargs=memif(workdir / "nowhere", "server"))
    switch.add_port("m", type="ethdev", devargs=memif(workdir, "server"))


def test_silent_peer_delays_nobody_else(
    make_switch: MakeSwitch, workdir: Path
) -> None:
    """Something listens where a virtio_user port calls, and never says a word."""
    switch = make_switch()
    path = workdir / "mute.sock"
    switch.add_port("d", type="ethdev", devargs=SILENT)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        client = RawClient(switch.control)
        client.send_request(
            "port.add", {"name": "m", "type": "ethdev", "devargs": f"net_virtio_user0,path={path}"}
        )
        listener.accept()[0].detach()  # it is open until the test ends
        start = time.monotonic()
        switch.call("config.save", file=str(workdir / "saved.json"))
        switch.call("port.set", name="d", mtu=1400)
        assert time.monotonic() - start < 5.0
        client.close()

# SPDX-License-Identifier: BSD-3-Clause
"""The exception path on the kernel's own vhost-net, in a guest that has the whole switch inside."""

from __future__ import annotations

from typing import Any, Iterator

import pytest
from switch_in_guest import House

pytestmark = pytest.mark.timeout(480)


@pytest.fixture
def host_port(house: House) -> Iterator[dict[str, Any]]:
    """The guest's kernel at 10.0.0.254, beside a DPDK process at 10.0.0.1."""
    yield house.add_kernel_port("host0", "10.0.0.254/24", "--ifname", "vsw0")
    house.ctl("del-port", "host0")
    assert house.guest.attempt("ip link show vsw0")[0] != 0


@pytest.fixture
def namespace(house: House) -> Iterator[str]:
    house.guest.run("ip netns add other")
    yield "other"
    house.guest.run("ip netns del other")


@pytest.fixture(scope="module")
def respond(house: House) -> Iterator[None]:
    house.client("respond", "p0", "--ip 10.0.0.1/24 respond")
    yield
    house.report("respond")


def test_host_interface(house: House, host_port: dict[str, Any], respond: None) -> None:
    """The kernel and a DPDK process ping each other; the kernel's thread carries it."""
    device = house.ctl("show-port", "host0")["device"]
    assert (device["backend"], device["ifname"]) == ("vhost-net", "vsw0")
    assert house.threads("host0") == 1
    house.ping("10.0.0.1")
    house.ping("10.0.0.1", payload=1472)
    house.ctl("add-port", "p1", "--may-exist")
    house.guest.run(house.client_command("p1", "--ip 10.0.0.9/24 ping 10.0.0.254 --count 3"))


def test_namespace(
    house: House, host_port: dict[str, Any], respond: None, namespace: str
) -> None:
    """An ordinary container becomes the neighbour of a DPDK one, and of the host."""
    house.add_kernel_port("box0", "10.0.0.253/24", "--netns", namespace)
    assert house.threads("box0") == 1
    house.ping("10.0.0.1", namespace)
    house.ping("10.0.0.254", namespace)
    assert house.iperf("10.0.0.254", namespace) > 1
    house.ctl("set-port", "box0", "mtu=1400")
    house.guest.wait(f"ip -n {namespace} link show box0 | grep -q 'mtu 1400'")
    house.ctl("del-port", "box0")
    assert house.guest.attempt(f"ip -n {namespace} link show box0")[0] != 0


def test_application_beside_the_kernel(
    house: House, host_port: dict[str, Any], namespace: str
) -> None:
    """The fast path echoes UDP while the kernel answers pings and TCP at the same address."""
    guest = house.guest
    house.client("app", "p2", f"--ip 10.0.0.2/24 kernel --fast-udp 7 --netns {namespace}")
    house.ping("10.0.0.2")
    assert guest.run(exchange("udp", "10.0.0.2", 7)) == "hello"
    guest.start("tcp", f"ip netns exec {namespace} socat TCP-LISTEN:80 SYSTEM:'head -c 5'")
    guest.wait(f"ip netns exec {namespace} ss -Hltn | grep -q :80")
    assert guest.run(exchange("tcp", "10.0.0.2", 80)) == "hello"
    report = house.report("app")
    assert report["kernel"]["backend"] == "vhost-net"
    assert report["fast"]["frames"] == 1
    assert report["from_kernel"]["frames"] > 5


def exchange(protocol: str, address: str, port: int) -> str:
    """Sends a word and prints what comes back."""
    script = f"exec 3<>/dev/{protocol}/{address}/{port}; printf hello >&3; head -c 5 <&3"
    return f"bash -c '{script}'"


@pytest.mark.parametrize("queues", [1, 2])
def test_virtio_user_as_exceptional_path(
    house: House, host_port: dict[str, Any], namespace: str, queues: int
) -> None:
    """The published plan: one kernel thread a queue, and iperf in both directions."""
    house.add_kernel_port(
        "peer0", "10.0.0.7/24", "--backend", "vhost-net", "--netns", namespace,
        "--queues", str(queues),
    )
    assert house.threads("peer0") == queues
    house.ping("10.0.0.254", namespace)
    assert house.iperf("10.0.0.254", namespace) > 1
    assert house.iperf("10.0.0.254", namespace, "--reverse") > 1
    house.ctl("del-port", "peer0")

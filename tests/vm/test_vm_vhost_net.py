# SPDX-License-Identifier: BSD-3-Clause
"""The exception path on the kernel's own vhost-net, in a guest that has the whole switch inside."""

from __future__ import annotations

from typing import Any, Iterator

import pytest
from switch_in_guest import SwitchInGuest

pytestmark = pytest.mark.timeout(480)


@pytest.fixture
def host_port(guest_switch: SwitchInGuest) -> Iterator[dict[str, Any]]:
    """The guest's kernel at 10.0.0.254, beside a DPDK process at 10.0.0.1."""
    yield guest_switch.add_kernel_port("host0", "10.0.0.254/24", "--ifname", "vsw0")
    guest_switch.ctl("del-port", "host0")
    assert guest_switch.guest.attempt("ip link show vsw0")[0] != 0


@pytest.fixture
def namespace(guest_switch: SwitchInGuest) -> Iterator[str]:
    guest_switch.guest.run("ip netns add other")
    yield "other"
    guest_switch.guest.run("ip netns del other")


@pytest.fixture(scope="module")
def respond(guest_switch: SwitchInGuest) -> Iterator[None]:
    guest_switch.client("respond", "p0", "--ip 10.0.0.1/24 respond")
    yield
    guest_switch.report("respond")


def test_host_interface(
    guest_switch: SwitchInGuest, host_port: dict[str, Any], respond: None
) -> None:
    """The kernel and a DPDK process ping each other; the kernel's thread carries it."""
    device = guest_switch.ctl("show-port", "host0")["device"]
    assert (device["backend"], device["ifname"]) == ("vhost-net", "vsw0")
    assert guest_switch.threads("host0") == 1
    guest_switch.ping("10.0.0.1")
    guest_switch.ping("10.0.0.1", payload=1472)
    guest_switch.ctl("add-port", "p1", "--may-exist")
    ping = guest_switch.client_command("p1", "--ip 10.0.0.9/24 ping 10.0.0.254 --count 3")
    guest_switch.guest.run(ping)


def test_namespace(
    guest_switch: SwitchInGuest, host_port: dict[str, Any], respond: None, namespace: str
) -> None:
    """An ordinary container becomes the neighbour of a DPDK one, and of the host."""
    guest_switch.add_kernel_port("box0", "10.0.0.253/24", "--netns", namespace)
    assert guest_switch.threads("box0") == 1
    guest_switch.ping("10.0.0.1", namespace)
    guest_switch.ping("10.0.0.254", namespace)
    assert guest_switch.iperf("10.0.0.254", namespace) > 1
    guest_switch.ctl("set-port", "box0", "mtu=1400")
    guest_switch.guest.wait(f"ip -n {namespace} link show box0 | grep -q 'mtu 1400'")
    guest_switch.ctl("del-port", "box0")
    assert guest_switch.guest.attempt(f"ip -n {namespace} link show box0")[0] != 0


def test_application_beside_the_kernel(
    guest_switch: SwitchInGuest, host_port: dict[str, Any], namespace: str
) -> None:
    """The fast path echoes UDP while the kernel answers pings and TCP at the same address."""
    guest = guest_switch.guest
    guest_switch.client("app", "p2", f"--ip 10.0.0.2/24 kernel --fast-udp 7 --netns {namespace}")
    guest_switch.ping("10.0.0.2")
    assert guest.run(exchange("udp", "10.0.0.2", 7)) == "hello"
    guest.start("tcp", f"ip netns exec {namespace} socat TCP-LISTEN:80 SYSTEM:'head -c 5'")
    guest.wait(f"ip netns exec {namespace} ss -Hltn | grep -q :80")
    assert guest.run(exchange("tcp", "10.0.0.2", 80)) == "hello"
    report = guest_switch.report("app")
    assert report["kernel"]["backend"] == "vhost-net"
    assert report["fast"]["frames"] == 1
    assert report["from_kernel"]["frames"] > 5


def exchange(protocol: str, address: str, port: int) -> str:
    """Sends a word and prints what comes back."""
    script = f"exec 3<>/dev/{protocol}/{address}/{port}; printf hello >&3; head -c 5 <&3"
    return f"bash -c '{script}'"


@pytest.mark.parametrize("queues", [1, 2])
def test_virtio_user_as_exceptional_path(
    guest_switch: SwitchInGuest, host_port: dict[str, Any], namespace: str, queues: int
) -> None:
    """The published plan: one kernel thread a queue, and iperf in both directions."""
    guest_switch.add_kernel_port(
        "peer0", "10.0.0.7/24", "--backend", "vhost-net", "--netns", namespace,
        "--queues", str(queues),
    )
    assert guest_switch.threads("peer0") == queues
    guest_switch.ping("10.0.0.254", namespace)
    assert guest_switch.iperf("10.0.0.254", namespace) > 1
    assert guest_switch.iperf("10.0.0.254", namespace, "--reverse") > 1
    guest_switch.ctl("del-port", "peer0")

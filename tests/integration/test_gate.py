# SPDX-License-Identifier: BSD-3-Clause
"""The gate: whatever a frontend says wrongly costs its own port, in words, and nobody else."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import struct
import sys
import termios
import time
from itertools import product
from typing import Optional

import pytest
from hostile import (
    Bystanders, Say, carry_on, heals, is_free, must_fault, open_descriptors, paused, raw,
    say_and_swallow, victims,
)
from support import RawFrontend, Setup, Switch, wait_until
from support.messages import (
    HEADER, NEED_REPLY, NO_FD, REPLY, VERSION, Disconnected, Feature, ProtocolFeature, Request,
    message, u64, vring_addr, vring_state,
)
from support.station import Station

MESSAGE_LIMIT_S = 1.0  # for a message that was begun

# What is wrong with the bytes themselves.

FRAMING: dict[str, tuple[Say, str]] = {
    "version-0": (raw(Request.GET_FEATURES, flags=0), "version"),
    "version-2": (raw(Request.GET_FEATURES, flags=2), "version"),
    "version-3": (raw(Request.GET_FEATURES, flags=3), "version"),
    "reply-flag": (raw(Request.GET_FEATURES, flags=VERSION | REPLY), "reply"),
    "size-huge": (
        lambda f: f.send_raw(HEADER.pack(Request.SET_FEATURES, VERSION, 0xFFFFFFFF)),
        "payload|bytes|size|long",
    ),
    "size-over-any": (
        lambda f: f.send_raw(HEADER.pack(77, VERSION, 1 << 20)), "payload|bytes|size|long"
    ),
}


@pytest.mark.parametrize("say, words", FRAMING.values(), ids=FRAMING.keys())
def test_header_is_wrong(switch: Switch, bystanders: Bystanders, say: Say, words: str) -> None:
    with RawFrontend(switch.path("v")) as frontend:
        must_fault(switch, bystanders, frontend, say, words)


PAYLOADS = {
    Request.SET_FEATURES: 8, Request.SET_PROTOCOL_FEATURES: 8, Request.SET_VRING_NUM: 8,
    Request.SET_VRING_ADDR: 40, Request.SET_VRING_BASE: 8, Request.GET_VRING_BASE: 8,
    Request.SET_VRING_KICK: 8, Request.SET_VRING_CALL: 8, Request.SET_VRING_ERR: 8,
    Request.SET_VRING_ENABLE: 8, Request.SEND_RARP: 8, Request.NET_SET_MTU: 8,
    Request.SET_STATUS: 8, Request.GET_FEATURES: 0, Request.SET_OWNER: 0,
    Request.GET_PROTOCOL_FEATURES: 0, Request.GET_QUEUE_NUM: 0, Request.GET_STATUS: 0,
}


@pytest.mark.parametrize("change", [-8, -1, 1, 4, 8, 100])
def test_payload_of_the_wrong_size(
    switch: Switch, bystanders: Bystanders, change: int
) -> None:
    """Each request with a payload that is not its own size; the port heals each time."""
    for port, (request, right) in zip(victims(switch, len(PAYLOADS)), PAYLOADS.items()):
        if right + change < 0:
            continue
        with RawFrontend(switch.path(port)) as frontend:
            frontend.handshake()
            frontend.send_raw(message(request, bytes(right + change)))
            frontend.wait_closed()
        fault = switch.wait_state(port, "fault")["fault"]["text"]
        assert request.name in fault, fault
        assert re.search(r"\d+ bytes|size|payload", fault), fault
        heals(switch, bystanders, port)


@pytest.mark.parametrize("cut", [1, 4, 11, 12, 13, 19])
def test_half_a_message(switch: Switch, bystanders: Bystanders, cut: int) -> None:
    """A message that stays half for a second ends its session; others are served meanwhile."""
    whole = message(Request.SET_FEATURES, u64(0))
    with RawFrontend(switch.path("v")) as frontend:
        frontend.send_raw(whole[:cut])
        carry_on(bystanders)
        switch.add_port("z")
        with RawFrontend(switch.path("z")) as other:
            other.handshake()
            switch.wait_state("z", "up")
            assert frontend.is_silent()
        must_fault(switch, bystanders, frontend, lambda f: None, "half|incomplete|whole|second")


def test_message_in_single_bytes(switch: Switch, bystanders: Bystanders) -> None:
    """A slow frontend is none that breaks a rule."""
    with RawFrontend(switch.path("v")) as frontend:
        for byte in message(Request.GET_FEATURES):
            frontend.send_raw(bytes([byte]))
        (features,) = struct.unpack("<Q", frontend.receive_reply(Request.GET_FEATURES))
        assert features >> Feature.VERSION_1 & 1
        frontend.handshake()
        switch.wait_state("v", "up")


def test_a_stopped_switch_blames_nobody(switch: Switch, bystanders: Bystanders) -> None:
    """It takes the rest of a message that came in time, however late it goes on itself."""
    whole = message(Request.GET_FEATURES)
    with RawFrontend(switch.path("v")) as frontend:
        frontend.send_raw(whole[:7])
        wait_until("the switch has read the first half", lambda: unread(frontend.socket) == 0)
        with paused(switch):
            frontend.send_raw(whole[7:])
            time.sleep(MESSAGE_LIMIT_S + 0.2)
        (features,) = struct.unpack("<Q", frontend.receive_reply(Request.GET_FEATURES))
        assert features >> Feature.VERSION_1 & 1
        frontend.handshake()
        switch.wait_state("v", "up")
    carry_on(bystanders)


def unread(connection: socket.socket) -> int:
    """Bytes that the other end has not read yet, and what the kernel has around them."""
    return int.from_bytes(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)), sys.byteorder)


def test_messages_in_one_write(switch: Switch, bystanders: Bystanders) -> None:
    with RawFrontend(switch.path("v")) as frontend:
        frontend.send_raw(message(Request.SET_OWNER) + message(Request.GET_FEATURES) * 3)
        answers = {frontend.receive_reply(Request.GET_FEATURES) for _ in range(3)}
        assert len(answers) == 1


def test_leaving_within_a_message_is_no_loss(switch: Switch, bystanders: Bystanders) -> None:
    for cut in range(1, 19):
        with RawFrontend(switch.path("v")) as frontend:
            frontend.send_raw(message(Request.SET_FEATURES, u64(0))[:cut])
        wait_until("the port is free", lambda: is_free(switch))
    heals(switch, bystanders)


# Requests that a frontend may not make, or that ask for what the switch has not.

FORBIDDEN = [
    Request.SET_LOG_BASE, Request.SET_LOG_FD, Request.SET_BACKEND_REQ_FD, Request.IOTLB_MSG,
    Request.SET_VRING_ENDIAN, Request.GET_CONFIG, Request.SET_CONFIG,
    Request.CREATE_CRYPTO_SESSION, Request.CLOSE_CRYPTO_SESSION, Request.POSTCOPY_ADVISE,
    Request.POSTCOPY_LISTEN, Request.POSTCOPY_END, Request.GET_INFLIGHT_FD,
    Request.SET_INFLIGHT_FD, Request.GPU_SET_SOCKET, Request.RESET_DEVICE, Request.VRING_KICK,
    Request.GET_MAX_MEM_SLOTS, Request.ADD_MEM_REG, Request.REM_MEM_REG,
]


@pytest.mark.parametrize("request_number", [*FORBIDDEN, 0, 41, 99, 0x5EED, 0xFFFFFFFF])
@pytest.mark.parametrize("flags", [VERSION, VERSION | NEED_REPLY], ids=["plain", "need-reply"])
def test_request_that_is_not_served(
    switch: Switch, bystanders: Bystanders, request_number: int, flags: int
) -> None:
    """A negative answer or the end of the session, and never an effect."""
    with RawFrontend(switch.path("v")) as frontend:
        frontend.handshake()
        switch.wait_state("v", "up")
        before = open_descriptors(switch)
        frontend.send_raw(message(request_number, bytes(24), flags), [frontend.memory.fds[0]])
        answer = answer_or_end(frontend, request_number)
        if answer is None:
            switch.wait_state("v", "fault")
        else:
            assert answer != bytes(8)
            wait_until("no descriptor is lost", lambda: open_descriptors(switch) <= before)
            assert switch.port("v")["state"] == "up"
    wait_until("the port is free", lambda: is_free(switch))
    heals(switch, bystanders)


def answer_or_end(frontend: RawFrontend, request: int) -> Optional[bytes]:
    """The payload of the answer, None when the connection ended instead."""
    try:
        header, fds = frontend.receive_raw(HEADER.size)
    except Disconnected:
        return None
    assert not fds, "the switch gave a descriptor away"
    answered, flags, size = HEADER.unpack(header)
    assert (answered, flags & REPLY) == (request, REPLY)
    return frontend.receive_raw(int(size))[0]


# Indices, sizes, addresses, states: with rings up.

def ring_messages(index: int) -> dict[str, Say]:
    return {
        "num": raw(Request.SET_VRING_NUM, vring_state(index, 256)),
        "base": raw(Request.SET_VRING_BASE, vring_state(index, 0)),
        "get-base": raw(Request.GET_VRING_BASE, vring_state(index, 0)),
        "enable": raw(Request.SET_VRING_ENABLE, vring_state(index, 1)),
        "addr": raw(Request.SET_VRING_ADDR, vring_addr(index, 0, 0, 0, 0)),
        "kick": raw(Request.SET_VRING_KICK, u64(index & 0xFF | index >> 8 << 9), fds=1),
        "call": raw(Request.SET_VRING_CALL, u64(index & 0xFF | index >> 8 << 9), fds=1),
        "err": raw(Request.SET_VRING_ERR, u64(index & 0xFF | index >> 8 << 9), fds=1),
    }


@pytest.mark.parametrize("index", [2, 3, 255, 256, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_ring_that_does_not_exist(
    switch: Switch, bystanders: Bystanders, index: int
) -> None:
    counts = []
    sayings = ring_messages(index).values()
    for port, say in zip(victims(switch, len(sayings)), sayings):
        with RawFrontend(switch.path(port)) as frontend:
            frontend.handshake()
            must_fault(switch, bystanders, frontend, say, "ring|index", port)
        wait_until("the port is free", lambda: is_free(switch, port))
        counts.append(open_descriptors(switch))
    wait_until("no descriptor is lost", lambda: open_descriptors(switch) <= counts[0])


STATES: dict[str, tuple[Say, str]] = {
    "num-0": (raw(Request.SET_VRING_NUM, vring_state(0, 0)), "size|0"),
    "num-1": (raw(Request.SET_VRING_NUM, vring_state(0, 1)), "size|1"),
    "num-3": (raw(Request.SET_VRING_NUM, vring_state(0, 3)), "power of two"),
    "num-257": (raw(Request.SET_VRING_NUM, vring_state(1, 257)), "power of two"),
    "num-65536": (raw(Request.SET_VRING_NUM, vring_state(1, 65536)), "65536|32768"),
    "num-max": (raw(Request.SET_VRING_NUM, vring_state(1, 0xFFFFFFFF)), "4294967295|32768"),
    "base-65536": (raw(Request.SET_VRING_BASE, vring_state(0, 65536)), "base|65536"),
    "enable-2": (raw(Request.SET_VRING_ENABLE, vring_state(0, 2)), "enable|2"),
    "feature-not-offered": (raw(Request.SET_FEATURES, u64(1 << Feature.RING_PACKED)), "feature"),
    "feature-63": (raw(Request.SET_FEATURES, u64(1 << 63)), "feature"),
    "features-while-running": (
        lambda f: f.send_raw(
            message(Request.SET_FEATURES, u64(f.features & ~(1 << Feature.MRG_RXBUF)))
        ),
        "feature|running|ring",
    ),
    "protocol-feature-not-offered": (
        raw(Request.SET_PROTOCOL_FEATURES, u64(1 << ProtocolFeature.INFLIGHT_SHMFD)), "feature"
    ),
    "mtu-67": (raw(Request.NET_SET_MTU, u64(67)), "MTU"),
    "mtu-65536": (raw(Request.NET_SET_MTU, u64(65536)), "MTU"),
    "kick-without-descriptor": (raw(Request.SET_VRING_KICK, u64(0)), "descriptor|eventfd"),
    "kick-with-two": (raw(Request.SET_VRING_KICK, u64(0), fds=2), "descriptor|eventfd"),
    "kick-with-and-without": (raw(Request.SET_VRING_KICK, u64(NO_FD), fds=1), "descriptor"),
    "call-without-descriptor": (raw(Request.SET_VRING_CALL, u64(0)), "descriptor|eventfd"),
    "features-with-descriptor": (
        lambda f: f.send_raw(message(Request.SET_FEATURES, u64(f.features)), [f.memory.fds[0]]),
        "descriptor",
    ),
}


@pytest.mark.parametrize("say, words", STATES.values(), ids=STATES.keys())
def test_value_out_of_range(switch: Switch, bystanders: Bystanders, say: Say, words: str) -> None:
    with RawFrontend(switch.path("v")) as frontend:
        frontend.handshake()
        switch.wait_state("v", "up")
        must_fault(switch, bystanders, frontend, say, words)


EARLY: dict[str, Say] = {
    "num": raw(Request.SET_VRING_NUM, vring_state(0, 256)),
    "base": raw(Request.SET_VRING_BASE, vring_state(0, 0)),
    "addr": raw(Request.SET_VRING_ADDR, vring_addr(0, 0, 0, 0, 0)),
}


@pytest.mark.parametrize("say", EARLY.values(), ids=EARLY.keys())
def test_ring_before_memory(switch: Switch, bystanders: Bystanders, say: Say) -> None:
    with RawFrontend(switch.path("v")) as frontend:
        frontend.negotiate()
        must_fault(switch, bystanders, frontend, say, "memory table")


def test_what_may_come_at_any_time(switch: Switch, bystanders: Bystanders) -> None:
    """CALL, ERR and ENABLE before anything else, as virtio_user and QEMU send them."""
    with RawFrontend(switch.path("v")) as frontend:
        for index in (0, 1):
            frontend.set_vring_call(index, frontend.rings[index].call_fd)
            frontend.set_vring_err(index, None)
        frontend.negotiate()
        for index in (0, 1):
            frontend.set_vring_enable(index, True)
        assert "memory table" in switch.wait_state("v", "negotiating")["state_text"]
        frontend.share_memory()
        frontend.fill_rx()
        for index in (0, 1):
            frontend.start_ring(index)
        switch.wait_state("v", "up")
        victim = Station("v", "02:00:00:00:0e:0e", frontend)
        victim.announce(*bystanders)


def test_kinds_of_descriptors(switch: Switch, bystanders: Bystanders) -> None:
    """Kick and call must be eventfds: anything else could block or spin."""
    pipe_r, pipe_w = os.pipe()
    left, right = socket.socketpair()
    null = os.open("/dev/null", os.O_RDWR)
    memfd = os.memfd_create("no-eventfd")
    cases = product(
        (pipe_r, pipe_w, left.fileno(), null, memfd),
        (Request.SET_VRING_KICK, Request.SET_VRING_CALL),
    )
    try:
        for port, (fd, request) in zip(victims(switch, 10), cases):
            with RawFrontend(switch.path(port)) as frontend:
                frontend.handshake()
                must_fault(
                    switch, bystanders, frontend,
                    lambda f: f.send_raw(message(request, u64(1)), [fd]), "eventfd", port,
                )
    finally:
        for fd in (pipe_r, pipe_w, null, memfd):
            os.close(fd)
        left.close()
        right.close()


@pytest.mark.parametrize("count", [9, 64, 253])
def test_too_many_descriptors(switch: Switch, bystanders: Bystanders, count: int) -> None:
    before = open_descriptors(switch)
    with RawFrontend(switch.path("v")) as frontend:
        must_fault(
            switch, bystanders, frontend, raw(Request.SET_VRING_CALL, u64(0), fds=count),
            "descriptor",
        )
    wait_until("no descriptor is lost", lambda: open_descriptors(switch) <= before)


# Floods and crowds.

def test_replies_that_nobody_reads(switch: Switch, bystanders: Bystanders) -> None:
    with RawFrontend(switch.path("v")) as frontend:
        ended = False
        for _ in range(20000):
            try:
                frontend.socket.setblocking(False)
                frontend.socket.send(message(Request.GET_FEATURES))
            except BlockingIOError:
                break
            except (BrokenPipeError, ConnectionResetError):
                ended = True
                break
        carry_on(bystanders)
        assert ended or switch.port("v")["state"] in ("negotiating", "fault")
    wait_until("the port is free", lambda: is_free(switch))
    heals(switch, bystanders)


def test_storm_of_messages_loses_no_descriptor(switch: Switch, bystanders: Bystanders) -> None:
    with RawFrontend(switch.path("v")) as frontend:
        frontend.handshake()
        switch.wait_state("v", "up")
        before = open_descriptors(switch)
        for _ in range(300):
            frontend.set_vring_call(0, frontend.rx.call_fd)
            frontend.set_vring_err(1, frontend.rx.call_fd)
            frontend.share_memory()
        carry_on(bystanders)
        wait_until("no descriptor is lost", lambda: open_descriptors(switch) <= before + 2)
        switch.wait_state("v", "up")


def test_storm_of_connections(switch: Switch, bystanders: Bystanders) -> None:
    heals(switch, bystanders)
    wait_until("the port is free", lambda: is_free(switch))
    before = open_descriptors(switch)
    for round_number in range(200):
        with RawFrontend(switch.path("v")) as frontend:
            if round_number % 3 == 0:
                say_and_swallow(frontend, RawFrontend.negotiate)
            elif round_number % 3 == 1:
                frontend.send_raw(b"\x01")
    carry_on(bystanders)
    wait_until("no descriptor is lost", lambda: open_descriptors(switch) <= before)
    wait_until("the port is free", lambda: is_free(switch))
    heals(switch, bystanders)


def test_second_connection_is_turned_away(switch: Switch, bystanders: Bystanders) -> None:
    with RawFrontend(switch.path("v")) as first:
        first.handshake()
        switch.wait_state("v", "up")
        for number in range(1, 4):
            with RawFrontend(switch.path("v")) as second:
                second.wait_closed()
            wait_until(
                "it is counted", lambda: rejected(switch) == number
            )
        victim = Station("v", "02:00:00:00:0e:0e", first)
        victim.announce(*bystanders)
        assert switch.port("v")["fault"] is None
    wait_until("the port is free", lambda: is_free(switch))
    heals(switch, bystanders)


def rejected(switch: Switch) -> int:
    count: int = switch.port("v")["rejected_connections"]
    return count


def test_gate_speaks_the_protocol(switch: Switch, bystanders: Bystanders) -> None:
    with RawFrontend(switch.path("v")) as frontend:
        frontend.negotiate()
        offered = frontend.get_protocol_features()
        must = (ProtocolFeature.MQ, ProtocolFeature.REPLY_ACK, ProtocolFeature.NET_MTU)
        assert all(offered >> bit & 1 for bit in must)
        must_not = (
            ProtocolFeature.INFLIGHT_SHMFD, ProtocolFeature.PAGEFAULT, ProtocolFeature.CONFIG,
            ProtocolFeature.CRYPTO_SESSION, ProtocolFeature.BACKEND_REQ, ProtocolFeature.LOG_SHMFD,
        )
        assert not any(offered >> bit & 1 for bit in must_not)
        assert frontend.get_queue_num() == 1
        frontend.net_set_mtu(1500)
        if offered >> ProtocolFeature.STATUS & 1:
            frontend.set_status(0xF)
            assert frontend.get_status() == 0xF
        frontend.reset_owner()
        frontend.handshake()
        switch.wait_state("v", "up")


def test_rarp_moves_a_station(switch: Switch, bystanders: Bystanders) -> None:
    """SEND_RARP tells where a migrated guest now is, to the switch and to all behind it."""
    x, _ = bystanders
    with RawFrontend(switch.path("v")) as frontend:
        frontend.handshake()
        switch.wait_state("v", "up")
        victim = Station("v", "02:00:00:00:0e:0e", frontend)
        frontend.send_rarp(bytes.fromhex("020000000e0e"))
        wait_until("it is learned", lambda: switch.fdb().get(victim.mac) == "v")
        for other in bystanders:
            assert receive_from(other, victim.mac) == reverse_arp_request(victim.mac)
        victim.expect(x.send(victim))
        assert switch.conservation()


def receive_from(station: Station, mac: str) -> bytes:
    """The next frame of this sender."""
    while True:
        frame = station.frontend.receive().frame
        if frame[6:12].hex(":") == mac:
            return frame


def reverse_arp_request(mac: str) -> bytes:
    """RFC 903: for its own address, to all."""
    own = bytes.fromhex(mac.replace(":", ""))
    frame = b"\xff" * 6 + own + bytes.fromhex("8035 0001 0800 06 04 0003")
    return (frame + own + bytes(4) + own + bytes(4)).ljust(60, b"\0")


def test_two_good_setups_after_another(switch: Switch, bystanders: Bystanders) -> None:
    """The offer of one connection leaves no trace in the next."""
    for setup in (Setup(legacy=True, mergeable=False), Setup(), Setup(in_order=True)):
        with RawFrontend(switch.path("v"), setup) as frontend:
            frontend.handshake()
            switch.wait_state("v", "up")
            victim = Station("v", "02:00:00:00:0e:0e", frontend)
            victim.announce(*bystanders)
            victim.expect(bystanders[0].send(victim))
        wait_until("the port is free", lambda: is_free(switch))

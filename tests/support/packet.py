# SPDX-License-Identifier: BSD-3-Clause
"""A station at a network interface: a packet socket that sees virtio-net headers, too.

With PACKET_VNET_HDR (packet(7)) every frame comes with what is left undone in it, and may go with
that: so a test sends and receives at the kernel's side of a port just what it does at a ring.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
import time
from types import TracebackType
from typing import NamedTuple

from support.frames import BROADCAST, mac_text
from support.segments import VnetHeader
from support.waiting import readable

SOL_PACKET = 263
PACKET_VNET_HDR = 15
ETH_P_ALL = 3
CLONE_NEWNET = 0x40000000
HEADER = 10
FRAME_MOST = 70000


class Seen(NamedTuple):
    frame: bytes
    header: VnetHeader


def open_in(netns: str) -> socket.socket:
    """A packet socket that belongs to a namespace; a thread enters that for it, and ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    made: list[socket.socket | OSError] = []

    def enter() -> None:
        fd = os.open(netns, os.O_RDONLY)
        try:
            if libc.setns(fd, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns", netns)
            made.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        except OSError as error:
            made.append(error)
        finally:
            os.close(fd)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    result = made[0]
    if isinstance(result, OSError):
        raise result
    return result


class PacketStation:
    """What stands behind an interface, in the place of its network stack's own addresses."""

    def __init__(self, netns: str, ifname: str, mac: str) -> None:
        self.mac = mac
        self._socket = open_in(netns)
        self._socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((ifname, ETH_P_ALL))

    def send_frame(self, data: bytes, header: VnetHeader = VnetHeader()) -> None:
        self._socket.send(header.pack(HEADER) + data)

    def receive(self, timeout: float = 5.0) -> Seen:
        """The next frame to this station or to all, of those that come in."""
        deadline = time.monotonic() + timeout
        while True:
            left = max(deadline - time.monotonic(), 0.0)
            if not readable(self._socket, left):
                raise TimeoutError(f"no frame for {self.mac} within {timeout:g} s")
            data, address = self._socket.recvfrom(FRAME_MOST)
            destination = mac_text(data[HEADER:HEADER + 6])
            if address[2] != socket.PACKET_OUTGOING and destination in (self.mac, BROADCAST):
                return Seen(data[HEADER:], VnetHeader.unpack(data))

    def __enter__(self) -> PacketStation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

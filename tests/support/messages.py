# SPDX-License-Identifier: BSD-3-Clause
"""vhost-user messages as a frontend sends them, each as a method, and any bytes besides.

The names are those of the vhost-user specification. Nothing here checks what it sends: a test
must be able to say anything.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from support.waiting import readable

VERSION = 0x1
REPLY = 0x4
NEED_REPLY = 0x8
NO_FD = 0x100  # "invalid FD" bit in the payload of SET_VRING_KICK, CALL and ERR

HEADER = struct.Struct("<III")


class Request(IntEnum):
    NONE = 0
    GET_FEATURES = 1
    SET_FEATURES = 2
    SET_OWNER = 3
    RESET_OWNER = 4
    SET_MEM_TABLE = 5
    SET_LOG_BASE = 6
    SET_LOG_FD = 7
    SET_VRING_NUM = 8
    SET_VRING_ADDR = 9
    SET_VRING_BASE = 10
    GET_VRING_BASE = 11
    SET_VRING_KICK = 12
    SET_VRING_CALL = 13
    SET_VRING_ERR = 14
    GET_PROTOCOL_FEATURES = 15
    SET_PROTOCOL_FEATURES = 16
    GET_QUEUE_NUM = 17
    SET_VRING_ENABLE = 18
    SEND_RARP = 19
    NET_SET_MTU = 20
    SET_BACKEND_REQ_FD = 21
    IOTLB_MSG = 22
    SET_VRING_ENDIAN = 23
    GET_CONFIG = 24
    SET_CONFIG = 25
    CREATE_CRYPTO_SESSION = 26
    CLOSE_CRYPTO_SESSION = 27
    POSTCOPY_ADVISE = 28
    POSTCOPY_LISTEN = 29
    POSTCOPY_END = 30
    GET_INFLIGHT_FD = 31
    SET_INFLIGHT_FD = 32
    GPU_SET_SOCKET = 33
    RESET_DEVICE = 34
    VRING_KICK = 35
    GET_MAX_MEM_SLOTS = 36
    ADD_MEM_REG = 37
    REM_MEM_REG = 38
    SET_STATUS = 39
    GET_STATUS = 40


class Feature(IntEnum):
    """Bit numbers of virtio-net and vhost features."""

    CSUM = 0
    GUEST_CSUM = 1
    MTU = 3
    MAC = 5
    GUEST_TSO4 = 7
    GUEST_TSO6 = 8
    GUEST_ECN = 9
    HOST_TSO4 = 11
    HOST_TSO6 = 12
    HOST_ECN = 13
    MRG_RXBUF = 15
    STATUS = 16
    CTRL_VQ = 17
    GUEST_ANNOUNCE = 21
    MQ = 22
    LOG_ALL = 26
    ANY_LAYOUT = 27
    INDIRECT_DESC = 28
    EVENT_IDX = 29
    PROTOCOL_FEATURES = 30
    VERSION_1 = 32
    IOMMU_PLATFORM = 33
    RING_PACKED = 34
    IN_ORDER = 35


class ProtocolFeature(IntEnum):
    """Bit numbers of protocol features."""

    MQ = 0
    LOG_SHMFD = 1
    RARP = 2
    REPLY_ACK = 3
    NET_MTU = 4
    BACKEND_REQ = 5
    CRYPTO_SESSION = 7
    PAGEFAULT = 8
    CONFIG = 9
    BACKEND_SEND_FD = 10
    HOST_NOTIFIER = 11
    INFLIGHT_SHMFD = 12
    RESET_DEVICE = 13
    INBAND_NOTIFICATIONS = 14
    CONFIGURE_MEM_SLOTS = 15
    STATUS = 16


class TableEntry(NamedTuple):
    """One region of SET_MEM_TABLE."""

    guest_phys_addr: int
    size: int
    userspace_addr: int
    mmap_offset: int


class Refused(Exception):
    """The backend answered a NEED_REPLY message with a status that is not 0."""


class Disconnected(Exception):
    """The backend closed the connection."""


def bits(numbers: Iterable[int]) -> int:
    mask = 0
    for number in numbers:
        mask |= 1 << number
    return mask


def message(request: int, payload: bytes = b"", flags: int = VERSION) -> bytes:
    return HEADER.pack(request, flags, len(payload)) + payload


def u64(value: int) -> bytes:
    return struct.pack("<Q", value & 0xFFFFFFFFFFFFFFFF)


def vring_state(index: int, value: int) -> bytes:
    return struct.pack("<II", index, value)


def vring_addr(
    index: int, flags: int, descriptor: int, used: int, available: int, log: int = 0
) -> bytes:
    return struct.pack("<IIQQQQ", index, flags, descriptor, used, available, log)


def mem_table(entries: Sequence[TableEntry], number: int | None = None) -> bytes:
    """`number` is what the payload claims, when it is not the number of entries."""
    head = struct.pack("<II", len(entries) if number is None else number, 0)
    return head + b"".join(struct.pack("<QQQQ", *entry) for entry in entries)


class Channel:
    """The frontend's end of one vhost-user connection."""

    def __init__(self, connection: socket.socket, timeout: float = 10.0) -> None:
        self.socket = connection
        self.timeout = timeout
        self.socket.settimeout(timeout)
        self.reply_ack = False  # ask for a reply to each request that has none of its own

    @staticmethod
    def connect(path: Path, timeout: float = 10.0) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        try:
            connection.connect(str(path))
        except OSError:
            connection.close()
            raise
        return connection

    @staticmethod
    def listen(path: Path) -> socket.socket:
        """A socket that waits for the backend: what QEMU calls `server=on`."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen(1)
        return listener

    # Bytes.

    def send_raw(self, data: bytes, fds: Sequence[int] = ()) -> None:
        try:
            if fds:
                sent = socket.send_fds(self.socket, [data], list(fds))
                data = data[sent:]
            if data:
                self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Disconnected(str(error)) from None

    def receive_raw(self, size: int) -> tuple[bytes, list[int]]:
        """Exactly `size` bytes, and the descriptors that came with them."""
        data, fds = b"", []
        while len(data) < size:
            try:
                part, part_fds, _, _ = socket.recv_fds(self.socket, size - len(data), 8)
            except ConnectionResetError as error:
                raise Disconnected(str(error)) from None
            if not part:
                raise Disconnected("the backend closed the connection")
            data += part
            fds += part_fds
        return data, fds

    def receive_reply(self, request: int) -> bytes:
        """The payload of the next message, which must be the reply to `request`."""
        header, fds = self.receive_raw(HEADER.size)
        for fd in fds:
            os.close(fd)
        answered, flags, size = HEADER.unpack(header)
        assert answered == request, f"reply to {answered}, not to {Request(request).name}"
        assert flags & (REPLY | 0x3) == REPLY | VERSION, f"the reply has flags {flags:#x}"
        return self.receive_raw(size)[0] if size else b""

    def wait_closed(self, timeout: float = 10.0) -> None:
        """Returns when the backend has closed the connection; what it sent before is dropped."""
        self.socket.settimeout(timeout)
        try:
            while self.socket.recv(4096):
                pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            raise AssertionError(f"the backend keeps the connection after {timeout:g} s") from None
        finally:
            self.socket.settimeout(self.timeout)

    def is_silent(self) -> bool:
        """Whether nothing, not even an end, is there to be read."""
        return not readable(self.socket, 0)

    # Requests.

    def request(
        self,
        request: int,
        payload: bytes = b"",
        fds: Sequence[int] = (),
        need_reply: bool | None = None,
    ) -> None:
        """Sends a request that has no reply of its own.

        With `need_reply` (default: `reply_ack`) waits for the answer; Refused if it is not 0.
        """
        ask = self.reply_ack if need_reply is None else need_reply
        self.send_raw(message(request, payload, VERSION | (NEED_REPLY if ask else 0)), fds)
        if ask:
            (status,) = struct.unpack("<Q", self.receive_reply(request))
            if status:
                raise Refused(f"{Request(request).name} was answered with {status}")

    def query(self, request: int, payload: bytes = b"") -> bytes:
        """Sends a request that has a reply of its own; returns the reply's payload."""
        self.send_raw(message(request, payload))
        return self.receive_reply(request)

    def query_u64(self, request: int) -> int:
        value: int = struct.unpack("<Q", self.query(request))[0]
        return value

    def get_features(self) -> int:
        return self.query_u64(Request.GET_FEATURES)

    def set_features(self, features: int) -> None:
        self.request(Request.SET_FEATURES, u64(features))

    def get_protocol_features(self) -> int:
        return self.query_u64(Request.GET_PROTOCOL_FEATURES)

    def set_protocol_features(self, features: int) -> None:
        self.request(Request.SET_PROTOCOL_FEATURES, u64(features))

    def set_owner(self) -> None:
        self.request(Request.SET_OWNER)

    def reset_owner(self) -> None:
        self.request(Request.RESET_OWNER)

    def get_queue_num(self) -> int:
        return self.query_u64(Request.GET_QUEUE_NUM)

    def set_mem_table(
        self, entries: Sequence[TableEntry], fds: Sequence[int], number: int | None = None
    ) -> None:
        self.request(Request.SET_MEM_TABLE, mem_table(entries, number), fds)

    def set_log_base(self, size: int, offset: int, fd: int) -> None:
        self.request(Request.SET_LOG_BASE, struct.pack("<QQ", size, offset), [fd])

    def set_log_fd(self, fd: int) -> None:
        self.request(Request.SET_LOG_FD, b"", [fd])

    def set_vring_num(self, index: int, size: int) -> None:
        self.request(Request.SET_VRING_NUM, vring_state(index, size))

    def set_vring_base(self, index: int, base: int) -> None:
        self.request(Request.SET_VRING_BASE, vring_state(index, base))

    def get_vring_base(self, index: int) -> int:
        """Stops the ring; returns the index of the next chain to be taken."""
        reply = self.query(Request.GET_VRING_BASE, vring_state(index, 0))
        answered, base = struct.unpack("<II", reply)
        assert answered == index, f"GET_VRING_BASE answered for ring {answered}, not {index}"
        return int(base)

    def set_vring_addr(
        self, index: int, descriptor: int, used: int, available: int, flags: int = 0, log: int = 0
    ) -> None:
        """Addresses in the frontend's own address space (userspace_addr of the regions)."""
        payload = vring_addr(index, flags, descriptor, used, available, log)
        self.request(Request.SET_VRING_ADDR, payload)

    def set_vring_kick(self, index: int, fd: int | None) -> None:
        self._set_vring_fd(Request.SET_VRING_KICK, index, fd)

    def set_vring_call(self, index: int, fd: int | None) -> None:
        self._set_vring_fd(Request.SET_VRING_CALL, index, fd)

    def set_vring_err(self, index: int, fd: int | None) -> None:
        self._set_vring_fd(Request.SET_VRING_ERR, index, fd)

    def _set_vring_fd(self, request: Request, index: int, fd: int | None) -> None:
        if fd is None:
            self.request(request, u64(index | NO_FD))
        else:
            self.request(request, u64(index), [fd])

    def set_vring_enable(self, index: int, enable: bool) -> None:
        self.request(Request.SET_VRING_ENABLE, vring_state(index, int(enable)))

    def send_rarp(self, mac: bytes) -> None:
        self.request(Request.SEND_RARP, u64(int.from_bytes(mac, "little")))

    def net_set_mtu(self, mtu: int) -> None:
        self.request(Request.NET_SET_MTU, u64(mtu))

    def set_backend_req_fd(self, fd: int) -> None:
        self.request(Request.SET_BACKEND_REQ_FD, b"", [fd])

    def iotlb_msg(self, payload: bytes) -> None:
        self.request(Request.IOTLB_MSG, payload)

    def get_config(self, payload: bytes) -> bytes:
        return self.query(Request.GET_CONFIG, payload)

    def set_config(self, payload: bytes) -> None:
        self.request(Request.SET_CONFIG, payload)

    def postcopy_advise(self) -> bytes:
        return self.query(Request.POSTCOPY_ADVISE)

    def get_inflight_fd(self, payload: bytes) -> bytes:
        return self.query(Request.GET_INFLIGHT_FD, payload)

    def set_inflight_fd(self, payload: bytes, fd: int) -> None:
        self.request(Request.SET_INFLIGHT_FD, payload, [fd])

    def reset_device(self) -> None:
        self.request(Request.RESET_DEVICE)

    def get_max_mem_slots(self) -> int:
        return self.query_u64(Request.GET_MAX_MEM_SLOTS)

    def add_mem_reg(self, entry: TableEntry, fd: int) -> None:
        self.request(Request.ADD_MEM_REG, struct.pack("<QQQQQ", 0, *entry), [fd])

    def rem_mem_reg(self, entry: TableEntry) -> None:
        self.request(Request.REM_MEM_REG, struct.pack("<QQQQQ", 0, *entry))

    def set_status(self, status: int) -> None:
        self.request(Request.SET_STATUS, u64(status))

    def get_status(self) -> int:
        return self.query_u64(Request.GET_STATUS)

# SPDX-License-Identifier: BSD-3-Clause
"""Descriptors whose close() lasts: sockets that linger, and files whose file system does not answer."""

from __future__ import annotations

import array
import ctypes
import os
import select
import socket
import struct
import threading
from pathlib import Path
from typing import Iterator, Optional, Sequence, Type, TypeVar

import pytest

LINGER_S = 60  # what a close that waits takes; a test's limits are far below


class Lingering:
    """TCP sockets of this machine whose last close() waits LINGER_S for a peer that reads nothing."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=300)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self._peers: list[socket.socket] = []
        self._ports: set[int] = set()

    def make(self) -> socket.socket:
        near = socket.socket()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)
        near.connect(self._listener.getsockname())
        self._peers.append(self._listener.accept()[0])
        self._ports.add(near.getsockname()[1])
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LINGER_S))
        near.setblocking(False)
        try:
            while near.send(bytes(1 << 16)):
                pass
        except BlockingIOError:
            pass
        return near

    def make_nested(self) -> socket.socket:
        """A UNIX socket in which such a socket lies unread, within another one."""
        inner = self.make()
        for _ in range(2):
            left, right = socket.socketpair()
            with inner, right:
                socket.send_fds(right, [b"x"], [inner.fileno()])
            inner = left
        return inner

    def all_closed(self) -> bool:
        """Whether each of them has been closed altogether: the kernel knows no inode of it any more."""
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            local, inode = line.split()[1], line.split()[9]
            if int(local.split(":")[1], 16) in self._ports and inode != "0":
                return False
        return True

    def close(self) -> None:
        for peer in self._peers:
            peer.close()
        self._listener.close()


def give(connection: socket.socket, data: bytes, gifts: Sequence[socket.socket]) -> None:
    """Sends data with descriptors of which this process keeps none."""
    fds = array.array("i", [gift.fileno() for gift in gifts])
    connection.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    for gift in gifts:
        # ours is not the last one, so that closing it waits for nothing
        gift.close()


# The part of the FUSE protocol that a file needs which can be opened.
IN_HEADER = struct.Struct("<IIQQIIII")
OUT_HEADER = struct.Struct("<IiQ")
LOOKUP, FORGET, GETATTR, OPEN, RELEASE, FLUSH, INIT = 1, 2, 3, 14, 18, 25, 26
ENOSYS = 38


class SilentFiles:
    """A file system with one file; whoever else closes it waits until `let_go`."""

    def __init__(self, directory: Path) -> None:
        """PermissionError where one may not mount."""
        self.directory = directory
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        self._libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self._device},rootmode=40000,user_id=0,group_id=0"
        if self._libc.mount(b"silent", bytes(directory), b"fuse", 0, options.encode()):
            os.close(self._device)
            raise PermissionError(ctypes.get_errno(), "mount")
        self._lock = threading.Lock()
        self._held: Optional[list[int]] = []  # None: all are answered
        self._stop_r, self._stop_w = os.pipe()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def open(self) -> int:
        return os.open(self.directory / "file", os.O_RDONLY | os.O_CLOEXEC)

    def held(self) -> int:
        """Closes that wait."""
        with self._lock:
            return len(self._held or ())

    def let_go(self) -> None:
        with self._lock:
            held, self._held = self._held or [], None
        for unique in held:
            self._answer(unique)

    def close(self) -> None:
        self.let_go()
        self._libc.umount2(bytes(self.directory), 2)
        os.write(self._stop_w, b"x")
        self._thread.join()
        for fd in (self._device, self._stop_r, self._stop_w):
            os.close(fd)

    def _serve(self) -> None:
        while True:
            ready, _, _ = select.select([self._device, self._stop_r], [], [])
            if self._stop_r in ready:
                return
            try:
                request = os.read(self._device, 1 << 18)
            except OSError:
                return  # unmounted
            _, opcode, unique, node, _, _, pid, _ = IN_HEADER.unpack_from(request)
            self._handle(opcode, unique, node, pid)

    def _handle(self, opcode: int, unique: int, node: int, pid: int) -> None:
        if opcode == INIT:
            self._answer(unique, struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, 0))
        elif opcode == LOOKUP:
            self._answer(unique, struct.pack("<QQQQII", 2, 0, 0, 0, 0, 0) + self._attributes(2))
        elif opcode == GETATTR:
            self._answer(unique, struct.pack("<QII", 0, 0, 0) + self._attributes(node))
        elif opcode == OPEN:
            self._answer(unique, struct.pack("<QII", 0, 0, 0))
        elif opcode == FLUSH:
            self._flush(unique, pid)
        elif opcode == RELEASE:
            self._answer(unique)
        elif opcode != FORGET:
            self._answer(unique, error=-ENOSYS)

    def _flush(self, unique: int, pid: int) -> None:
        ours = str(pid) in os.listdir("/proc/self/task")
        with self._lock:
            if not ours and self._held is not None:
                self._held.append(unique)
                return
        self._answer(unique)

    @staticmethod
    def _attributes(node: int) -> bytes:
        mode = 0o40755 if node == 1 else 0o100644
        return struct.pack("<6Q10I", node, 0, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def _answer(self, unique: int, data: bytes = b"", error: int = 0) -> None:
        try:
            os.write(self._device, OUT_HEADER.pack(OUT_HEADER.size + len(data), error, unique) + data)
        except OSError:
            pass  # whoever asked is gone


class DeadFiles(SilentFiles):
    """The same, where whoever opens the file waits for ever, and no signal ends that."""

    def __init__(self, directory: Path) -> None:
        self.opened = threading.Event()
        self._closed = False
        super().__init__(directory)

    def close(self) -> None:
        """Whoever waits gets an error. May be called twice."""
        if not self._closed:
            super().close()
        self._closed = True

    def _handle(self, opcode: int, unique: int, node: int, pid: int) -> None:
        if opcode == OPEN:
            self.opened.set()
        else:
            super()._handle(opcode, unique, node, pid)


# Fixtures.

Files = TypeVar("Files", bound=SilentFiles)


def mounted(kind: Type[Files], directory: Path) -> Files:
    """Such files in a directory of their own; skips the test where one may not mount."""
    directory.mkdir()
    try:
        return kind(directory)
    except (PermissionError, FileNotFoundError):
        pytest.skip("needs /dev/fuse and the right to mount")


@pytest.fixture
def lingering() -> Iterator[Lingering]:
    sockets = Lingering()
    yield sockets
    sockets.close()


@pytest.fixture
def silent_files(workdir: Path) -> Iterator[SilentFiles]:
    files = mounted(SilentFiles, workdir / "silent")
    yield files
    files.close()


@pytest.fixture
def dead_files(workdir: Path) -> Iterator[DeadFiles]:
    files = mounted(DeadFiles, workdir / "dead")
    yield files
    files.close()

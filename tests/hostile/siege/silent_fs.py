# SPDX-License-Identifier: BSD-3-Clause
"""A file system whose server answers until a file is open, and from then on never again.

Reading such a file, and even closing it, waits for the server. It is mounted in a mount namespace of the
process's own, so it goes with the process; closing the server's end sets free whoever waits.
"""

from __future__ import annotations

import os
import struct
import threading
from pathlib import Path
from typing import Optional

from siege.floods import check, libc, mount, own_mounts

LOOKUP, FORGET, GETATTR, OPEN, INIT, BATCH_FORGET = 1, 2, 3, 14, 26, 42
NO_ANSWER = (FORGET, BATCH_FORGET)
REQUEST = struct.Struct("=IIQQIIII")
ROOT, FILE = 1, 2
DIRECTORY_MODE, FILE_MODE = 0o40755, 0o100666
SIZE = 1 << 20
DETACH = 2
DEVICE = "/dev/fuse"


def missing() -> Optional[str]:
    """What this machine lacks for it."""
    if os.geteuid() != 0:
        return "only root may mount"
    return None if os.path.exists(DEVICE) else f"there is no {DEVICE}"


def attributes(node: int) -> bytes:
    mode = DIRECTORY_MODE if node == ROOT else FILE_MODE
    return struct.pack("=6Q10I", node, SIZE, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(operation: int, node: int) -> Optional[bytes]:
    """The payload of the answer; None for silence."""
    if operation == INIT:
        return struct.pack("=IIIIHHIIHHI7I", 7, 31, 65536, 0, 12, 9, 65536, 1, 0, 0, 0, *[0] * 7)
    if operation == LOOKUP:
        return struct.pack("=QQQQII", FILE, 1, 60, 60, 0, 0) + attributes(FILE)
    if operation == GETATTR:
        return struct.pack("=QII", 60, 0, 0) + attributes(node)
    if operation == OPEN:
        return struct.pack("=QII", 1, 0, 0)
    return None


class SilentFileSystem:
    """Mounted at a directory of ours; `open` gives descriptors of its one file."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "file"
        self._device = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
        own_mounts()
        options = f"fd={self._device},rootmode=40000,user_id=0,group_id=0,allow_other"
        mount("fuse", directory, options)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        try:
            while True:
                data = os.read(self._device, 1 << 18)
                _, operation, unique, node, *_ = REQUEST.unpack_from(data)
                payload = answer(operation, node)
                if payload is not None:
                    head = struct.pack("=IiQ", 16 + len(payload), 0, unique)
                    os.write(self._device, head + payload)
        except OSError:
            return  # closed

    def open(self) -> int:
        return os.open(self._file, os.O_RDWR | os.O_CLOEXEC)

    def close(self) -> None:
        """Whoever waits for an answer gets an error."""
        os.close(self._device)
        check(libc.umount2(bytes(self._file.parent), DETACH))

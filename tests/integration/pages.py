# SPDX-License-Identifier: BSD-3-Clause
"""The commands of a page of documentation, and a bash that plays them."""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress
from pathlib import Path

from support import Registry
from support.process import Process, ProcessFailed, binary

ROOT = Path(__file__).parents[2]


def sections(page: str) -> dict[str, str]:
    """The text of a page by its headings of the second level; "" is what stands before them."""
    parts = re.split(r"^## (.+)$", (ROOT / page).read_text(), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2]))}


def blocks(text: str) -> list[str]:
    """The blocks of commands, which stand indented by four columns."""
    found = re.findall(r"(?:^(?:    .*)?\n)+", text, re.MULTILINE)
    stripped = [re.sub(r"^    ", "", block, flags=re.MULTILINE).strip() for block in found]
    return [block for block in stripped if block]


class Player:
    """Plays blocks of a page as they stand, but for the directory in which they work.

    Each block has a terminal of its own. Where root runs it, all that it starts ends with it.
    """

    def __init__(self, registry: Registry, page_directory: str, directory: Path) -> None:
        self.registry, self.directory = registry, directory
        self.page_directory = page_directory
        self.terminals: list[Process] = []
        programs = [str(binary(name).parent) for name in (
            "vswitch/vswitchd", "ctl/vswitchctl", "client/vuser-client")]
        self.env = {
            "PATH": ":".join([*programs, "/usr/bin:/bin:/usr/sbin:/sbin"]),
            "RUNTIME_DIRECTORY": str(directory), "XDG_RUNTIME_DIR": str(directory),
        }

    def start(self, name: str, block: str) -> Process:
        """Goes on with the programs of its background until close()."""
        script = f"set -e\n{block.replace(self.page_directory, str(self.directory))}\nwait"
        inside = ["/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--"]
        argv = [*(inside if os.geteuid() == 0 else []), "/bin/bash", "-c", script]
        self.terminals.append(self.registry.start(name, argv, self.env))
        return self.terminals[-1]

    def play(self, name: str, block: str, *statuses: int, timeout: float = 60.0) -> str:
        """Waits for the end of its programs; what they printed. 0 is the status, or another."""
        process = self.start(name, block)
        status = process.wait(timeout)
        assert status in (statuses or (0,)), process.report(f"left with status {status}")
        return process.out() + process.log()

    def close(self) -> None:
        for process in reversed(self.terminals):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with suppress(ProcessFailed):
                process.wait(10.0)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

# SPDX-License-Identifier: BSD-3-Clause
"""A virtual machine: QEMU, emulating, with this machine's own root as the guest's.

The guest sees every program that is installed here, and writes into a layer of its own that goes
with it. Commands go to an agent in it (`vm_init.sh`) over a virtio-serial port; nothing of it
depends on a network.
"""

from __future__ import annotations

import base64
import re
import shlex
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from support import vm_image
from support.process import Process, ProcessFailed, Registry
from support.waiting import wait_until

T = TypeVar("T")

QEMU = "/usr/bin/qemu-system-x86_64"
GUEST_MIB = 512  # a dozen cards' buffers take 200 of them
BOOT_LIMIT = 180.0
COMMAND_LIMIT = 120.0
KERNEL_COMMAND = (
    "console=ttyS0 loglevel=3 mitigations=off nokaslr random.trust_cpu=on ipv6.disable=1"
    " rcupdate.rcu_expedited=1"
)

# In a mount namespace that goes with QEMU: the host's root, and nothing that is mounted below it.
BIND_ROOT = 'mount --bind / "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'


@lru_cache(maxsize=None)
def reconnect() -> str:
    """The option to connect again each second, which QEMU 9.2 renamed, and 11 knows by no other name."""
    told = subprocess.run([QEMU, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = re.search(r"version (\d+)\.(\d+)", told)
    assert found is not None, told
    return "reconnect-ms=1000" if (int(found[1]), int(found[2])) >= (9, 2) else "reconnect=1"


@dataclass(frozen=True)
class Nic:
    """A virtio-net device on a vhost-user socket, which QEMU itself serves if `serves`.

    `properties` are the device's, as in `mrg_rxbuf=off,host_mtu=9000`. Without MSI-X (vectors=0):
    with it QEMU 7.2 crashes as soon as a driver starts a vhost-user device, where KVM is not used.
    """

    path: Path
    mac: str
    properties: str = ""
    serves: bool = False

    def arguments(self, number: int) -> list[str]:
        ends = "server=on,wait=off" if self.serves else reconnect()
        device = f"virtio-net-pci,netdev=net{number},mac={self.mac},vectors=0,romfile="
        return [
            "-chardev", f"socket,id=chr{number},path={self.path},{ends}",
            "-netdev", f"vhost-user,id=net{number},chardev=chr{number}",
            "-device", device + (f",{self.properties}" if self.properties else ""),
        ]


class Guest:
    """One virtual machine, with one CPU. `boot` starts it; it ends with its registry.

    `shares` are directories that the guest sees under their own names, for those that do not lie
    on the root file system. `memory` is in MiB.
    """

    def __init__(
        self,
        registry: Registry,
        name: str,
        nics: Sequence[Nic] = (),
        memory: int = GUEST_MIB,
        shares: Sequence[Path] = (),
    ) -> None:
        self.registry = registry
        self.name = name
        self.nics = nics
        self.memory = memory
        self.shares = shares
        self.directory = registry.directory / registry.unique(f"vm-{name}")
        self.root = self.directory / "root"
        self.root.mkdir(parents=True)
        self._agent: socket.socket | None = None
        self._input = b""
        self._requests = 0
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        assert self._process is not None, f"the guest {self.name} was not booted"
        return self._process

    @property
    def console(self) -> str:
        """What the guest's kernel and init script have said; empty when the file is gone."""
        path = self.directory / "console"
        return path.read_text(errors="replace") if path.exists() else ""

    def boot(self) -> Guest:
        """Returns when the agent in the guest takes commands."""
        self.launch()
        return self.wait_up()

    def launch(self) -> None:
        """Starts QEMU and does not wait, so that several guests may boot at a time."""
        path = self.directory / "agent"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(path))
            listener.listen(1)
            listener.settimeout(0.1)
            self._process = self.registry.start(f"qemu-{self.name}", self._command(path))
            self._agent = self._wait("QEMU has opened the agent's port", lambda: accept(listener))
        self._agent.settimeout(0.1)
        self._input = b""

    def wait_up(self) -> Guest:
        """After `launch`, or after the guest has begun to boot again."""
        self._answer(0, BOOT_LIMIT)
        return self

    def _command(self, agent: Path) -> list[str]:
        image = vm_image.initramfs(self.directory / "initramfs")
        shared = "".join(f" vm.share={share}" for share in self.shares)
        command = [
            "/usr/bin/unshare", "--mount", "--propagation", "private", "--",
            "/bin/sh", "-c", BIND_ROOT, "sh", str(self.root),
            QEMU, "-nodefaults", "-no-user-config", "-display", "none",
            "-machine", "pc,memory-backend=mem", "-accel", "tcg", "-cpu", "max", "-smp", "1",
            "-m", str(self.memory),
            "-object", f"memory-backend-memfd,id=mem,size={self.memory}M,share=on",
            "-kernel", str(vm_image.DIRECTORY / "vmlinux"), "-initrd", str(image),
            "-append", KERNEL_COMMAND + shared,
            "-serial", f"file:{self.directory / 'console'}",
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,path={agent}",
            "-device", "virtserialport,chardev=agent",
            *share_arguments("root", self.root),
        ]
        for number, share in enumerate(self.shares):
            command += share_arguments(f"share{number}", share)
        for number, nic in enumerate(self.nics):
            command += nic.arguments(number)
        return command

    def run(self, script: str, timeout: float = COMMAND_LIMIT) -> str:
        """Runs a shell script in the guest; returns its output, stderr included.

        ProcessFailed unless its status is 0.
        """
        status, output = self.attempt(script, timeout)
        if status != 0:
            raise ProcessFailed(f"{self.name}: '{script}' left with status {status}:\n{output}")
        return output

    def attempt(self, script: str, timeout: float = COMMAND_LIMIT) -> tuple[int, str]:
        """As `run`, for a script that may fail: its status, 124 if it took too long, and output."""
        number = self._send(f"exec timeout {timeout:g} /bin/sh -c {shlex.quote(script)}")
        return self._answer(number, timeout + 20.0)

    def start(self, name: str, command: str) -> None:
        """Runs one command beside all others; it ends with the guest, or by `stop`."""
        self.run(
            f"setsid /bin/sh -c {shlex.quote(f'echo $$ >/run/{name}.pid; exec {command}')}"
            f" </dev/null >/run/{name}.log 2>&1 &"
        )

    def log(self, name: str) -> str:
        """What a command that was started has said so far."""
        return self.run(f"cat /run/{name}.log")

    def stop(self, name: str, signal: str = "TERM") -> str:
        """Ends a command that was started, and returns when it is gone; its output."""
        self.run(f"kill -{signal} $(cat /run/{name}.pid)")
        self.wait(f"! [ -d /proc/$(cat /run/{name}.pid) ]")
        return self.log(name)

    def wait(self, condition: str, timeout: float = 30.0) -> None:
        """Waits until a shell command in the guest succeeds."""
        wait_until(
            f"in {self.name}: {condition}", lambda: self.attempt(condition)[0] == 0, timeout,
            lambda: self.attempt("tail -n 30 /run/*.log")[1],
        )

    def reboot(self) -> None:
        """Resets the machine as `reboot -f` does, and returns when it is up again."""
        self._send("exec busybox reboot -f")
        self.wait_up()

    def kill(self) -> None:
        """Ends QEMU as a crash does."""
        self.process.kill()
        self.close()

    def close(self) -> None:
        """Closes the agent's connection; the process ends with the registry."""
        if self._agent is not None:
            self._agent.close()
            self._agent = None

    def _send(self, script: str) -> int:
        assert self._agent is not None, f"the guest {self.name} does not run"
        self._requests += 1
        text = base64.b64encode(script.encode()).decode()
        self._agent.sendall(f"{self._requests} {text}\n".encode())
        return self._requests

    def _answer(self, number: int, timeout: float) -> tuple[int, str]:
        """The answer to one request, 0 for the line that an agent begins with."""
        words = self._wait(
            "the agent answers" if number else "the guest is up", self._line, timeout
        ).split(" ")
        if int(words[0]) != number:
            raise ProcessFailed(self._report(f"answered {words[0]} instead of {number}"))
        return int(words[1]), base64.b64decode(words[2]).decode(errors="replace")

    def _line(self) -> str | None:
        assert self._agent is not None
        line, end, rest = self._input.partition(b"\n")
        if end:
            self._input = rest
            return line.decode()
        try:
            self._input += self._agent.recv(1 << 20)
        except TimeoutError:
            pass
        return None

    def _wait(self, what: str, check: Callable[[], T | None], timeout: float = 20.0) -> T:
        def find() -> T | None:
            found = check()
            if found is None and self.process.status is not None:
                raise ProcessFailed(self._report(f"ended before {what}"))
            return found

        return wait_until(f"{self.name}: {what}", find, timeout, lambda: self._report("runs"))

    def _report(self, what: str) -> str:
        return self.process.report(what) + f"--- {self.name}: console\n{self.console[-3000:]}\n"


def accept(listener: socket.socket) -> socket.socket | None:
    try:
        return listener.accept()[0]
    except TimeoutError:
        return None


def share_arguments(tag: str, path: Path) -> list[str]:
    """A directory of the host's that a guest may read."""
    fsdev = f"local,id={tag},path={path},security_model=none,readonly=on,multidevs=remap"
    return ["-fsdev", fsdev, "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]

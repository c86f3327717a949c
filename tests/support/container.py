# SPDX-License-Identifier: BSD-3-Clause
"""Containers by podman, without a registry and without a trace.

A Podman belongs to one test. Its configuration, storage and locks lie in a directory of its own,
so that a user's own containers are never touched; `close` ends its containers and removes what
they leave. Images are not used: the root file system is made of this machine's own files.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from support.process import Process, Registry, as_user, binary, give_away
from support.waiting import wait_until

CGROUPS = Path("/sys/fs/cgroup")
PORT_DIRECTORY = Path("/run/port")
CANCELLER = "*-linux-gnu/libgcc_s.so.1"  # which glibc loads when a thread is cancelled
PLUGINS = ("librte_bus_pci", "librte_bus_vdev", "librte_mempool_ring", "librte_net_virtio")
FIND_SOCKETS = ("/usr/bin/find", "/", "-path", "/proc", "-prune", "-o", "-type", "s", "-print")
LONGEST_LIFE = 90  # seconds, after which a container ends even if nobody is left to end it

# What every tenant gets: no rights, no network, nothing to write but tmpfs. Without limits of ours
# podman would raise those that it has, which takes a right that not even root has everywhere.
CONFINED = (
    "--network=none", "--read-only", "--cap-drop=all", "--security-opt=no-new-privileges",
    "--ulimit=nofile=1024:1024", "--ulimit=nproc=512:512",
)


class Podman:
    """podman as this user, None for oneself; rootless for whoever is not root."""

    def __init__(self, registry: Registry, directory: Path, user: int | None) -> None:
        self.registry = registry
        self.directory = directory
        self.user = user
        self.rootless = (os.geteuid() if user is None else user) != 0
        self.root = directory / "rootfs"
        self._cgroup = f"vswitch-{os.getpid()}-{directory.name}"
        for part in ("", "home", "run", "store", "tmp"):
            (directory / part).mkdir(mode=0o755)
            give_away(directory / part, user)
        make_root(self.root)
        for path in (self.root, *self.root.rglob("*")):
            give_away(path, user)
        config = directory / "containers.conf"
        config.write_text(self._configuration())
        self.env = {
            "CONTAINERS_CONF": str(config),
            "HOME": str(directory / "home"),
            "XDG_RUNTIME_DIR": str(directory / "run"),
        }

    def _configuration(self) -> str:
        """crun refuses a host whose cgroups are of both versions, runc to do without cgroups."""
        unified = cgroups_are_unified()
        return (
            "[containers]\n"
            f'cgroups = "{"disabled" if unified else "enabled"}"\n'
            'log_driver = "none"\n'
            "[engine]\n"
            f'runtime = "{"crun" if unified else "runc"}"\n'
            'cgroup_manager = "cgroupfs"\n'
            'events_logger = "none"\n'
            'lock_type = "file"\n'
            f'tmp_dir = "{self.directory / "tmp"}"\n'
        )

    def command(self, *arguments: str) -> list[str]:
        return [
            "/usr/bin/podman", "--log-level=error", "--storage-driver=vfs",
            f"--root={self.directory / 'store'}", f"--runroot={self.directory / 'run'}", *arguments,
        ]

    def start(
        self, name: str, shared: Path, argv: Sequence[str], *options: str, writable: bool = False
    ) -> Process:
        """A container with the directory `shared`, and nothing else of the host's, at /run/port.

        The Process is `podman run`, which leaves with the container's status. A signal belongs to
        the container, not to it: see `interrupt`.
        """
        mount = f"--volume={shared}:{PORT_DIRECTORY}" + ("" if writable else ":ro")
        none = self.rootless or cgroups_are_unified()
        cgroup = [] if none else [f"--cgroup-parent=/{self._cgroup}"]
        command = self.command(
            "run", "--rm", f"--name={name}", f"--timeout={LONGEST_LIFE}", *CONFINED, *cgroup, mount,
            "--env=XDG_RUNTIME_DIR=/tmp", "--env=ASAN_OPTIONS=detect_leaks=0", *options,
            "--rootfs", str(self.root), *argv,
        )
        return self.registry.start(name, command, self.env, self.user)

    def call(self, *arguments: str, timeout: float = 30.0) -> str:
        """Runs one podman command to its end; returns what it printed."""
        done = subprocess.run(
            [*as_user(self.user), *self.command(*arguments)], env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, cwd="/",
        )
        assert done.returncode == 0, f"podman {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def interrupt(self, name: str) -> None:
        """Ctrl-C to the container's program."""
        self.call("kill", "--signal=INT", name)

    def kill(self, name: str) -> None:
        """Ends a container as a crash does, and returns when nothing of it is left."""
        self.call("kill", "--signal=KILL", name)
        wait_until(f"{name} is gone", lambda: name not in self.names(), 20.0)

    def names(self) -> list[str]:
        return self.call("ps", "--all", "--format={{.Names}}").split()

    def close(self) -> None:
        """Ends every container, then what podman itself leaves: a process, mounts, cgroups."""
        try:
            self.call("rm", "--all", "--force", "--time=0")
        finally:
            self._end_pause_process()
            wait_until("podman's own are gone", lambda: not commands_with(self.directory), 20.0)
            for mount in mounts_below(self.directory):
                subprocess.run(["/usr/bin/umount", str(mount)], check=True)
            self._remove_cgroups()

    def _end_pause_process(self) -> None:
        """It keeps the user namespace of a rootless user open for later commands."""
        for path in self.directory.rglob("pause.pid"):
            pid = int(path.read_text())
            os.kill(pid, signal.SIGKILL)
            wait_until(f"the process {pid} has ended", lambda: has_ended(pid), 20.0)

    def _remove_cgroups(self) -> None:
        for top in CGROUPS.glob(f"*/{self._cgroup}"):
            for folder, _, _ in os.walk(top, topdown=False):
                wait_until(f"{folder} is empty", lambda: removed(Path(folder)), 20.0)


def cgroups_are_unified() -> bool:
    """Version 2 alone, as on an ordinary Debian 12."""
    return (CGROUPS / "cgroup.controllers").exists()


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def commands_with(directory: Path) -> list[str]:
    """podman cleans up in processes of its own, after a container's end; they name its storage."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"={directory}/" in command or f"\0{directory}/" in command:
            found.append(command.replace("\0", " "))
    return found


def removed(cgroup: Path) -> bool:
    """A cgroup stays busy until its last process has been reaped."""
    try:
        cgroup.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def mounts_below(directory: Path) -> list[Path]:
    """The deepest, so the first to unmount, come first."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = (Path(line.split()[4]) for line in lines)
    return sorted((point for point in points if directory in point.parents), reverse=True)


def make_root(root: Path) -> None:
    """A root file system of 5 MB: `vuser-client`, `find`, DPDK's plugins, the libraries of all."""
    plugins = list(plugin_files())
    client = binary("client/vuser-client")
    for folder in ("dev", "etc", "proc", "run/port", "sys", "tmp", "usr/bin", "var/tmp"):
        (root / folder).mkdir(parents=True)
    shutil.copy(client, root / "usr/bin/vuser-client")
    copies: dict[Path, Path] = {}
    needed = libraries([client, "/usr/bin/find", *plugins])
    for file in (*plugins, Path("/usr/bin/find"), *needed, *Path("/lib").glob(CANCELLER)):
        target = root / file.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        # One file by two names stays one, or else the loader would take it for two libraries.
        first = copies.setdefault(file.resolve(), target)
        if first == target:
            shutil.copy(file, target)
        else:
            os.link(first, target)


def plugin_files() -> Iterator[Path]:
    """EAL loads those that lie where it was built for, under their full names."""
    for folder in Path("/usr/lib").glob("*/dpdk/pmds-*"):
        for name in PLUGINS:
            yield from (path for path in folder.glob(f"{name}.so.*") if not path.is_symlink())


def libraries(files: Sequence[object]) -> set[Path]:
    listing = subprocess.run(
        ["/usr/bin/ldd", *map(str, files)], capture_output=True, text=True, check=True
    )
    return {Path(path) for path in re.findall(r"^\t(?:.* => )?(/\S+) \(", listing.stdout, re.M)}

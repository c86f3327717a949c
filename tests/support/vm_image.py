# SPDX-License-Identifier: BSD-3-Clause
"""What a guest boots: Debian's kernel, unpacked and not installed, and an initramfs of our making.

`./dev test` runs this file as a program, as root, which fetches the kernel into build/vm if it is
not there; `vm.py` then asks for the kernel and for the initramfs.
"""

from __future__ import annotations

import lzma
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from support.process import PROJECT

DIRECTORY = PROJECT / "build" / "vm"
PACKAGE = "linux-image-amd64"
BUSYBOX = Path("/bin/busybox")
INIT = Path(__file__).with_name("vm_init.sh")
ZSTD_MAGIC = bytes.fromhex("28b52ffd")
FOLDERS = ("bin", "dev", "lower", "modules", "proc", "root", "sys", "upper")

# Loaded at boot, each after those that it needs.
MODULES = (
    "virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay",
    "virtio_net", "tun", "vhost_net",
)


def missing() -> str | None:
    """Why no guest can boot on this machine; None if one can."""
    if os.geteuid() != 0:
        return "only root may make the bind mount that a guest boots from"
    for program in ("qemu-system-x86_64", "iperf3", "ethtool"):
        if shutil.which(program, path="/usr/bin:/usr/sbin:/bin:/sbin") is None:
            return f"{program} is not installed"
    if not BUSYBOX.exists():
        return f"{BUSYBOX} (busybox-static) is not installed"
    if not (DIRECTORY / "vmlinux").exists():
        return f"no kernel in {DIRECTORY}: `./dev test` fetches it where apt-get can"
    return None


def fetch() -> None:
    """Downloads and unpacks the kernel, unless that was done."""
    if (DIRECTORY / "vmlinux").exists():
        return
    print(f"dev: unpacking {PACKAGE} in {DIRECTORY}", file=sys.stderr)
    unpacked = DIRECTORY / "unpacked"
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    unpacked.mkdir(parents=True)
    apt("update")
    for package in packages():
        apt("-o", "APT::Sandbox::User=root", "download", package)
        (archive,) = DIRECTORY.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", str(archive), str(unpacked)], check=True)
        archive.unlink()
    _keep(unpacked)
    shutil.rmtree(unpacked)


def packages() -> list[str]:
    """The kernel's own package; from Debian's forky on, three that it depends on have its files."""
    image = depends_on(PACKAGE, r"linux-image-\S+")
    if not image:
        raise OSError(f"apt-cache knows of no kernel that {PACKAGE} depends on")
    return [*image, *depends_on(image[0], r"linux-(?:base|binary|modules)-\S+")]


def depends_on(package: str, pattern: str) -> list[str]:
    told = subprocess.run(
        ["apt-cache", "depends", package], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return re.findall(rf"^ *Depends: ({pattern})$", told, re.MULTILINE)


def apt(*words: str) -> None:
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", *words]
    subprocess.run(command, cwd=DIRECTORY, check=True, stdout=sys.stderr)


def _keep(unpacked: Path) -> None:
    """Of the package's 400 MB, the kernel without its compression and the modules of a guest."""
    # Debian 13 compresses modules and has them below /usr; more of them are part of its kernel. The
    # release after it has the kernel beside them.
    (modules,) = (*unpacked.glob("lib/modules/*"), *unpacked.glob("usr/lib/modules/*"))
    (kernel,) = (*unpacked.glob("boot/vmlinuz-*"), *modules.glob("vmlinuz"))
    files = {
        path.name.partition(".")[0].replace("-", "_"): path for path in modules.glob("**/*.ko*")
    }
    built_in = {Path(line).stem for line in (modules / "modules.builtin").read_text().split()}
    wanted = [name for name in MODULES if name not in built_in]
    lacking = [name for name in wanted if name not in files]
    if lacking:
        raise OSError(f"{PACKAGE} has no module {', '.join(lacking)}")
    order = load_order(lambda name: _needs(files[name]), wanted)
    (DIRECTORY / "modules").mkdir()
    for name in order:
        (DIRECTORY / "modules" / f"{name}.ko").write_bytes(_module(files[name]))
    (DIRECTORY / "modules" / "order").write_text("".join(f"{name}.ko\n" for name in order))
    (DIRECTORY / "vmlinux.new").write_bytes(decompressed(kernel.read_bytes()))
    (DIRECTORY / "vmlinux.new").rename(DIRECTORY / "vmlinux")


def _module(path: Path) -> bytes:
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()


def _needs(module: Path) -> list[str]:
    found = re.search(rb"\0depends=([^\0]*)\0", _module(module))
    names = found[1].decode().split(",") if found else []
    return [name.replace("-", "_") for name in names if name]


def load_order(needs: Callable[[str], list[str]], wanted: Iterable[str]) -> list[str]:
    """The modules wanted and all that they need, each after what it needs itself."""
    order: list[str] = []
    for name in wanted:
        for module in (*load_order(needs, needs(name)), name):
            if module not in order:
                order.append(module)
    return order


def decompressed(kernel: bytes) -> bytes:
    """The ELF file in a bzImage: to unpack it here is ten times as fast as in an emulated guest."""
    start = (kernel[0x1F1] + 1) * 512 + int(struct.unpack_from("<I", kernel, 0x248)[0])
    length = int(struct.unpack_from("<I", kernel, 0x24C)[0])
    packed = kernel[start:start + length]
    if packed.startswith(ZSTD_MAGIC):  # the last four bytes are the length of the unpacked kernel
        return subprocess.run(["zstd", "-dc"], input=packed[:-4], stdout=subprocess.PIPE,
                              check=True).stdout
    return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(packed)


def initramfs(path: Path) -> Path:
    """Writes busybox, the init script and the modules as a cpio archive."""
    modules = sorted((DIRECTORY / "modules").iterdir())
    with path.open("wb") as out:
        for folder in FOLDERS:
            out.write(_entry(folder, 0o040755, b""))
        out.write(_entry("bin/busybox", 0o100755, BUSYBOX.read_bytes()))
        out.write(_entry("init", 0o100755, INIT.read_bytes()))
        for module in modules:
            out.write(_entry(f"modules/{module.name}", 0o100644, module.read_bytes()))
        out.write(_entry("TRAILER!!!", 0, b""))
    return path


def _entry(name: str, mode: int, content: bytes) -> bytes:
    """One file of a `newc` archive: 13 numbers, the name, the content, each to a multiple of 4."""
    numbers = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % number for number in numbers) + name.encode() + b"\0"
    return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit(f"dev: {missing()}")
    try:
        fetch()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"dev: no kernel for virtual machines: {error}")

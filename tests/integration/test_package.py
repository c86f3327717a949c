# SPDX-License-Identifier: BSD-3-Clause
"""What `meson install` puts where, the service's unit and its sandbox, and one version everywhere.

The packages themselves and the running service are tried by `./dev package --check`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from installation import PROGRAMS, Installation
from support import Switch
from support.process import PROJECT, binary

ANALYZE = shutil.which("systemd-analyze")
EXPOSURE_LIMIT = 2.0
DROP_IN_LIMIT = 4.0
with_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")

VERSION = (PROJECT / "VERSION").read_text().strip()
UNIT = "systemd/system/vswitchd.service"


def run(*words: str, limit: float = 30.0) -> str:
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=limit)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_everything_is_in_its_place(installed: Installation) -> None:
    """One file each; `find` fails where there is none or more."""
    for program in PROGRAMS:
        assert os.access(installed.find(f"bin/{program}"), os.X_OK)
        assert installed.page(program) and installed.completion(program)
    for pattern in (f"lib/{UNIT}", "lib/sysusers.d/vswitch.conf", "lib/tmpfiles.d/vswitch.conf",
                    "share/doc/vswitch/examples/namespaces.conf", "vswitch-*.dist-info/METADATA",
                    "vswitch/py.typed"):
        installed.find(pattern)
    unit = installed.find(UNIT).read_text()
    started = re.search(r"^ExecStart=(\S+)", unit, re.MULTILINE)
    assert started and Path(f"{installed.root}{started[1]}").exists()
    assert not re.search(r"@\w+@", unit + installed.find("tmpfiles.d/vswitch.conf").read_text())


def test_one_version(installed: Installation) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
    for path in PROGRAMS.values():
        assert run(str(binary(path)), "--version").split()[1] == VERSION
    changes = re.search(r"^## (\S+)", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert changes and changes[1] == VERSION
    assert (PROJECT / "debian" / "changelog").read_text().startswith(f"vswitch ({VERSION}-")
    script = "import importlib.metadata; print(importlib.metadata.version('vswitch'))"
    assert run_installed(installed, script) == VERSION


def run_installed(installed: Installation, script: str) -> str:
    """What a script prints that sees only the Python package that was installed."""
    env = {"PYTHONPATH": str(installed.find("vswitch/py.typed").parents[1])}
    done = subprocess.run([sys.executable, "-B", "-c", script], cwd="/", timeout=30, check=True, text=True,
                          stdout=subprocess.PIPE, env=env)
    return done.stdout.strip()


@pytest.fixture(scope="module", name="venv_python")
def python_that_pip_has_installed_it_for(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a virtual environment. pip builds beside the sources, so of a copy of them."""
    place = tmp_path_factory.mktemp("venv")
    shutil.copytree(PROJECT / "python", place / "python", ignore=shutil.ignore_patterns("build", "*.egg-info"))
    run("/usr/bin/python3", "-m", "venv", "--without-pip", "--system-site-packages", str(place / "venv"))
    python = place / "venv" / "bin" / "python3"
    run(str(python), "-m", "pip", "install", "--no-index", "--no-build-isolation", "--no-deps",
        str(place / "python"), limit=100.0)
    return python


def test_pip_installs_the_python_package(venv_python: Path, switch: Switch) -> None:
    """Of the switch's version, with its types, depending on nothing; and it speaks to a switch."""
    script = (
        "import importlib.metadata, pathlib, vswitch\n"
        "place = pathlib.Path(vswitch.__file__).parent\n"
        f"with vswitch.Client({str(switch.control)!r}) as client:\n"
        "    print(client.call('switch.status')['version'])\n"
        "print(importlib.metadata.version('vswitch'), importlib.metadata.requires('vswitch'),\n"
        "      (place / 'py.typed').exists(), place)\n")
    out = run(str(venv_python), "-I", "-c", script).split()
    place = str(venv_python.parents[1])
    assert out[:4] == [VERSION, VERSION, "None", "True"] and out[4].startswith(place), out


def test_pip_and_meson_say_the_same_of_the_python_package(
    installed: Installation, venv_python: Path
) -> None:
    script = ("import importlib.metadata; print({name: value for name, value in"
              " importlib.metadata.metadata('vswitch').items() if name in"
              " ('Name', 'Version', 'Summary', 'Requires-Python')})")
    told = run(str(venv_python), "-I", "-c", script).strip()
    assert "Requires-Python" in told and told == run_installed(installed, script)


@pytest.fixture(name="unit")
def unit_that_can_be_looked_at(installed: Installation, workdir: Path) -> Path:
    """The installed unit, with what it names made to be on this machine."""
    text = installed.find(UNIT).read_text()
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE)
    path = workdir / "vswitchd.service"
    path.write_text(text.replace("vswitchd(8)", "true(1)").replace("vswitchctl(1)", "true(1)"))
    return path


def exposure(unit: Path) -> float:
    out = run(str(ANALYZE), "security", "--no-pager", "--offline=true", str(unit))
    found = re.search(r"vswitchd\.service: ([\d.]+)", out)
    assert found, out
    return float(found[1])


@with_systemd
def test_unit_has_no_mistake(unit: Path) -> None:
    assert run(str(ANALYZE), "verify", "--man=no", str(unit)) == ""


@with_systemd
def test_sandbox(installed: Installation, unit: Path) -> None:
    """Of the unit, and with the drop-in for namespaces and owners: docs/service.md has both figures."""
    page = (PROJECT / "docs" / "service.md").read_text()
    told = re.search(r"`systemd-analyze security`.*\| ([\d.]+) \| ([\d.]+) \|", page)
    assert told
    alone = exposure(unit)
    assert alone <= EXPOSURE_LIMIT
    # the offline analysis reads no drop-in; later assignments add to earlier ones, as in one
    drop_in = installed.find("examples/namespaces.conf").read_text()
    unit.write_text(unit.read_text().replace("[Install]", f"{drop_in}\n[Install]"))
    assert run(str(ANALYZE), "verify", "--man=no", str(unit)) == ""
    both = exposure(unit)
    assert alone < both <= DROP_IN_LIMIT
    if " 252 " in run(str(ANALYZE), "--version"):
        assert (alone, both) == (float(told[1]), float(told[2]))


@with_systemd
def test_user_and_directory_are_made(installed: Installation, workdir: Path) -> None:
    root = workdir / "root"
    (root / "etc").mkdir(parents=True)
    run("systemd-sysusers", f"--root={root}", str(installed.find("sysusers.d/vswitch.conf")))
    names = [line.split(":")[0] for line in (root / "etc" / "passwd").read_text().splitlines()]
    assert names == ["vswitch"]
    group = (root / "etc" / "group").read_text()
    assert re.search(r"^vswitch:", group, re.MULTILINE)
    assert re.search(r"^kvm:.*:vswitch$", group, re.MULTILINE)

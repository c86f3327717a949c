# SPDX-License-Identifier: BSD-3-Clause
"""DPDK test suite, plans pvp_virtio_user_4k_pages, pvp_virtio_user_2M_hugepages and
container_networking: what pages a frontend's memory may consist of, split ring, one queue."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Sequence

import pytest
from support import RawFrontend, Registry, Setup, Switch, Testpmd
from support.fixture_types import MakeStation
from support.memory import MIB, RegionSpec
from support.messages import Disconnected
from support.station import Station
from support.testpmd import launch, virtio_user

PEER = "02:00:00:00:00:ee"
SIZES = (64, 128, 256, 512, 1024, 1518)
PAGE_MIB = 2
PAGES = 48  # 96 MiB
TESTPMD_MIB = 64
REGIONS_MAX = 8
NR_HUGEPAGES = Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
FREE_HUGEPAGES = NR_HUGEPAGES.with_name("free_hugepages")
MOUNT = 'mount -t hugetlbfs -o pagesize=2M none "$0" && exec "$@"'


def reflect(station: Station) -> None:
    """Frames of each published size come back whole from testpmd, which swaps their addresses."""
    for size in SIZES:
        frames = [station.build(PEER, size) for _ in range(32)]
        station.frontend.send(*frames)
        for sent in frames:
            seen = station.frontend.receive(10.0).frame
            assert seen == sent[6:12] + sent[0:6] + sent[12:], f"of {size} bytes"
    assert station.frontend.poll() is None


@contextmanager
def hugepages(count: int) -> Iterator[None]:
    """So many free pages of 2 MiB, as root reserves them; then as many as there were."""
    assert os.geteuid() == 0, "to reserve and to mount hugepages takes root: run this test as root"
    before = int(NR_HUGEPAGES.read_text())
    missing = max(0, count - int(FREE_HUGEPAGES.read_text()))
    NR_HUGEPAGES.write_text(str(before + missing))
    try:
        free = int(FREE_HUGEPAGES.read_text())
        assert free >= count, (
            f"{count} hugepages of 2 MiB are needed and {free} are free: the kernel found no "
            f"{missing * PAGE_MIB} MiB in one piece; give the machine more memory, or reserve "
            f"them at its start (hugepages={count})"
        )
        yield
    finally:
        NR_HUGEPAGES.write_text(str(before))


@pytest.fixture
def mount_wrapper(workdir: Path) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """A command that gives testpmd a hugetlbfs of its own, gone when it ends; and its options."""
    directory = workdir / "huge"
    directory.mkdir()
    wrapper = ("/usr/bin/unshare", "--mount", "/bin/sh", "-c", MOUNT, str(directory))
    with hugepages(PAGES):
        yield wrapper, ("--huge-dir", str(directory))


def test_4k_pages(switch: Switch, station: MakeStation, registry: Registry) -> None:
    """pvp_virtio_user_4k_pages: `--no-huge -m 1024`; traffic passes, the memory is one region."""
    a = station(switch, "a")
    switch.add_port("b")
    testpmd = Testpmd.frontend(
        registry, switch.path("b"), options=f"mac={PEER}", memory=1024
    )
    switch.wait_state("b", "up")
    testpmd.forward("macswap")
    reflect(a)
    regions = switch.port("b")["session"]["memory"]
    assert sum(region["size"] for region in regions) >= 1024 * MIB
    assert len(regions) <= REGIONS_MAX
    testpmd.quit()


def test_2m_hugepages(
    switch: Switch, station: MakeStation, registry: Registry,
    mount_wrapper: tuple[Sequence[str], Sequence[str]],
) -> None:
    """pvp_virtio_user_2M_hugepages, container_networking: pages of 2 MiB, few files for them."""
    wrapper, pages = mount_wrapper
    a = station(switch, "a")
    switch.add_port("b")
    testpmd = Testpmd(
        registry, [virtio_user(0, switch.path("b"), f"mac={PEER}")], memory=TESTPMD_MIB,
        pages=(*pages, "--single-file-segments"), wrapper=wrapper,
    )
    switch.wait_state("b", "up")
    testpmd.forward("macswap")
    reflect(a)
    regions = switch.port("b")["session"]["memory"]
    assert sum(region["size"] for region in regions) >= TESTPMD_MIB * MIB
    assert all(region["size"] % (PAGE_MIB * MIB) == 0 for region in regions)
    testpmd.quit()


def test_more_pages_than_regions(
    switch: Switch, station: MakeStation, registry: Registry,
    mount_wrapper: tuple[Sequence[str], Sequence[str]],
) -> None:
    """The same without `--single-file-segments`: each page is a region, and there may be eight.

    The published case expects a failure that names the limit. virtio_user counts by itself, before
    it sends a table, so its log has the message and the switch hears of no memory; the port then
    waits for a better frontend, and gets one.
    """
    wrapper, pages = mount_wrapper
    a = station(switch, "a")
    switch.add_port("b")
    failed = launch(
        registry, [virtio_user(0, switch.path("b"), f"mac={PEER}")], memory=TESTPMD_MIB,
        pages=pages, wrapper=wrapper,
    )
    failed.wait_log("Too many memory regions")
    failed.kill()
    switch.wait_state("b", "waiting")
    assert switch.port("b")["fault"] is None
    testpmd = Testpmd.frontend(registry, switch.path("b"), options=f"mac={PEER}")
    switch.wait_state("b", "up")
    testpmd.forward("macswap")
    reflect(a)
    testpmd.quit()


def test_frontend_that_sends_more_regions(switch: Switch) -> None:
    """What the switch says to a frontend that does not count: the port's fault names the limit.

    A region comes with a descriptor, so it is the ninth descriptor that is refused.
    """
    switch.add_port("b")
    regions = tuple(RegionSpec(PAGE_MIB * MIB) for _ in range(REGIONS_MAX + 1))
    with RawFrontend(switch.path("b"), Setup(regions=regions)) as frontend:
        with pytest.raises(Disconnected):
            frontend.handshake()
        text = switch.wait_state("b", "fault")["fault"]["text"]
    assert f"more descriptors than the {REGIONS_MAX} that are allowed" in text

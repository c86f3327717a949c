/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory and descriptors of a hostile frontend. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "hostile.h"

#define PAGE 4096u

static int
open_memfd(off_t size)
{
	int fd = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && ftruncate(fd, size) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
open_region(struct hostile_region *region, uint32_t index)
{
	region->fd = open_memfd(HOSTILE_REGION_SIZE);
	if (region->fd < 0)
		return -errno;
	region->guest_phys_addr = HOSTILE_GUEST_BASE + index * HOSTILE_GUEST_STEP;
	region->memory = mmap(NULL, HOSTILE_REGION_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			region->fd, 0);
	return region->memory == MAP_FAILED ? -errno : 0;
}

/* One end of a pair; the other stays open too, so that nothing ends by itself. */
static int
open_pair(enum hostile_thing thing)
{
	int ends[2];
	int ret = thing == THING_PIPE ? pipe2(ends, O_CLOEXEC)
				      : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);

	return ret < 0 ? -1 : ends[chance_below(&(struct chance){ thing }, 2)];
}

static int
open_read_only_memfd(void)
{
	char path[32];
	int fd = open_memfd(HOSTILE_REGION_SIZE), ret;

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = open(path, O_RDONLY | O_CLOEXEC);
	close(fd);
	return ret;
}

/* Whoever writes to it waits. */
static int
open_full_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	if (fd >= 0)
		eventfd_write(fd, UINT64_MAX - 1);
	return fd;
}

static int
open_thing(enum hostile_thing thing)
{
	switch (thing) {
	case THING_EVENTFD:
		return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	case THING_EVENTFD_BLOCKING:
		return open_full_eventfd();
	case THING_MEMFD:
		return open_memfd(HOSTILE_REGION_SIZE);
	case THING_MEMFD_EMPTY:
		return open_memfd(0);
	case THING_MEMFD_READ_ONLY:
		return open_read_only_memfd();
	case THING_PIPE:
	case THING_SOCKET:
		return open_pair(thing);
	case THING_NULL:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case THING_DIRECTORY:
		return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	case THING_PATH:
		return open("/", O_PATH | O_CLOEXEC);
	case THING_EPOLL:
		return epoll_create1(EPOLL_CLOEXEC);
	case THING_TIMERFD:
		return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	default:
		return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	}
}

int
hostile_things_open(struct hostile *hostile)
{
	int ret;

	for (uint32_t i = 0; i < HOSTILE_REGIONS; i++) {
		ret = open_region(&hostile->regions[i], i);
		if (ret < 0)
			return ret;
	}
	for (uint32_t i = 0; i < THING_COUNT; i++) {
		hostile->things[i] = open_thing(i);
		if (hostile->things[i] < 0)
			return -errno;
	}
	for (uint32_t i = 0; i < HOSTILE_RINGS; i++) {
		hostile->rings[i].kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		hostile->rings[i].call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (hostile->rings[i].kick_fd < 0 || hostile->rings[i].call_fd < 0)
			return -errno;
	}
	return 0;
}

int
hostile_some_thing(struct hostile *hostile)
{
	return hostile->things[chance_below(&hostile->chance, THING_COUNT)];
}

/* Mostly in places of its own; now and then over the other ring, or over buffers. */
static void
lay_out(struct hostile *hostile, uint32_t index)
{
	struct hostile_ring *ring = &hostile->rings[index];
	uint8_t *at = hostile->regions[0].memory + index * HOSTILE_RING_AREA;

	if (chance_one_in(&hostile->chance, 16))
		at = hostile->regions[0].memory + 16 * chance_below(&hostile->chance, 8192);
	ring->size = (uint16_t)(2u << chance_below(&hostile->chance, 10));
	ring->desc = (struct vring_desc *)(void *)at;
	ring->avail = (struct vring_avail *)(void *)(at + 16u * 1024);
	ring->used = (struct vring_used *)(void *)(at + 24u * 1024);
	ring->avail_idx = 0;
	memset(ring->avail, 0, 4);
	memset(ring->used, 0, 4);
}

int
hostile_renew(struct hostile *hostile)
{
	for (uint32_t i = 0; i < HOSTILE_REGIONS; i++)
		if (ftruncate(hostile->regions[i].fd, HOSTILE_REGION_SIZE) < 0)
			return -errno;
	hostile->hurt = false;
	for (uint32_t i = 0; i < HOSTILE_RINGS; i++)
		lay_out(hostile, i);
	return 0;
}

void
hostile_hurt_memory(struct hostile *hostile)
{
	uint32_t which = chance_below(&hostile->chance, HOSTILE_REGIONS);
	off_t at = (off_t)PAGE * chance_below(&hostile->chance, HOSTILE_REGION_SIZE / PAGE);
	int fd = hostile->regions[which].fd;

	/* fails for no good reason; then nothing was hurt */
	if (chance_one_in(&hostile->chance, 2)) {
		if (ftruncate(fd, at) < 0)
			return;
		hostile->hurt = true;
	} else if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
				   (off_t)PAGE * (1 + chance_below(&hostile->chance, 64))) < 0) {
		return;
	}
}

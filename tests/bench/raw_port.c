/* SPDX-License-Identifier: BSD-3-Clause */
#include "raw_port.h"

#include <errno.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define LINE 64u
#define PAGE 4096u
#define HUGE_PAGE (2ull << 20)

static uint64_t
round_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

/* An odd number of cache lines, so that the heads of the buffers spread over a cache's sets. */
static uint32_t
stride_of(uint32_t buffer_len)
{
	return (uint32_t)((round_up(buffer_len, LINE) / LINE) | 1) * LINE;
}

static uint64_t
ring_bytes(uint16_t size, uint32_t buffer_len)
{
	return round_up(size * sizeof(struct vring_desc), PAGE) +
			round_up(sizeof(struct vring_avail) + size * 2u, PAGE) +
			round_up(sizeof(struct vring_used) + size * sizeof(struct vring_used_elem),
					PAGE) +
			round_up((uint64_t)size * stride_of(buffer_len), PAGE);
}

/* Lays a ring and its buffers out at `at`; returns where they end. */
static uint8_t *
lay_out_ring(struct raw_ring *ring, uint8_t *at, uint16_t size, uint32_t buffer_len)
{
	ring->size = size;
	ring->buffer_len = buffer_len;
	ring->stride = stride_of(buffer_len);
	ring->desc = (struct vring_desc *)(void *)at;
	at += round_up(size * sizeof(struct vring_desc), PAGE);
	ring->avail = (struct vring_avail *)(void *)at;
	at += round_up(sizeof(struct vring_avail) + size * 2u, PAGE);
	ring->used = (struct vring_used *)(void *)at;
	at += round_up(sizeof(struct vring_used) + size * sizeof(struct vring_used_elem), PAGE);
	ring->buffers = at;
	ring->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	for (uint16_t i = 0; i < size; i++)
		ring->avail->ring[i] = i;
	return at + round_up((uint64_t)size * ring->stride, PAGE);
}

static int
make_memory(struct raw_port *port, const struct raw_config *config)
{
	uint32_t tx_len = RAW_HEADER_LEN + config->frame_max;
	uint64_t size = ring_bytes(config->ring_size, RAW_RX_BUFFER_LEN) +
			ring_bytes(config->ring_size, tx_len);
	uint8_t *at;

	port->memory_size = round_up(size, HUGE_PAGE);
	port->memory_fd = memfd_create(
			"raw-bench", MFD_CLOEXEC | (config->huge ? MFD_HUGETLB | MFD_HUGE_2MB : 0));
	if (port->memory_fd < 0 || ftruncate(port->memory_fd, (off_t)port->memory_size) < 0)
		return -errno;
	port->memory = mmap(NULL, port->memory_size, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_POPULATE, port->memory_fd, 0);
	if (port->memory == MAP_FAILED) {
		port->memory = NULL;
		return -errno;
	}
	at = lay_out_ring(&port->rx, port->memory, config->ring_size, RAW_RX_BUFFER_LEN);
	lay_out_ring(&port->tx, at, config->ring_size, tx_len);
	return 0;
}

static int
make_eventfds(struct raw_ring *ring)
{
	ring->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ring->kick_fd < 0)
		return -errno;
	ring->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return ring->call_fd < 0 ? -errno : 0;
}

static inline void
put_rx_desc(const struct raw_ring *ring, uint16_t index)
{
	*raw_desc(ring, index) = (struct vring_desc){
		.addr = (uintptr_t)raw_buffer(ring, index),
		.len = ring->buffer_len,
		.flags = VRING_DESC_F_WRITE,
	};
}

static void
close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

void
raw_port_close(struct raw_port *port)
{
	close_if_open(port->fd);
	close_if_open(port->memory_fd);
	close_if_open(port->rx.kick_fd);
	close_if_open(port->rx.call_fd);
	close_if_open(port->tx.kick_fd);
	close_if_open(port->tx.call_fd);
	if (port->memory != NULL)
		munmap(port->memory, port->memory_size);
}

static int
make_rings(struct raw_port *port, const struct raw_config *config)
{
	int ret = make_memory(port, config);

	if (ret < 0) {
		fprintf(stderr, "%s: %s: cannot get %llu MiB of %s: %s\n",
				program_invocation_short_name, config->path,
				(unsigned long long)port->memory_size >> 20,
				config->huge ? "hugepages of 2 MiB (see vm.nr_hugepages)"
					     : "memory",
				strerror(-ret));
		return ret;
	}
	ret = make_eventfds(&port->rx);
	if (ret == 0)
		ret = make_eventfds(&port->tx);
	if (ret < 0) {
		fprintf(stderr, "%s: %s: cannot make an eventfd: %s\n",
				program_invocation_short_name, config->path, strerror(-ret));
		return ret;
	}
	for (uint16_t i = 0; i < port->rx.size; i++)
		put_rx_desc(&port->rx, i);
	return 0;
}

int
raw_port_open(struct raw_port *port, const struct raw_config *config)
{
	int ret;

	*port = (struct raw_port){
		.fd = -1,
		.memory_fd = -1,
		.rx = { .kick_fd = -1, .call_fd = -1 },
		.tx = { .kick_fd = -1, .call_fd = -1 },
	};
	port->buffers_per_frame = (RAW_HEADER_LEN + config->frame_max + RAW_RX_BUFFER_LEN - 1) /
			RAW_RX_BUFFER_LEN;
	ret = make_rings(port, config);
	if (ret < 0)
		goto fail;
	ret = raw_session_start(port, config->path);
	if (ret < 0) {
		fprintf(stderr, "%s: %s: cannot attach to the backend: %s\n",
				program_invocation_short_name, config->path, strerror(-ret));
		goto fail;
	}
	raw_offer(&port->rx, port->rx.size);
	return 0;

fail:
	raw_port_close(port);
	return ret;
}

void
raw_offer(struct raw_ring *ring, uint16_t n)
{
	ring->avail_idx += n;
	__atomic_store_n(&ring->avail->idx, ring->avail_idx, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if ((__atomic_load_n(&ring->used->flags, __ATOMIC_RELAXED) & VRING_USED_F_NO_NOTIFY) == 0)
		eventfd_write(ring->kick_fd, 1);
}

/* Reads every line of a buffer; returns how many buffers its frame takes, if it is a first one. */
static uint16_t
touch_buffer(const uint8_t *buffer, uint32_t len)
{
	for (uint32_t i = 0; i < len; i += LINE)
		(void)*(const volatile uint8_t *)(buffer + i);
	return (uint16_t)(buffer[10] | buffer[11] << 8);
}

/* Whether the frames in `n` used buffers say themselves that they are as many as is assumed. */
static bool
touch_frames(const struct raw_ring *ring, uint16_t n, uint32_t buffers_per_frame)
{
	for (uint16_t i = 0; i < n; i++) {
		uint16_t index = ring->used_idx + i;
		uint32_t len = ring->used->ring[index & (ring->size - 1)].len;
		uint16_t buffers;

		if (len > ring->buffer_len)
			return false;
		buffers = touch_buffer(raw_buffer(ring, index), len);
		if (i % buffers_per_frame == 0 && buffers != buffers_per_frame)
			return false;
	}
	return true;
}

uint32_t
raw_rx_take(struct raw_port *port, bool touch, uint64_t *bytes)
{
	struct raw_ring *ring = &port->rx;
	uint16_t n = __atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE) - ring->used_idx;
	uint32_t frames;

	n -= n % port->buffers_per_frame;
	if (n == 0)
		return 0;
	if (touch && !touch_frames(ring, n, port->buffers_per_frame))
		ring->astray = true;
	for (uint16_t i = 0; i < n; i++) {
		uint16_t index = ring->used_idx + i;
		const struct vring_used_elem *elem = &ring->used->ring[index & (ring->size - 1)];

		*bytes += elem->len;
		ring->astray |= elem->id != (index & (ring->size - 1u));
		put_rx_desc(ring, index);
	}
	ring->used_idx += n;
	raw_offer(ring, n);
	frames = n / port->buffers_per_frame;
	*bytes -= frames * RAW_HEADER_LEN;
	return frames;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A running split virtqueue (VIRTIO 1.1, 2.6) as the workers see it.
 *
 * The control thread builds a struct split_vring from the session and the library's memory map, checks
 * it, and publishes a pointer to it in a vring_source or vring_sink. It never changes afterwards. Only the
 * cursor changes. It has one writer at a time: the worker that owns the source, or the holder of the
 * sink's lock; the control thread only while the ring is not published, after a grace period.
 *
 * Trust: a stranger may write to the memory behind desc, avail and used at any moment. Each value is read
 * once into a local and checked, and only the local is used. Fields are little-endian, as is every machine
 * that this runs on. Plain C, no DPDK.
 */
#ifndef VSWITCH_VRING_H
#define VSWITCH_VRING_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "guest_mem.h"
#include "memory_growth.h"
#include "vring_health.h"

/* struct virtio_net_hdr, without and with num_buffers (VIRTIO 1.1, 5.1.6). */
#define VNET_HDR_LEN 12
#define VNET_HDR_LEN_LEGACY 10
#define VNET_HDR_NUM_BUFFERS 10 /* offset of num_buffers */

/*
 * How the frontend of a ring is called; outlives the sessions of its port. The frontend decides how much a
 * write to its call descriptor costs, because the kernel wakes everything that waits for it. So after a
 * slow call workers make none any more: the caller thread makes them, seldom (caller.h).
 */
struct vring_calls {
	uint16_t port;
	struct caller_ring *aside; /* writer: control, atomically; NULL: no caller yet */
	bool slow;		   /* writer: the calling thread; only the caller thread may call */
	bool owed;		   /* writer: workers; a call was due before there was a caller */
	/* Writer: the calling thread. TSC. */
	uint32_t slow_in_a_row;
	uint64_t last_slow;
	uint64_t not_before; /* no call until then */
};

struct split_vring {
	const struct vring_desc *desc;
	const struct vring_avail *avail;
	struct vring_used *used;
	uint32_t size;	     /* entries, a power of two */
	uint32_t header_len; /* VNET_HDR_LEN or VNET_HDR_LEN_LEGACY */
	bool mergeable;	     /* VIRTIO_NET_F_MRG_RXBUF: a frame may take several buffers */
	bool indirect;	     /* VIRTIO_RING_F_INDIRECT_DESC was negotiated */
	uint8_t needs; /* FRAME_NEEDS_ bits, as negotiated: the offloads that the driver does itself */
	/* (receiveq) or may leave to the switch (transmitq) */
	uint32_t index; /* VRING_RECEIVEQ or VRING_TRANSMITQ */
	int kick_fd;	/* the session's; -1: the ring is polled on a timer */
	int call_fd;	/* the session's; -1: the frontend polls */
	struct vring_health *health;
	struct vring_calls *calls;    /* the port's; NULL: calls are not timed */
	struct memory_growth *growth; /* the port's account of memory; NULL: no account is kept */
	struct guest_mem mem;
};

/* Both count chains since the start of the ring, modulo 2^16, as the indices in the ring do. */
struct vring_cursor {
	uint16_t avail; /* next chain to take */
	uint16_t used;	/* next used element to write */
};

/* Marks the session's rings as broken and wakes the control thread. */
void vring_break(const struct split_vring *vring, enum vring_defect defect);

/*
 * How many chains are available from `cursor` on; at most the ring's size. If the frontend claims more,
 * the ring breaks, and 0 is returned.
 */
static inline uint32_t
vring_available(const struct split_vring *vring, const struct vring_cursor *cursor)
{
	uint16_t n = __atomic_load_n(&vring->avail->idx, __ATOMIC_ACQUIRE) - cursor->avail;

	if (n <= vring->size)
		return n;
	vring_break(vring, VRING_AVAIL_JUMP);
	return 0;
}

/*
 * Where a ring's parts are, for a local copy in a loop over chains: the compiler keeps a copy in registers,
 * but must assume that any store to a frame or to guest memory changes the original.
 */
struct vring_parts {
	const struct vring_desc *desc;
	const struct vring_avail *avail;
	struct vring_used *used;
	uint32_t size;
	uint32_t header_len;
};

static inline struct vring_parts
vring_parts(const struct split_vring *vring)
{
	return (struct vring_parts){
		.desc = vring->desc,
		.avail = vring->avail,
		.used = vring->used,
		.size = vring->size,
		.header_len = vring->header_len,
	};
}

/* Head of the n-th available chain, not yet checked against the size. */
static inline uint32_t
vring_head(const struct vring_parts *parts, uint16_t n)
{
	return __atomic_load_n(&parts->avail->ring[n & (parts->size - 1)], __ATOMIC_RELAXED);
}

/* One read of a descriptor: two loads of eight bytes, so that no field is read twice. */
static inline struct vring_desc
vring_desc_read(const struct vring_desc *desc)
{
	const uint64_t *words = (const uint64_t *)(const void *)desc;
	uint64_t addr = __atomic_load_n(&words[0], __ATOMIC_RELAXED);
	uint64_t rest = __atomic_load_n(&words[1], __ATOMIC_RELAXED);

	return (struct vring_desc){
		.addr = addr,
		.len = (uint32_t)rest,
		.flags = (uint16_t)(rest >> 32),
		.next = (uint16_t)(rest >> 48),
	};
}

/* Writes used element `n`; the frontend sees it after vring_publish(). */
static inline void
vring_put_used(const struct vring_parts *parts, uint16_t n, uint32_t id, uint32_t len)
{
	struct vring_used_elem *elem = &parts->used->ring[n & (parts->size - 1)];
	uint64_t both = id | (uint64_t)len << 32;

	memcpy(elem, &both, sizeof(both));
}

/* Makes all used elements before `used` visible (VIRTIO 1.1, 2.6.8). */
static inline void
vring_publish(const struct split_vring *vring, uint16_t used)
{
	__atomic_store_n(&vring->used->idx, used, __ATOMIC_RELEASE);
}

/* Calls the frontend, unless it asked not to be (VIRTIO 1.1, 2.6.7). After vring_publish(). */
void vring_call(const struct split_vring *vring);

/* Control thread: sets the ring's caller, at its start or when calls became slow; NULL removes it. */
void vring_calls_put_aside(struct vring_calls *calls, struct caller_ring *aside);

/* True when the ring needs a caller and has none. */
static inline bool
vring_calls_wants_caller(const struct vring_calls *calls)
{
	return __atomic_load_n(&calls->slow, __ATOMIC_RELAXED) && calls->aside == NULL;
}

/* Tells the frontend whether to kick when it makes chains available (VIRTIO 1.1, 2.6.10). */
static inline void
vring_want_kicks(const struct split_vring *vring, bool want)
{
	__atomic_store_n(&vring->used->flags, want ? 0 : VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
}

#endif

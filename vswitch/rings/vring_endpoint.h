/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The source and the sink of a vhost-user port: its transmitq and its receiveq.
 *
 * The control thread publishes a ring with vring_source_publish() or vring_sink_publish(), takes
 * it back by publishing NULL, and touches the cursor only when a grace period has passed since.
 */
#ifndef VSWITCH_VRING_ENDPOINT_H
#define VSWITCH_VRING_ENDPOINT_H

#include "datapath/endpoint.h"
#include "vring.h"

/*
 * What was learned of the buffers that come next and stay, so that frames do not read them in vain
 * again: a frame of `need` bytes or more, header included, finds no room from chain `avail` on, as
 * long as the last one is before chain `end`; or ever, if it is too big for them.
 */
struct vring_shortage {
	uint32_t need; /* UINT32_MAX: nothing is known */
	uint16_t avail;
	uint16_t end;
	bool too_big;
};

struct vring_sink {
	struct sink base;
	bool offload; /* writer: control; false: everything is done before it is delivered */
	struct split_vring *vring;	/* writer: control, atomically; NULL: not running */
	struct vring_cursor cursor;	/* writer: who holds the lock; control while not running */
	struct vring_shortage shortage; /* writer: who holds the lock */
	uint32_t most; /* chains that were available at once; writer: who holds the lock */
	bool unfilled; /* frames came, and the driver has made no buffer available yet; the same */
};

struct vring_source {
	struct source base;
	struct split_vring *vring;  /* writer: control, atomically; NULL: not running */
	struct vring_cursor cursor; /* writer: the worker; control while not running */
	struct vring_sink *sibling; /* the same port's receiveq; constant */
	uint64_t announced; /* a MAC address to announce, above bit 16; 0: none. Control sets it */
	/* The worker's: */
	const struct split_vring *greeted;    /* the ring whose frontend was called at its start */
	const struct split_vring *taken_from; /* from take() to complete() */
	uint32_t n_taken;
	uint64_t scattered; /* bit i: frame i's virtio-net header was copied to headers[i] */
};

void vring_source_init(struct vring_source *source, uint16_t port, struct vring_sink *sibling);
void vring_sink_init(struct vring_sink *sink, uint16_t port);

static inline void
vring_source_publish(struct vring_source *source, struct split_vring *vring)
{
	__atomic_store_n(&source->vring, vring, __ATOMIC_RELEASE);
}

/*
 * The next turn of the source finds a frame that the station itself did not send: a broadcast
 * (RARP) from its address, as QEMU sends it for guests that do not, so that every other switch
 * learns where the station is now. NULL withdraws it. Control thread, which then has the source
 * polled.
 */
void vring_source_announce(struct vring_source *source, const uint8_t mac[6]);

/* What the frontend takes undone and the ring go together, so both change under the lock. */
void vring_sink_publish(struct vring_sink *sink, struct split_vring *vring);

/* Whether frames are delivered with offloads undone where the frontend takes them so. Control. */
void vring_sink_set_offload(struct vring_sink *sink, bool offload);

/* The ring if it runs and is sound, else NULL. */
static inline struct split_vring *
vring_running(struct split_vring *const *published)
{
	struct split_vring *vring = __atomic_load_n(published, __ATOMIC_ACQUIRE);

	if (vring == NULL || vring_health_defect(vring->health) != VRING_SOUND)
		return NULL;
	return vring;
}

#endif

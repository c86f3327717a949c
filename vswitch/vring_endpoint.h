/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The source and the sink of a vhost-user port: its transmitq and its receiveq.
 *
 * The control thread publishes a ring with vring_source_publish() or vring_sink_publish(), takes
 * it back by publishing NULL, and touches the cursor only when a grace period has passed since.
 */
#ifndef VSWITCH_VRING_ENDPOINT_H
#define VSWITCH_VRING_ENDPOINT_H

#include "endpoint.h"
#include "vring.h"

struct vring_sink {
	struct sink base;
	struct split_vring *vring;  /* writer: control, atomically; NULL: not running */
	struct vring_cursor cursor; /* writer: who holds the lock; control while not running */
};

struct vring_source {
	struct source base;
	struct split_vring *vring;  /* writer: control, atomically; NULL: not running */
	struct vring_cursor cursor; /* writer: the worker; control while not running */
	struct vring_sink *sibling; /* the same port's receiveq; constant */
	/* The worker's: */
	const struct split_vring *greeted;    /* the ring whose frontend was called at its start */
	const struct split_vring *taken_from; /* from take() to complete() */
	uint32_t n_taken;
};

void vring_source_init(struct vring_source *source, uint16_t port, struct vring_sink *sibling);
void vring_sink_init(struct vring_sink *sink, uint16_t port);

static inline void
vring_source_publish(struct vring_source *source, struct split_vring *vring)
{
	__atomic_store_n(&source->vring, vring, __ATOMIC_RELEASE);
}

static inline void
vring_sink_publish(struct vring_sink *sink, struct split_vring *vring)
{
	__atomic_store_n(&sink->vring, vring, __ATOMIC_RELEASE);
}

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

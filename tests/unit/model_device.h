/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The switch's side of the model test: the only file of it that knows the rings' interfaces.
 */
#ifndef TESTS_MODEL_DEVICE_H
#define TESTS_MODEL_DEVICE_H

#include "ring_cases.h"
#include "rings/vring_endpoint.h"

/* A source or a sink over one guest's ring, and what belongs to it. */
struct device {
	struct guest *guest;
	int call_fd; /* an eventfd, non-blocking; the test's */
	struct vring_source source;
	struct vring_sink sink;	      /* of a transmitq: the sibling */
	struct split_vring vrings[2]; /* one after the other, at each start */
	struct split_vring sibling;
	uint32_t starts;
	struct vring_health health;
};

/* Stopped, at the model's cursors. */
void device_init(struct device *device, struct guest *guest);
void device_start(struct device *device);
void device_stop(struct device *device);

uint32_t device_take(struct device *device, struct burst *burst);
void device_complete(struct device *device);
bool device_arm(struct device *device);
void device_disarm(struct device *device);
/* What device_call() needs, NULL when there is nobody to call. */
const void *
device_place(struct device *device, const struct burst *burst, const uint8_t *list, uint32_t n);
void device_call(struct device *device, const void *placed);

const struct counters *device_counters(const struct device *device);
/* Calls since the last time. */
uint64_t device_calls(struct device *device);

#endif

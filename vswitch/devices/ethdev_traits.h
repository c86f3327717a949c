/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In what DPDK's drivers differ and do not say so: how a device of theirs is changed, comes back and
 * ends. Read from their sources. Pure; any thread.
 */
#ifndef VSWITCH_ETHDEV_TRAITS_H
#define VSWITCH_ETHDEV_TRAITS_H

#include <stdbool.h>
#include <stdint.h>

/* What makes a link that went down with its peer come up again. */
enum ethdev_return {
	ETHDEV_RETURNS_ITSELF,
	ETHDEV_RETURNS_BY_START, /* the device must be stopped and started */
	ETHDEV_RETURNS_BY_OPEN,	 /* the device must be closed and opened */
};

struct ethdev_traits {
	const char *driver;
	/*
	 * It has an interface of the kernel and knows it by the name that it was opened with. The switch
	 * sets the interface itself, by its index.
	 */
	bool by_name;
	bool own_interface; /* the interface comes and goes with the device */
	bool starts_once;   /* what was stopped must be opened anew */
	/*
	 * It does not give all mbufs back when it is closed. So no other device may have one of them,
	 * and all are free with the pool.
	 */
	bool keeps_mbufs;
	/*
	 * Bytes of each mbuf behind its headroom, whatever the MTU, and of the longest frame that comes in
	 * one: the rest of it is the kernel's. The mbufs are one piece of memory. 0: any size will do, and
	 * the frame has all of it.
	 */
	uint32_t room, frame_max;
	/*
	 * Its handler takes new peers while it is stopped, so it must be closed before that runs again. Closing
	 * waits for nobody.
	 */
	bool hears_stopped;
	/*
	 * It keeps the mbufs of frames that were sent until its ring is nearly full, and takes as
	 * tx_free_thresh how many entries less than the ring's make it give them back.
	 */
	bool keeps_sent;
	enum ethdev_return returns;
};

/* Of a device's name, which begins with its driver's. Never NULL. */
const struct ethdev_traits *ethdev_traits(const char *name);

#endif

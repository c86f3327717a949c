/* SPDX-License-Identifier: BSD-3-Clause */
/* See ethdev_traits.h. */
#include "ethdev_traits.h"

#include <string.h>

/*
 * The most with which an mbuf fits a page of 4096 bytes: its headers and the headroom take 320, and the
 * pool may add 64 so that mbufs are spread over the channels of the memory.
 */
#define XDP_ROOM 3712

/* The kernel leaves so much free in front of each frame that comes. */
#define XDP_HEADROOM 256

static const struct ethdev_traits known[] = {
	{ .driver = "net_af_packet", .by_name = true },
	/*
	 * Its sockets are bound when a queue is set up, and unbound when it is closed. An mbuf with all that
	 * belongs to it is a chunk of the kernel's, which takes a page at most.
	 */
	{ .driver = "net_af_xdp",
			.by_name = true,
			.starts_once = true,
			.keeps_mbufs = true,
			.room = XDP_ROOM,
			.frame_max = XDP_ROOM - XDP_HEADROOM },
	{ .driver = "net_tap", .by_name = true, .own_interface = true },
	{ .driver = "net_memif", .hears_stopped = true, .returns = ETHDEV_RETURNS_BY_START },
	/* That of a kernel port, which looks after its interface itself. */
	{ .driver = "net_virtio_user_kernel", .own_interface = true, .keeps_sent = true },
	{ .driver = "net_virtio_user", .keeps_sent = true, .returns = ETHDEV_RETURNS_BY_OPEN },
};

static const struct ethdev_traits usual;

const struct ethdev_traits *
ethdev_traits(const char *name)
{
	for (unsigned int i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(name, known[i].driver, strlen(known[i].driver)) == 0)
			return &known[i];
	return &usual;
}

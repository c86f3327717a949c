/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Moves vhost-user messages with their descriptors over non-blocking UNIX stream sockets. Used by
 * the gate on the control thread, towards the frontend and towards the library. Knows the layout
 * of a message and nothing of its meaning.
 */
#ifndef VSWITCH_VHOST_IO_H
#define VSWITCH_VHOST_IO_H

#include "fd_receive.h"
#include "vhost_msg.h"

enum vhost_io {
	VHOST_IO_AGAIN,	 /* not whole yet: call again when there is more to read */
	VHOST_IO_HEADER, /* the header is whole; check it before the next call */
	VHOST_IO_WHOLE,
	VHOST_IO_END,	  /* the peer is gone */
	VHOST_IO_BAD_FDS, /* more descriptors than a message may have */
};

/* Makes the message empty; closes nothing. */
void vhost_io_init(struct vhost_msg *msg);

/*
 * Reads on with a message, at most to the end of its header or of its payload, never beyond it. The
 * message owns the descriptors, which are close-on-exec; `surplus` gets those beyond
 * VHOST_MSG_FDS_MAX. The payload must fit, so check the header first. Needs FD_RECEIVE_MAX free
 * descriptors (fd_receive.h).
 */
enum vhost_io vhost_io_read(int fd, struct vhost_msg *msg, const struct fd_receiver *surplus);

/* True when nothing of a message has been read yet. */
bool vhost_io_idle(const struct vhost_msg *msg);

/*
 * Sends a message with its descriptors, which stay the caller's. 0 or -errno. -EAGAIN: the socket's
 * buffer had no room for all of it; the stream is useless then.
 */
int vhost_io_send(int fd, const struct vhost_msg *msg);

#endif

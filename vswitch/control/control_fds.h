/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors that clients of the control socket send along, for which no request has a use, and the
 * connections in which they may lie unread. Their last close may wait as long as the sender likes,
 * so that they go to the reaper. Control thread; used by control.c and control_client.c.
 */
#ifndef VSWITCH_CONTROL_FDS_H
#define VSWITCH_CONTROL_FDS_H

/* 0 or -ENOMEM. */
int control_fds_start(void);
void control_fds_stop(void);

/* Gives up a descriptor that was sent; `unused` is for struct fd_receiver. */
void control_fds_give(void *unused, int fd);

/* Closes a connection; what was written to it can still be read at its other end. */
void control_fds_end(int fd);

/* Closes the listening socket, with the connections that nobody has accepted. */
void control_fds_end_listener(int fd);

#endif

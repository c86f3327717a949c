/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tells the service manager how far the switch has started: the protocol of sd_notify(3), written here
 * because it is one datagram. Called by main, on the control thread.
 */
#ifndef VSWITCH_SD_NOTIFY_H
#define VSWITCH_SD_NOTIFY_H

/*
 * Sends `state` ("READY=1") to the socket that NOTIFY_SOCKET names: a path, or a name in the
 * abstract name space after '@'. Does nothing without that variable. 0 or -errno; never blocks.
 */
int sd_notify_send(const char *state);

#endif

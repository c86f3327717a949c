/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tells a service manager how far the switch is: the protocol of sd_notify(3), by hand, since it
 * is one datagram. Called by main, on the control thread.
 */
#ifndef VSWITCH_SD_NOTIFY_H
#define VSWITCH_SD_NOTIFY_H

/*
 * Sends `state` ("READY=1") to the socket that NOTIFY_SOCKET names: a path, or a name in the
 * abstract name space after '@'. Nothing happens without that variable. 0 or -errno; never blocks.
 */
int sd_notify_send(const char *state);

#endif

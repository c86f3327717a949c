/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The other end of a device whose driver meets it at a UNIX socket, looked at before the driver is
 * asked: drivers that fail keep some of what they took. Helper threads, no other of which adds or removes
 * a device meanwhile.
 */
#ifndef VSWITCH_ETHDEV_PEER_H
#define VSWITCH_ETHDEV_PEER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * `driver` is a driver's name, with or without what follows it in a device's. 0: the device's socket
 * can be used: its peer listens, or nobody does where the device itself will; a socket that a program
 * left behind there is removed. Else -errno with words; -ENOENT: the peer is not there yet.
 */
int ethdev_peer_check(const char *driver, const char *devargs, char *err, size_t err_size);

/* The device calls its peer, and must do so again when that has come back. */
bool ethdev_peer_is_called(const char *driver, const char *devargs);

#endif

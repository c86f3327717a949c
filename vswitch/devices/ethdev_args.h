/* SPDX-License-Identifier: BSD-3-Clause */
/* A device's arguments, "DRIVER0,key=value,...": their values by key. Pure; any thread. */
#ifndef VSWITCH_ETHDEV_ARGS_H
#define VSWITCH_ETHDEV_ARGS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The value of the first such key, cut to `size`; the arguments may be without the driver's name. False: there is none, and the text is "".
 */
bool ethdev_args_value(const char *devargs, const char *key, char *text, size_t size);

/* The arguments with another value of the key, which is there. False: they are longer than `size`. */
bool ethdev_args_replace(
		const char *devargs, const char *key, const char *value, char *text, size_t size);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether jansson went without memory. Its builders return errors that are easily dropped: a member
 * is left out of an object, an element out of an array, and json_dumps() itself forgets to ask
 * whether it has written a key. So nobody asks at each call, but at the end, once for all of it:
 *
 *	(void)json_memory_failed();
 *	value = ... dozens of json_object_set_new() ...; text = json_dumps(value, ...);
 *	if (json_memory_failed())
 *		value and text may lack something
 *
 * A thread hears of its own failures only.
 */
#ifndef COMMON_JSON_MEMORY_H
#define COMMON_JSON_MEMORY_H

#include <stdbool.h>

/* Gives jansson its memory from here on. Once, before any JSON and any thread. */
void json_memory_watch(void);

/* True when an allocation has failed in this thread since it last asked. */
bool json_memory_failed(void);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether jansson ran out of memory. The errors of its builders are easily missed: a member is left out of
 * an object, an element out of an array, and json_dumps() itself does not check whether it has written a
 * key. So callers do not check each call, but all of them at the end:
 *
 *	(void)json_memory_failed();
 *	value = ... dozens of json_object_set_new() ...; text = json_dumps(value, ...);
 *	if (json_memory_failed())
 *		value and text may lack something
 *
 * Failures are recorded for each thread.
 */
#ifndef COMMON_JSON_MEMORY_H
#define COMMON_JSON_MEMORY_H

#include <stdbool.h>

/* Makes jansson allocate by functions of ours. Once, before any JSON and any thread. */
void json_memory_watch(void);

/* True when an allocation has failed in this thread since its last call of this. */
bool json_memory_failed(void);

#endif

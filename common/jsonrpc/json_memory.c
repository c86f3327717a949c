/* SPDX-License-Identifier: BSD-3-Clause */
/* See json_memory.h. */
#include "json_memory.h"

#include <stdlib.h>

#include <jansson.h>

static __thread bool failed;

static void *
allocate(size_t size)
{
	void *memory = malloc(size);

	if (memory == NULL)
		failed = true;
	return memory;
}

void
json_memory_watch(void)
{
	json_set_alloc_funcs(allocate, free);
}

bool
json_memory_failed(void)
{
	bool since_last = failed;

	failed = false;
	return since_last;
}

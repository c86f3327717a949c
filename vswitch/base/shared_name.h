/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A name that one thread changes while others read it, without a lock. A reader may get a mix of the old
 * and the new name; it always gets a terminated string.
 */
#ifndef VSWITCH_SHARED_NAME_H
#define VSWITCH_SHARED_NAME_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SHARED_NAME_SIZE 64 /* with the terminating zero; longer names are cut */

struct shared_name {
	uint64_t words[SHARED_NAME_SIZE / sizeof(uint64_t)]; /* the last byte is always zero */
};

/* One thread. */
static inline void
shared_name_set(struct shared_name *name, const char *text)
{
	struct shared_name copy = { 0 };
	size_t len = strlen(text);

	memcpy(copy.words, text, len < SHARED_NAME_SIZE ? len : SHARED_NAME_SIZE - 1);
	for (size_t i = 0; i < SHARED_NAME_SIZE / sizeof(uint64_t); i++)
		__atomic_store_n(&name->words[i], copy.words[i], __ATOMIC_RELAXED);
}

/* Any thread. */
static inline void
shared_name_get(const struct shared_name *name, char text[SHARED_NAME_SIZE])
{
	for (size_t i = 0; i < SHARED_NAME_SIZE / sizeof(uint64_t); i++) {
		uint64_t word = __atomic_load_n(&name->words[i], __ATOMIC_RELAXED);

		memcpy(text + i * sizeof(word), &word, sizeof(word));
	}
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Random choices that a seed repeats (splitmix64). */
#ifndef TESTS_SOAK_CHANCE_H
#define TESTS_SOAK_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct chance {
	uint64_t state;
};

static inline uint64_t
chance_u64(struct chance *chance)
{
	uint64_t z = chance->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* 0 to n - 1. */
static inline uint32_t
chance_below(struct chance *chance, uint32_t n)
{
	return (uint32_t)(chance_u64(chance) % n);
}

/* True once in n. */
static inline bool
chance_one_in(struct chance *chance, uint32_t n)
{
	return chance_below(chance, n) == 0;
}

static inline void
chance_fill(struct chance *chance, void *data, size_t size)
{
	uint8_t *at = data;

	for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
		uint64_t word = chance_u64(chance);

		memcpy(at + i, &word, size - i < sizeof(word) ? size - i : sizeof(word));
	}
}

/* A number that programs stumble over: a border, a power of two, one beside it, or any. */
static inline uint64_t
chance_odd_number(struct chance *chance)
{
	uint64_t n = 1ull << chance_below(chance, 64);

	switch (chance_below(chance, 6)) {
	case 0:
		return 0;
	case 1:
		return n;
	case 2:
		return n - 1;
	case 3:
		return -n;
	case 4:
		return chance_below(chance, 300);
	default:
		return chance_u64(chance);
	}
}

#endif

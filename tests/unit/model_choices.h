/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random choices that are remembered: a test case is the list of choices that made it. Choices can
 * be played again, and a list that makes a test fail can be made shorter and smaller. 0 is always
 * the simplest choice, and what a list that is too short gives.
 */
#ifndef TESTS_MODEL_CHOICES_H
#define TESTS_MODEL_CHOICES_H

#include <stdbool.h>
#include <stdint.h>

#define CHOICES_MAX 4096

struct choices {
	uint64_t state; /* of the generator */
	bool replay;
	uint32_t n;  /* in the list */
	uint32_t at; /* the next one to play */
	uint32_t values[CHOICES_MAX];
};

/* Begins a new list, the same for the same seed. */
void choices_seed(struct choices *choices, uint64_t seed);
/* From now on choose() gives the list's values, then 0. */
void choices_replay(struct choices *choices);

/* 0 to bound - 1; bound is not 0. */
uint32_t choose(struct choices *choices, uint32_t bound);

/* True once in `n` times. */
static inline bool
rarely(struct choices *choices, uint32_t n)
{
	return choose(choices, n) == n - 1;
}

/* min to max; min is the simplest. */
static inline uint32_t
choose_from(struct choices *choices, uint32_t min, uint32_t max)
{
	return min + choose(choices, max - min + 1);
}

/*
 * Makes a list that fails smaller as long as it still fails: takes choices out, makes them 0, halves
 * them. `fails` plays a list and may change only where it stands.
 */
void choices_shrink(struct choices *choices, bool (*fails)(struct choices *choices));

#endif

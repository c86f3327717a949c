/* SPDX-License-Identifier: BSD-3-Clause */
#include "model_choices.h"

#include <string.h>
#include <time.h>

#define SHRINK_TRIES 20000
#define SHRINK_SECONDS 40

/* splitmix64: good for any seed, also for neighbours. */
static uint32_t
next_number(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) >> 32;
}

void
choices_seed(struct choices *choices, uint64_t seed)
{
	choices->state = seed * 0xd1342543de82ef95u;
	choices->replay = false;
	choices->n = 0;
	choices->at = 0;
}

void
choices_replay(struct choices *choices)
{
	choices->replay = true;
	choices->at = 0;
}

uint32_t
choose(struct choices *choices, uint32_t bound)
{
	uint32_t value;

	if (choices->replay)
		return choices->at < choices->n ? choices->values[choices->at++] % bound : 0;
	if (choices->n == CHOICES_MAX)
		return 0;
	value = ((uint64_t)next_number(&choices->state) * bound) >> 32;
	choices->values[choices->n++] = value;
	return value;
}

struct shrinking {
	struct choices best;
	struct choices trial;
	bool (*fails)(struct choices *choices);
	uint32_t tries;
	time_t end;
	bool progress; /* in this pass */
};

/* A case that hangs takes long to try. */
static bool
spent(const struct shrinking *shrinking)
{
	return shrinking->tries == SHRINK_TRIES || time(NULL) >= shrinking->end;
}

/* Keeps the trial if it fails too. */
static bool
try_it(struct shrinking *shrinking)
{
	if (spent(shrinking))
		return false;
	shrinking->tries++;
	choices_replay(&shrinking->trial);
	if (!shrinking->fails(&shrinking->trial))
		return false;
	/* What it did not play is not part of it. */
	if (shrinking->trial.at < shrinking->trial.n)
		shrinking->trial.n = shrinking->trial.at;
	shrinking->best = shrinking->trial;
	shrinking->progress = true;
	return true;
}

static bool
try_without(struct shrinking *shrinking, uint32_t at, uint32_t n)
{
	uint32_t *values = shrinking->trial.values;

	shrinking->trial = shrinking->best;
	memmove(values + at, values + at + n, (shrinking->trial.n - at - n) * sizeof(*values));
	shrinking->trial.n -= n;
	return try_it(shrinking);
}

static bool
try_value(struct shrinking *shrinking, uint32_t at, uint32_t value)
{
	if (at >= shrinking->best.n || value >= shrinking->best.values[at])
		return false;
	shrinking->trial = shrinking->best;
	shrinking->trial.values[at] = value;
	return try_it(shrinking);
}

static void
take_out(struct shrinking *shrinking)
{
	for (uint32_t n = shrinking->best.n / 2; n > 0; n /= 2) {
		uint32_t at = 0;

		while (at + n <= shrinking->best.n)
			if (!try_without(shrinking, at, n))
				at += n;
	}
}

static void
make_smaller(struct shrinking *shrinking)
{
	for (uint32_t at = 0; at < shrinking->best.n; at++) {
		if (try_value(shrinking, at, 0))
			continue;
		while (at < shrinking->best.n &&
				try_value(shrinking, at, shrinking->best.values[at] / 2))
			;
		while (at < shrinking->best.n &&
				try_value(shrinking, at, shrinking->best.values[at] - 1))
			;
	}
}

void
choices_shrink(struct choices *choices, bool (*fails)(struct choices *choices))
{
	static struct shrinking shrinking;

	memset(&shrinking, 0, sizeof(shrinking));
	shrinking.best = *choices;
	shrinking.fails = fails;
	shrinking.end = time(NULL) + SHRINK_SECONDS;
	do {
		shrinking.progress = false;
		take_out(&shrinking);
		make_smaller(&shrinking);
	} while (shrinking.progress && !spent(&shrinking));
	*choices = shrinking.best;
}

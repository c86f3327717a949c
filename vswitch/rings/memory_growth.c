/* SPDX-License-Identifier: BSD-3-Clause */
/* See memory_growth.h. */
#include "memory_growth.h"

#include <stdio.h>
#include <string.h>

#define SECOND_NS 1000000000ull
#define TEXT_AGE_NS (2 * SECOND_NS)

/* A bucket is full after this time; longer times are cut to it, so that no product overflows. */
#define FULL_AFTER_NS (10 * SECOND_NS)

/* What the host has left, bytes. No limit until the control thread has set it. */
static int64_t host_left = INT64_MAX;

enum limit {
	LIMIT_NONE,
	LIMIT_MAX,
	LIMIT_HOST,
	LIMIT_RATE,
};

void
memory_growth_set_left(int64_t bytes)
{
	__atomic_store_n(&host_left, bytes, __ATOMIC_RELAXED);
}

void
memory_growth_init(struct memory_growth *growth, uint64_t max)
{
	memset(growth, 0, sizeof(*growth));
	growth->tokens = MEMORY_GROWTH_BURST;
	growth->max = max;
}

/*
 * The limit that is reached. A port gets no more once its share is as large as what is left for all. So one
 * port leaves half of the host's memory to the others, and two ports leave a third.
 */
static enum limit
reached(const struct memory_growth *growth)
{
	uint64_t total = memory_growth_total(growth);
	int64_t left = __atomic_load_n(&host_left, __ATOMIC_RELAXED);

	if (total >= __atomic_load_n(&growth->max, __ATOMIC_RELAXED))
		return LIMIT_MAX;
	if (left <= 0 || total >= (uint64_t)left)
		return LIMIT_HOST;
	if (__atomic_load_n(&growth->tokens, __ATOMIC_RELAXED) <= 0)
		return LIMIT_RATE;
	return LIMIT_NONE;
}

static void
judge(struct memory_growth *growth)
{
	__atomic_store_n(&growth->limited, reached(growth) != LIMIT_NONE, __ATOMIC_RELAXED);
}

void
memory_growth_set_max(struct memory_growth *growth, uint64_t max)
{
	__atomic_store_n(&growth->max, max, __ATOMIC_RELAXED);
	judge(growth);
}

void
memory_growth_add(struct memory_growth *growth, uint64_t bytes)
{
	__atomic_fetch_add(&growth->total, bytes, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&growth->tokens, (int64_t)bytes, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&host_left, (int64_t)bytes, __ATOMIC_RELAXED);
	judge(growth);
}

static void
owe(struct memory_growth *growth, uint64_t bytes)
{
	uint64_t owed = __atomic_load_n(&growth->owed, __ATOMIC_RELAXED), sum;

	do
		sum = bytes < MEMORY_GROWTH_OWED - owed ? owed + bytes : MEMORY_GROWTH_OWED;
	while (!__atomic_compare_exchange_n(
			&growth->owed, &owed, sum, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

void
memory_growth_add_guess(struct memory_growth *growth, uint64_t bytes)
{
	const int64_t least = -MEMORY_GROWTH_OVERDRAFT / 2;
	int64_t tokens = __atomic_load_n(&growth->tokens, __ATOMIC_RELAXED);
	int64_t room = tokens > least ? tokens - least : 0;

	if (bytes > (uint64_t)room) {
		owe(growth, bytes - (uint64_t)room);
		bytes = (uint64_t)room;
	}
	__atomic_fetch_sub(&growth->tokens, (int64_t)bytes, __ATOMIC_RELAXED);
	judge(growth);
}

void
memory_growth_settle(struct memory_growth *growth, uint64_t before, uint64_t exist)
{
	if (before > exist)
		__atomic_fetch_sub(&growth->total, before - exist, __ATOMIC_RELAXED);
}

/* Pays what the port owes out of `earned` new tokens; returns what is left of them. */
static int64_t
pay(struct memory_growth *growth, int64_t earned)
{
	uint64_t owed = __atomic_load_n(&growth->owed, __ATOMIC_RELAXED);
	int64_t paid;

	do
		paid = owed < (uint64_t)earned ? (int64_t)owed : earned;
	while (paid > 0 &&
			!__atomic_compare_exchange_n(&growth->owed, &owed, owed - (uint64_t)paid,
					false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return earned - paid;
}

/* Adds tokens for the time since the last refill. Of several threads at once only one does it. */
static void
refill(struct memory_growth *growth, uint64_t now_ns)
{
	uint64_t last = __atomic_load_n(&growth->refilled_ns, __ATOMIC_RELAXED);
	uint64_t passed = now_ns - last;
	int64_t tokens;

	if (last >= now_ns ||
			!__atomic_compare_exchange_n(&growth->refilled_ns, &last, now_ns, false,
					__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	if (last == 0)
		return; /* the bucket was full when it was made */
	if (passed > FULL_AFTER_NS)
		passed = FULL_AFTER_NS;
	tokens = (int64_t)(passed * (uint64_t)MEMORY_GROWTH_RATE / SECOND_NS);
	tokens = __atomic_add_fetch(&growth->tokens, pay(growth, tokens), __ATOMIC_RELAXED);
	if (tokens > MEMORY_GROWTH_BURST)
		__atomic_fetch_sub(&growth->tokens, tokens - MEMORY_GROWTH_BURST, __ATOMIC_RELAXED);
}

/* Whether the port is further over a limit than buffers that are checked can bring it. */
static bool
is_overdrawn(const struct memory_growth *growth)
{
	uint64_t max = __atomic_load_n(&growth->max, __ATOMIC_RELAXED);
	uint64_t total = memory_growth_total(growth);

	return __atomic_load_n(&growth->tokens, __ATOMIC_RELAXED) < -MEMORY_GROWTH_OVERDRAFT ||
			(total > max && total - max > (uint64_t)MEMORY_GROWTH_OVERDRAFT);
}

enum memory_growth_verdict
memory_growth_look(struct memory_growth *growth, uint64_t now_ns)
{
	refill(growth, now_ns);
	if (is_overdrawn(growth))
		return MEMORY_GROWTH_STOPPED;
	judge(growth);
	return memory_growth_is_free(growth) ? MEMORY_GROWTH_FREE : MEMORY_GROWTH_CHECKED;
}

void
memory_growth_refuse(struct memory_growth *growth, uint64_t now_ns)
{
	__atomic_store_n(&growth->refused_ns, now_ns, __ATOMIC_RELAXED);
}

void
memory_growth_text(const struct memory_growth *growth, uint64_t now_ns, char *text, size_t size)
{
	static const char *const why[] = {
		[LIMIT_NONE] = "its share of a second",
		[LIMIT_MAX] = "its max-memory",
		[LIMIT_HOST] = "as much as the host has left",
		[LIMIT_RATE] = "its share of a second",
	};
	uint64_t refused_ns = __atomic_load_n(&growth->refused_ns, __ATOMIC_RELAXED);

	text[0] = '\0';
	if (refused_ns == 0 || now_ns > refused_ns + TEXT_AGE_NS)
		return;
	snprintf(text, size,
			"buffers on memory that the frontend has not touched are refused: the "
			"switch has added %llu MiB to it, %s",
			(unsigned long long)memory_growth_total(growth) >> 20,
			why[reached(growth)]);
}

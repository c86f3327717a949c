/* SPDX-License-Identifier: BSD-3-Clause */
/* See fdb_flaps.h. */
#include "fdb_flaps.h"

#include <string.h>

/* Clears the counts of seconds that are over FDB_FLAP_SECONDS ago. */
static void
advance(struct fdb_mover *mover, uint32_t now)
{
	uint32_t passed = now - mover->at, i;

	if ((int32_t)passed <= 0)
		return; /* a worker's clock is a second behind another's */
	if (passed > FDB_FLAP_SECONDS)
		passed = FDB_FLAP_SECONDS;
	for (i = 0; i < passed; i++)
		mover->moves[(now - i) % FDB_FLAP_SECONDS] = 0;
	mover->at = now;
}

static uint32_t
count_moves(const struct fdb_mover *mover)
{
	uint32_t sum = 0, i;

	for (i = 0; i < FDB_FLAP_SECONDS; i++)
		sum += mover->moves[i];
	return sum;
}

static bool
is_same(const struct fdb_key *a, const struct fdb_key *b)
{
	return memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 && a->vlan == b->vlan &&
			a->domain == b->domain;
}

/* The record of a station. If it has none: a free one, or that of the station that moved longest ago. */
static struct fdb_mover *
find_mover(struct fdb_flaps *flaps, const struct fdb_key *key)
{
	struct fdb_mover *mover, *oldest = &flaps->movers[0];
	uint32_t i;

	for (i = 0; i < FDB_FLAPS_MAX; i++) {
		mover = &flaps->movers[i];
		if (mover->used && is_same(&mover->move.key, key))
			return mover;
		if (oldest->used && (!mover->used || (int32_t)(mover->at - oldest->at) < 0))
			oldest = mover;
	}
	*oldest = (struct fdb_mover){ .used = false };
	return oldest;
}

void
fdb_flaps_note(struct fdb_flaps *flaps, const struct fdb_move *move, uint32_t now)
{
	struct fdb_mover *mover = find_mover(flaps, &move->key);
	uint16_t *moves;

	if (!mover->used)
		mover->at = now;
	mover->used = true;
	mover->move = *move;
	advance(mover, now);
	moves = &mover->moves[mover->at % FDB_FLAP_SECONDS];
	if (*moves < UINT16_MAX)
		(*moves)++;
}

void
fdb_flaps_forget(struct fdb_flaps *flaps, uint16_t port)
{
	struct fdb_mover *mover;
	uint32_t i;

	for (i = 0; i < FDB_FLAPS_MAX; i++) {
		mover = &flaps->movers[i];
		if (mover->move.from == port || mover->move.to == port)
			mover->used = false;
	}
}

uint32_t
fdb_flaps_list(struct fdb_flaps *flaps, uint32_t now, struct fdb_flap *out, uint32_t max)
{
	struct fdb_mover *mover;
	uint32_t i, n = 0, moves;

	for (i = 0; i < FDB_FLAPS_MAX && n < max; i++) {
		mover = &flaps->movers[i];
		if (!mover->used)
			continue;
		advance(mover, now);
		moves = count_moves(mover);
		if (moves >= FDB_FLAP_MOVES)
			out[n++] = (struct fdb_flap){ .move = mover->move, .moves = moves };
	}
	return n;
}

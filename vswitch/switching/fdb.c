/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interface of the forwarding database: workers look up and learn, the control thread does the rest.
 * fdb_store.c changes the entries.
 *
 * A station that has not moved costs a worker one lookup without a lock and, once a second, a relaxed
 * store of the time. Everything else happens under one spinlock. It is held while one entry changes; a
 * flush changes FLUSH_PIECE entries at a time, and fdb_take_moves() holds it during a copy.
 */
#include "fdb.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "fdb_ports.h"
#include "fdb_store.h"
#include "fdb_table.h"
#include "base/spinlock.h"
#include "base/switch_limits.h"

#define DEFAULT_AGEING 300
#define FLUSH_PIECE 64
#define SWEEP_BUCKETS (FDB_BUCKETS / 4)

struct fdb *
fdb_create(uint64_t seed)
{
	struct fdb *fdb = aligned_alloc(64, sizeof(*fdb));

	if (fdb == NULL)
		return NULL;
	memset(fdb, 0, sizeof(*fdb));
	fdb->ageing = DEFAULT_AGEING;
	if (fdb_table_init(&fdb->table, seed) < 0)
		goto free_fdb;
	if (fdb_ports_init(&fdb->ports) < 0)
		goto free_table;
	return fdb;

free_table:
	fdb_table_fini(&fdb->table);
free_fdb:
	free(fdb);
	errno = ENOMEM;
	return NULL;
}

void
fdb_destroy(struct fdb *fdb)
{
	if (fdb == NULL)
		return;
	fdb_ports_fini(&fdb->ports);
	fdb_table_fini(&fdb->table);
	free(fdb);
}

static bool
is_station(const struct fdb_key *key)
{
	static const uint8_t zero[6];

	return !(key->mac[0] & 1) && memcmp(key->mac, zero, sizeof(zero)) != 0;
}

/* The slow path of fdb_lookup(). noinline, so that the fast path needs no stack frame. */
static __attribute__((noinline)) uint16_t
look_again(const struct fdb *fdb, const struct fdb_key *key, uint32_t now)
{
	struct fdb_name name = fdb_table_name_key(&fdb->table, key);
	struct fdb_found found = fdb_table_find(&fdb->table, &name);

	if (found.slot == NULL || fdb_store_expired(fdb, found.view, now))
		return FDB_NO_PORT;
	return fdb_place_port(found.view.place);
}

uint16_t
fdb_lookup(const struct fdb *fdb, const struct fdb_key *key, uint32_t now)
{
	struct fdb_name name = fdb_table_name_key(&fdb->table, key);
	struct fdb_found found = fdb_table_glance(&fdb->table, &name);

	if (found.slot == NULL || fdb_store_expired(fdb, found.view, now))
		return look_again(fdb, key, now);
	return fdb_place_port(found.view.place);
}

void
fdb_prefetch(const struct fdb *fdb, const struct fdb_key *key)
{
	struct fdb_name name = fdb_table_name_key(&fdb->table, key);

	__builtin_prefetch(&fdb->table.buckets[name.first]);
}

/* Whether `port` may have one more entry. Frees its oldest one if that has expired. */
static bool
within_limit(struct fdb *fdb, uint16_t port, uint32_t limit, uint32_t now) REQUIRES(fdb->lock)
{
	uint32_t slot;

	if (limit == 0 || fdb->ports.counts[port] < limit)
		return true;
	slot = fdb_store_oldest(fdb, port);
	if (slot != FDB_NO_SLOT && fdb_store_expired(fdb, fdb_store_view(fdb, slot), now))
		fdb_store_release(fdb, slot);
	return fdb->ports.counts[port] < limit;
}

static void
record_move(struct fdb *fdb, const struct fdb_move *move, uint32_t now) REQUIRES(fdb->lock)
{
	fdb_flaps_note(&fdb->flaps, move, now);
	if (fdb->moves_n == FDB_MOVES_MAX) {
		fdb->moves_lost++;
		return;
	}
	fdb->moves[(fdb->moves_first + fdb->moves_n++) % FDB_MOVES_MAX] = *move;
}

/* The station of `key` (`name` in the table) was heard on the port and at the time in `fresh`. */
static enum fdb_learned
change(struct fdb *fdb, const struct fdb_key *key, const struct fdb_name *name,
		struct fdb_view fresh, uint32_t limit) REQUIRES(fdb->lock)
{
	struct fdb_found found = fdb_table_find(&fdb->table, name);
	uint16_t port = fdb_place_port(fresh.place);
	uint16_t from = fdb_place_port(found.view.place);

	if (found.slot != NULL && fdb_store_expired(fdb, found.view, fresh.heard)) {
		fdb_store_release(fdb, fdb_table_number(&fdb->table, found.slot));
		found.slot = NULL;
	}
	if (found.slot != NULL && from == port)
		return FDB_KNOWN; /* another worker was faster */
	if (found.slot != NULL && found.view.place & FDB_PLACE_STATIC)
		return FDB_REFUSED;
	if (!within_limit(fdb, port, limit, fresh.heard))
		return FDB_REFUSED;
	if (found.slot == NULL)
		return fdb_store_insert(fdb, name, fresh) < 0 ? FDB_REFUSED : FDB_NEW;
	fdb_store_relabel(fdb, fdb_table_number(&fdb->table, found.slot), fresh);
	record_move(fdb, &(struct fdb_move){ .key = *key, .from = from, .to = port }, fresh.heard);
	return FDB_MOVED;
}

/* The slow path of fdb_learn(). noinline, so that the fast path needs no stack frame. */
static __attribute__((noinline)) enum fdb_learned
learn_again(struct fdb *fdb, const struct fdb_key *key, uint16_t port, uint32_t limit, uint32_t now)
{
	struct fdb_view fresh = { .place = fdb_place(port, key->domain), .heard = now };
	struct fdb_name name = fdb_table_name_key(&fdb->table, key);
	struct fdb_found found = fdb_table_find(&fdb->table, &name);
	enum fdb_learned learned;

	if (port >= PORTS_MAX || !is_station(key))
		return FDB_REFUSED;
	if (found.slot != NULL && !fdb_store_expired(fdb, found.view, now)) {
		if ((found.view.place & ~FDB_PLACE_STATIC) == fresh.place) {
			if (fdb_store_age(found.view.heard, now) > 0)
				__atomic_store_n(&found.slot->heard, now, __ATOMIC_RELAXED);
			return FDB_KNOWN;
		}
		if (found.view.place & FDB_PLACE_STATIC)
			return FDB_REFUSED;
	}
	spinlock_lock(&fdb->lock);
	learned = change(fdb, key, &name, fresh, limit);
	spinlock_unlock(&fdb->lock);
	return learned;
}

enum fdb_learned
fdb_learn(struct fdb *fdb, const struct fdb_key *key, uint16_t port, uint32_t limit, uint32_t now)
{
	struct fdb_name name = fdb_table_name_key(&fdb->table, key);
	struct fdb_found found = fdb_table_glance(&fdb->table, &name);

	if (found.slot != NULL && found.view.place == fdb_place(port, key->domain) &&
			found.view.heard == now)
		return FDB_KNOWN;
	return learn_again(fdb, key, port, limit, now);
}

int
fdb_add_static(struct fdb *fdb, const struct fdb_key *key, uint16_t port)
{
	struct fdb_view fresh = { .place = fdb_place(port, key->domain) | FDB_PLACE_STATIC };
	struct fdb_name name = fdb_table_name_key(&fdb->table, key);
	struct fdb_found found;
	int rc = 0;

	if (port >= PORTS_MAX || !is_station(key))
		return -EINVAL;
	spinlock_lock(&fdb->lock);
	found = fdb_table_find(&fdb->table, &name);
	if (found.slot != NULL)
		fdb_store_relabel(fdb, fdb_table_number(&fdb->table, found.slot), fresh);
	else
		rc = fdb_store_insert(fdb, &name, fresh);
	spinlock_unlock(&fdb->lock);
	return rc;
}

int
fdb_delete(struct fdb *fdb, const struct fdb_key *key)
{
	struct fdb_name name = fdb_table_name_key(&fdb->table, key);
	struct fdb_found found;

	spinlock_lock(&fdb->lock);
	found = fdb_table_find(&fdb->table, &name);
	if (found.slot != NULL)
		fdb_store_release(fdb, fdb_table_number(&fdb->table, found.slot));
	spinlock_unlock(&fdb->lock);
	return found.slot != NULL ? 0 : -ENOENT;
}

/*
 * Puts the entries of a flush on the condemned list. All at once: a flush by pieces would never end where
 * entries are learned meanwhile.
 */
static void
condemn(struct fdb *fdb, uint16_t port, bool statics)
{
	uint32_t first = port == FDB_NO_PORT ? 0 : port;
	uint32_t end = port == FDB_NO_PORT ? PORTS_MAX : port + 1u;
	uint32_t i;

	spinlock_lock(&fdb->lock);
	for (i = first; i < end; i++) {
		fdb_ports_condemn(&fdb->ports, FDB_LIST_LEARNED(i));
		if (statics)
			fdb_ports_condemn(&fdb->ports, FDB_LIST_STATIC(i));
	}
	spinlock_unlock(&fdb->lock);
}

/* Frees up to FLUSH_PIECE condemned entries. Returns how many. */
static uint32_t
flush_piece(struct fdb *fdb)
{
	uint32_t n, slot;

	spinlock_lock(&fdb->lock);
	for (n = 0; n < FLUSH_PIECE; n++) {
		slot = fdb_ports_oldest(&fdb->ports, FDB_LIST_CONDEMNED);
		if (slot == FDB_NO_SLOT)
			break;
		fdb_store_release(fdb, slot);
	}
	spinlock_unlock(&fdb->lock);
	return n;
}

uint32_t
fdb_flush(struct fdb *fdb, uint16_t port, bool statics)
{
	uint32_t n, flushed = 0;

	if (port >= PORTS_MAX && port != FDB_NO_PORT)
		return 0;
	condemn(fdb, port, statics);
	if (statics) {
		spinlock_lock(&fdb->lock);
		fdb_flaps_forget(&fdb->flaps, port);
		spinlock_unlock(&fdb->lock);
	}
	do {
		n = flush_piece(fdb);
		flushed += n;
		/* yield, so that a worker that waits for the lock gets it first */
		sched_yield();
	} while (n == FLUSH_PIECE);
	return flushed;
}

/* A consistent copy of a slot, without the lock; false when it is free. */
static bool
read_slot(const struct fdb *fdb, uint32_t number, uint64_t *station, struct fdb_view *view)
{
	const struct fdb_bucket *bucket = fdb_table_bucket(&fdb->table, number);
	const struct fdb_slot *slot = fdb_table_slot(&fdb->table, number);
	uint32_t seq, waited = 0;

	for (;; spinlock_relax(&waited)) {
		seq = __atomic_load_n(&bucket->seq, __ATOMIC_ACQUIRE);
		*station = __atomic_load_n(&slot->station, __ATOMIC_ACQUIRE);
		view->place = __atomic_load_n(&slot->place, __ATOMIC_ACQUIRE);
		view->heard = __atomic_load_n(&slot->heard, __ATOMIC_ACQUIRE);
		if (fdb_bucket_settled(bucket, seq))
			return view->place & FDB_PLACE_USED;
	}
}

/* Frees the entry in a slot if it has expired. Takes the lock only then. */
static void
sweep_slot(struct fdb *fdb, uint32_t slot, uint32_t now)
{
	struct fdb_view view;
	uint64_t station;

	if (!read_slot(fdb, slot, &station, &view) || !fdb_store_expired(fdb, view, now))
		return;
	spinlock_lock(&fdb->lock);
	view = fdb_store_view(fdb, slot);
	if (view.place != 0 && fdb_store_expired(fdb, view, now))
		fdb_store_release(fdb, slot);
	spinlock_unlock(&fdb->lock);
}

void
fdb_sweep(struct fdb *fdb, uint32_t now)
{
	uint32_t n, way;

	for (n = 0; n < SWEEP_BUCKETS; n++) {
		for (way = 0; way < FDB_WAYS; way++)
			sweep_slot(fdb, way * FDB_BUCKETS + fdb->sweep_at, now);
		fdb->sweep_at = (fdb->sweep_at + 1) % FDB_BUCKETS;
	}
}

void
fdb_set_ageing(struct fdb *fdb, uint32_t seconds)
{
	__atomic_store_n(&fdb->ageing, seconds, __ATOMIC_RELAXED);
}

uint32_t
fdb_ageing(const struct fdb *fdb)
{
	return __atomic_load_n(&fdb->ageing, __ATOMIC_RELAXED);
}

uint32_t
fdb_count(const struct fdb *fdb)
{
	return __atomic_load_n(&fdb->count, __ATOMIC_RELAXED);
}

uint32_t
fdb_count_static(const struct fdb *fdb)
{
	return __atomic_load_n(&fdb->count_static, __ATOMIC_RELAXED);
}

uint32_t
fdb_count_port(const struct fdb *fdb, uint16_t port)
{
	return port < PORTS_MAX ? __atomic_load_n(&fdb->ports.counts[port], __ATOMIC_RELAXED) : 0;
}

static void
copy_out(uint64_t station, struct fdb_view view, uint32_t now, struct fdb_entry *out)
{
	int32_t age = fdb_store_age(view.heard, now);

	memset(out, 0, sizeof(*out));
	memcpy(&out->key, &station, sizeof(station));
	out->key.domain = view.place & FDB_PLACE_DOMAIN_MASK;
	out->port = fdb_place_port(view.place);
	out->is_static = view.place & FDB_PLACE_STATIC;
	out->age = out->is_static || age < 0 ? 0 : (uint32_t)age;
}

/*
 * While the database is frozen, no station is added. So none is evicted or moved to its other bucket, and
 * a walk over all slots meets each station once. A station that appears in this millisecond is learned
 * from its next frame.
 */
static void
freeze(struct fdb *fdb, bool frozen)
{
	spinlock_lock(&fdb->lock);
	fdb->frozen = frozen;
	spinlock_unlock(&fdb->lock);
}

uint32_t
fdb_list(struct fdb *fdb, uint16_t port, uint32_t now, struct fdb_entry *out, uint32_t max)
{
	uint32_t slot, n = 0;
	struct fdb_view view;
	uint64_t station;

	freeze(fdb, true);
	for (slot = 0; slot < FDB_SLOTS && n < max; slot++) {
		if (!read_slot(fdb, slot, &station, &view) || fdb_store_expired(fdb, view, now))
			continue;
		if (port == FDB_NO_PORT || port == fdb_place_port(view.place))
			copy_out(station, view, now, &out[n++]);
	}
	freeze(fdb, false);
	return n;
}

uint32_t
fdb_take_moves(struct fdb *fdb, struct fdb_move *out, uint32_t max, uint64_t *lost)
{
	uint32_t n;

	spinlock_lock(&fdb->lock);
	for (n = 0; n < max && fdb->moves_n > 0; n++) {
		out[n] = fdb->moves[fdb->moves_first];
		fdb->moves_first = (fdb->moves_first + 1) % FDB_MOVES_MAX;
		fdb->moves_n--;
	}
	*lost = fdb->moves_lost;
	fdb->moves_lost = 0;
	spinlock_unlock(&fdb->lock);
	return n;
}

uint32_t
fdb_list_flaps(struct fdb *fdb, uint32_t now, struct fdb_flap *out, uint32_t max)
{
	uint32_t n;

	spinlock_lock(&fdb->lock);
	n = fdb_flaps_list(&fdb->flaps, now, out, max);
	spinlock_unlock(&fdb->lock);
	return n;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes of the forwarding database's entries; see fdb_store.h. Called by fdb.c under fdb->lock, on any
 * thread.
 */
#include "fdb_store.h"

#include <errno.h>

static void
write_count(uint32_t *count, uint32_t value)
{
	__atomic_store_n(count, value, __ATOMIC_RELAXED);
}

static void
enlist(struct fdb *fdb, uint32_t slot, uint32_t place)
{
	uint16_t port = fdb_place_port(place);

	if (place & FDB_PLACE_STATIC) {
		write_count(&fdb->count_static, fdb->count_static + 1);
		fdb_ports_append(&fdb->ports, FDB_LIST_STATIC(port), slot);
	} else {
		fdb_ports_gain(&fdb->ports, port);
		fdb_ports_append(&fdb->ports, FDB_LIST_LEARNED(port), slot);
	}
}

static void
delist(struct fdb *fdb, uint32_t slot)
{
	uint32_t place = fdb_store_view(fdb, slot).place;

	if (place & FDB_PLACE_STATIC)
		write_count(&fdb->count_static, fdb->count_static - 1);
	else
		fdb_ports_lose(&fdb->ports, fdb_place_port(place));
	fdb_ports_unlink(&fdb->ports, slot);
}

void
fdb_store_release(struct fdb *fdb, uint32_t slot)
{
	delist(fdb, slot);
	fdb_table_clear(&fdb->table, slot);
	write_count(&fdb->count, fdb->count - 1);
}

uint32_t
fdb_store_oldest(struct fdb *fdb, uint16_t port)
{
	uint32_t list = FDB_LIST_LEARNED(port);
	uint32_t best = FDB_NO_SLOT, best_heard = 0;
	int i;

	for (i = 0; i < FDB_OLDEST_TRIES; i++) {
		uint32_t slot = fdb_ports_oldest(&fdb->ports, list);
		uint32_t heard;

		if (slot == FDB_NO_SLOT)
			return FDB_NO_SLOT;
		heard = fdb_store_view(fdb, slot).heard;
		if (heard == *fdb_table_queued(&fdb->table, slot))
			return slot;
		*fdb_table_queued(&fdb->table, slot) = heard;
		fdb_ports_unlink(&fdb->ports, slot);
		fdb_ports_append(&fdb->ports, list, slot);
		if (best == FDB_NO_SLOT || fdb_store_age(heard, best_heard) > 0) {
			best = slot;
			best_heard = heard;
		}
	}
	return best;
}

/* Makes room for one more entry of `port`: evicts an entry when the table is full. 0 or -ENOSPC. */
static int
evict_if_full(struct fdb *fdb, uint16_t port) REQUIRES(fdb->lock)
{
	uint32_t slot;

	if (fdb->count < FDB_ENTRIES_MAX)
		return 0;
	slot = fdb_ports_oldest(&fdb->ports, FDB_LIST_CONDEMNED);
	if (slot == FDB_NO_SLOT)
		slot = fdb_store_oldest(fdb, fdb_ports_fullest(&fdb->ports, port));
	if (slot == FDB_NO_SLOT)
		return -ENOSPC;
	fdb_store_release(fdb, slot);
	return 0;
}

int
fdb_store_insert(struct fdb *fdb, const struct fdb_name *name, struct fdb_view view)
{
	int32_t slot;
	int rc;

	if (fdb->frozen)
		return -EBUSY;
	slot = fdb_table_reserve(&fdb->table, name, &fdb->ports);
	if (slot < 0)
		return slot;
	rc = evict_if_full(fdb, fdb_place_port(view.place));
	if (rc < 0)
		return rc;
	fdb_table_write(&fdb->table, (uint32_t)slot, name->station, view);
	write_count(&fdb->count, fdb->count + 1);
	enlist(fdb, (uint32_t)slot, view.place);
	return 0;
}

void
fdb_store_relabel(struct fdb *fdb, uint32_t slot, struct fdb_view view)
{
	struct fdb_slot *data = fdb_table_slot(&fdb->table, slot);

	delist(fdb, slot);
	__atomic_store_n(&data->heard, view.heard, __ATOMIC_RELEASE);
	__atomic_store_n(&data->place, view.place, __ATOMIC_RELEASE);
	*fdb_table_queued(&fdb->table, slot) = view.heard;
	enlist(fdb, slot, view.place);
}

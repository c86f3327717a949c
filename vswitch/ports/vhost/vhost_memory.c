/* SPDX-License-Identifier: BSD-3-Clause */
/* See vhost_memory.h. */
#include "vhost_memory.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "host_memory.h"
#include "base/log.h"
#include "rings/memory_fault.h"
#include "gate/memory_space.h"
#include "rings/sigbus.h"

/* Left to everything else: an eighth of what the host or the cgroup has, and not more than so much. */
#define RESERVE_MAX (1ull << 30)

/* Where growth has to be guessed, much could happen within a second. */
#define TICK_MS 1000
#define GUESS_TICK_MS 100

#define BLOCK 512 /* of st_blocks */

/*
 * Rings that have their addresses already are looked at by the library in a new table before it is
 * watched here: descriptors and used index of both, each perhaps on two pages.
 */
#define LIBRARY_BYTES (8 * MEMORY_FAULT_PAGE)

static bool has_grown; /* some account has, since the host was looked at */

static void
look_at_host(struct host_memory *memory)
{
	uint64_t reserve, left;

	host_memory_read("", memory);
	reserve = memory->size / 8 < RESERVE_MAX ? memory->size / 8 : RESERVE_MAX;
	left = memory->left < INT64_MAX ? memory->left : INT64_MAX;
	memory_growth_set_left((int64_t)left - (int64_t)reserve);
}

uint32_t
vhost_memory_init(void)
{
	int ret = memory_fault_start();
	struct host_memory memory;
	struct rlimit space;

	look_at_host(&memory);
	if (getrlimit(RLIMIT_AS, &space) != 0)
		space.rlim_cur = RLIM_INFINITY;
	memory_space_init(memory.size, space.rlim_cur);
	if (ret == 0)
		return TICK_MS;
	log_warning("there is no userfaultfd here (%s): how much memory the switch adds to frontends' "
		    "is guessed from their files' growth; allow the system call for an exact limit",
			strerror(-ret));
	return GUESS_TICK_MS;
}

static void
apply_max(struct vhost_port *port, uint32_t mib)
{
	memory_growth_set_max(&port->growth, mib != 0 ? (uint64_t)mib << 20 : port->table_bytes);
}

void
vhost_memory_open(struct vhost_port *port)
{
	memory_growth_init(&port->growth, 0);
	apply_max(port, port->base.settings.max_memory);
}

void
vhost_memory_set_max(struct vhost_port *port, uint32_t mib)
{
	apply_max(port, mib);
}

int
vhost_memory_begin(struct vhost_port *port, const struct guest_mem *mem)
{
	port->table_bytes = 0;
	for (uint32_t i = 0; i < mem->n; i++)
		port->table_bytes += mem->regions[i].size;
	port->files_bytes = UINT64_MAX;
	apply_max(port, port->base.settings.max_memory);
	memory_growth_add_guess(&port->growth, LIBRARY_BYTES);
	return sigbus_watch(mem, &port->health, &port->growth);
}

/* Guests have one file in two regions, below and above 4 GiB. */
static bool
is_counted(const struct session *session, uint32_t index)
{
	const struct session_region *regions = session->regions;

	for (uint32_t i = 0; i < index; i++)
		if (regions[i].file_dev == regions[index].file_dev &&
				regions[i].file_ino == regions[index].file_ino)
			return true;
	return false;
}

/* What the session's files have. */
static uint64_t
count_files(const struct session *session)
{
	uint64_t bytes = 0;
	struct stat st;

	for (uint32_t i = 0; i < session->n_regions; i++)
		if (!is_counted(session, i) && fstat(session->regions[i].fd, &st) == 0)
			bytes += (uint64_t)st.st_blocks * BLOCK;
	return bytes;
}

/* Whether the account has stood still, with nothing that time could change. */
static bool
is_settled(const struct vhost_port *port)
{
	return memory_fault_works() && port->files_bytes != UINT64_MAX &&
			memory_growth_total(&port->growth) == port->settled_bytes &&
			memory_growth_is_free(&port->growth);
}

void
vhost_memory_settle(struct vhost_port *port)
{
	uint64_t before = memory_growth_total(&port->growth);
	uint64_t exist;

	if (is_settled(port))
		return;
	has_grown = true;
	exist = count_files(gate_session(port->gate));
	if (!memory_fault_works() && exist > port->files_bytes)
		memory_growth_add_guess(&port->growth, exist - port->files_bytes);
	port->files_bytes = exist;
	memory_growth_settle(&port->growth, before, exist);
	port->settled_bytes = memory_growth_total(&port->growth);
}

void
vhost_memory_recorded(struct vhost_port *port)
{
	if (port->has_memory && port->files_bytes == UINT64_MAX)
		vhost_memory_settle(port);
}

void
vhost_memory_tick(void)
{
	struct host_memory memory;

	if (has_grown)
		look_at_host(&memory);
	has_grown = false;
}

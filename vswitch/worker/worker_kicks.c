/* SPDX-License-Identifier: BSD-3-Clause */
/* See worker_kicks.h. */
#include "worker_kicks.h"

#include <stddef.h>
#include <sys/epoll.h>

#include "datapath/account.h"
#include "poll_list.h"

/* So many kicks in a row may bring nothing. */
#define IDLE_KICKS_MAX 64
/* Then the descriptor is muted this long, and twice as long each time that follows, milliseconds. */
#define MUTE_MS 10
#define MUTE_DOUBLINGS_MAX 6

/* A stopped source is looked at again after so long: a port earns 160 KiB of memory meanwhile. */
#define STOP_MS 5

/* A source whose rest is nearly over stays in the poll list. */
#define REST_IN_LIST_US 500

/* The descriptor may have left the epoll set meanwhile; it is open until the worker is quiescent. */
static void
listen_to(const struct worker *worker, const struct source *source, bool on)
{
	struct epoll_event event = { .events = on ? EPOLLIN | EPOLLET : 0, .data.u32 = source->id };
	int fd = __atomic_load_n(&source->kick_fd, __ATOMIC_RELAXED);

	if (fd >= 0)
		(void)epoll_ctl(worker->epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

static void
mute(struct worker *worker, struct source *source, uint64_t until)
{
	source->muted = true;
	source->muted_until = until;
	if (!worker->has_muted || until < worker->unmute_at)
		worker->unmute_at = until;
	worker->has_muted = true;
	listen_to(worker, source, false);
}

bool
worker_kicks_rest(struct worker *worker, struct source *source, uint64_t now)
{
	uint64_t until = __atomic_load_n(&accounts[source->port].rest_until, __ATOMIC_RELAXED);

	if (until < now + REST_IN_LIST_US * worker->cycles_per_us)
		return false;
	source->active = false;
	mute(worker, source, until);
	return true;
}

void
worker_kicks_stop(struct worker *worker, struct source *source, uint64_t now)
{
	source->stopped = false;
	source->active = false;
	mute(worker, source, now + STOP_MS * 1000ull * worker->cycles_per_us);
}

void
worker_kicks_idle(struct worker *worker, struct source *source, uint64_t now)
{
	uint32_t doublings;

	if (!source->strange || source->muted || ++source->idle_kicks < IDLE_KICKS_MAX)
		return;
	doublings = source->idle_kicks - IDLE_KICKS_MAX;
	if (doublings > MUTE_DOUBLINGS_MAX)
		doublings = MUTE_DOUBLINGS_MAX;
	mute(worker, source, now + (MUTE_MS * 1000ull << doublings) * worker->cycles_per_us);
}

void
worker_kicks_unmute(struct worker *worker, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	if (now < worker->unmute_at)
		return;
	for (uint32_t id = 0; id < worker->seen->size; id++) {
		struct source *source = source_list_get(worker->seen, id);

		if (source == NULL || !source->muted)
			continue;
		if (source->muted_until > now) {
			next = source->muted_until < next ? source->muted_until : next;
			continue;
		}
		source->muted = false;
		listen_to(worker, source, true);
		poll_list_add(worker, source, now);
	}
	worker->unmute_at = next;
	worker->has_muted = next != UINT64_MAX;
}

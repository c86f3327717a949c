/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What vring_source.c and vring_sink.c share: breaking a ring, and calling the frontend.
 */
#include "vring.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "datapath/account.h"
#include "caller.h"
#include "base/control_bell.h"
#include "base/tsc.h"

void
vring_break(const struct split_vring *vring, enum vring_defect defect)
{
	vring_health_break(vring->health, defect, vring->index);
}

/* A call was slow on the clock. If it was slow work, the caller makes the ring's calls from now on. */
static __attribute__((noinline)) void
judge_call(struct vring_calls *calls, uint64_t start, uint64_t end)
{
	struct thread_time time;

	thread_time_judge(start, end, &time);
	if (time.worked < account_slow)
		return;
	calls->slow_in_a_row = 1;
	calls->last_slow = end;
	__atomic_store_n(&calls->not_before, end + account_slow_call(calls->port, time.worked, 1),
			__ATOMIC_RELAXED);
	__atomic_store_n(&calls->slow, true, __ATOMIC_RELEASE);
	control_bell_ring();
}

/* While the ring has no caller, the call is marked as owed; vring_calls_put_aside() then makes it. */
static void
call_aside(struct vring_calls *calls)
{
	struct caller_ring *aside = __atomic_load_n(&calls->aside, __ATOMIC_ACQUIRE);

	if (aside == NULL) {
		__atomic_store_n(&calls->owed, true, __ATOMIC_SEQ_CST);
		aside = __atomic_load_n(&calls->aside, __ATOMIC_SEQ_CST);
	}
	if (aside != NULL)
		caller_call(aside);
}

void
vring_calls_put_aside(struct vring_calls *calls, struct caller_ring *aside)
{
	__atomic_store_n(&calls->aside, aside, __ATOMIC_SEQ_CST);
	if (aside != NULL && __atomic_exchange_n(&calls->owed, false, __ATOMIC_SEQ_CST))
		caller_call(aside);
}

/*
 * The write blocks if the frontend made the eventfd blocking and filled it. The watchdog then
 * interrupts it with a signal, and it fails with EINTR. A full non-blocking eventfd (EAGAIN) needs no
 * write, because it is readable already.
 */
static void
write_call(const struct split_vring *vring)
{
	const uint64_t one = 1;

	if (write(vring->call_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		vring_break(vring, VRING_CALL_BLOCKED);
}

void
vring_call(const struct split_vring *vring)
{
	struct vring_calls *calls = vring->calls;
	uint64_t start, end;

	/* The index must be visible before the flags are read: VIRTIO 1.1, 2.6.7.2. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&vring->avail->flags, __ATOMIC_RELAXED) & VRING_AVAIL_F_NO_INTERRUPT)
		return;
	if (vring->call_fd < 0)
		return;
	if (calls == NULL) {
		write_call(vring);
		return;
	}
	if (__atomic_load_n(&calls->slow, __ATOMIC_RELAXED)) {
		call_aside(calls);
		return;
	}
	start = tsc_read();
	write_call(vring);
	end = tsc_read();
	account_add_shared(&accounts[calls->port].calling, end - start);
	if (end - start > account_slow)
		judge_call(calls, start, end);
}

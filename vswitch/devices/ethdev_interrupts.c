/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See ethdev_interrupts.h.
 *
 * rte_intr_callback_unregister() refuses with -EAGAIN while the callback runs. The driver of virtio does
 * not look at that, in no release up to 25.11: it frees its device, and EAL calls the callback again. An
 * alarm is a callback of EAL's own, in the same thread, so in there no other callback is under way.
 */
#include "ethdev_interrupts.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include <semaphore.h>
#include <time.h>

#include <rte_alarm.h>

/* Later than an alarm that a handler sets for "at once", which is a microsecond. */
#define ALARM_US 100
#define LIMIT_S 1

struct visit {
	void (*work)(void *arg);
	void *arg;
	sem_t done;
};

static void
on_alarm(void *arg)
{
	struct visit *visit = arg;

	visit->work(visit->arg);
	(void)sem_post(&visit->done);
}

/* False: it was not called, and will not be. */
static bool
run_as_alarm(struct visit *visit)
{
	struct timespec limit;
	int ret;

	if (rte_eal_alarm_set(ALARM_US, on_alarm, visit) != 0)
		return false;
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += LIMIT_S;
	do
		ret = sem_timedwait(&visit->done, &limit);
	while (ret != 0 && errno == EINTR);
	if (ret == 0)
		return true;
	/* One that has begun is waited for. */
	return rte_eal_alarm_cancel(on_alarm, visit) == 0;
}

void
ethdev_interrupts_run(void (*work)(void *arg), void *arg)
{
	struct visit visit = { .work = work, .arg = arg };
	bool called;

	if (sem_init(&visit.done, 0, 0) != 0) {
		work(arg);
		return;
	}
	called = run_as_alarm(&visit);
	sem_destroy(&visit.done);
	if (!called)
		work(arg);
}

static void
nothing(void *arg)
{
	(void)arg;
}

void
ethdev_interrupts_pass(void)
{
	ethdev_interrupts_run(nothing, NULL);
}

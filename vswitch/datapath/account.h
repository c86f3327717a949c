/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each port costs the workers, and what follows from it.
 *
 * Time is charged to the port on whose memory or descriptor it was spent: to the sender for taking a
 * burst and giving it back, to the receiver for placing frames and calling. Most stretches are short and
 * are only summed up. A stretch of over ACCOUNT_SLOW_US is judged (thread_time.h):
 *
 *   the thread worked    The port was slow. A little of that is allowed. Beyond it the port rests four
 *                        times as long, more when that repeats.
 *   the thread waited    The port stalled the worker in the kernel. It rests 0.1 s, doubling. But another
 *                        port (memory being unmapped, reclaimed, swapped) can make anybody wait. So short
 *                        waits count as slow work, and a port rests only briefly where its neighbours
 *                        waited, too.
 *   neither              The machine gave the CPU to others. No port is blamed.
 *
 * While a port rests, its frames wait in its transmitq, and frames for it are dropped and counted
 * ("resting"). Rests and their causes outlive sessions. Only repetition puts a port in fault.
 *
 * Placing a frame reads the sender's memory and writes the receiver's, so either may be the cause of a
 * slow stretch. The sender is suspected first: for a while its frames are copied to the worker's own
 * memory when they are taken (burst_private.h), in a stretch that is charged to the sender alone. If
 * placing is still slow then, it is the receiver's doing. Suspicion costs a copy and nothing else.
 *
 * Only ports with a stranger behind them (vhost-user) are judged. The time of the kernel's and of devices
 * is only summed up, because they are the host's own.
 *
 * There is one record for each port id, never freed, so that any thread may read it at any time. Workers
 * write as the fields say; the control thread reads.
 */
#ifndef VSWITCH_ACCOUNT_H
#define VSWITCH_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/shared_name.h"
#include "base/switch_limits.h"
#include "base/thread_time.h"

/* A stretch of work for one port that takes longer is judged. */
#define ACCOUNT_SLOW_US 1000

enum account_fault {
	ACCOUNT_SOUND,
	ACCOUNT_FAULT_SLOW,  /* slow again and again */
	ACCOUNT_FAULT_STALL, /* stalled the worker again and again */
	ACCOUNT_FAULT_CALL,  /* its call descriptor is slow again and again */
	ACCOUNT_FAULT_HELD,  /* the watchdog saw a worker stand still at it */
};

struct account {
	/* Any worker. TSC cycles. What frames of the port cost stands in its sources (endpoint.h). */
	uint64_t placing; /* placing frames in its memory, and calls */
	/* Any worker and the caller, atomically; seldom written from here on. TSC cycles and times. */
	uint64_t trouble_until __attribute__((aligned(64))); /* the later of the next two */
	uint64_t rest_until;
	uint64_t suspect_until; /* until then its frames are copied first: see above */
	uint64_t calling;	/* writes to call descriptors */
	uint32_t fault;		/* enum account_fault; cleared by the control thread */
	/* For show-port: counts since the port was added. */
	uint32_t slow_turns;
	uint32_t stalls;
	uint64_t stalled; /* cycles in stalls */
	uint64_t rested;  /* cycles of rests, including what is left of the present one */
	/* How often lately. */
	uint32_t slow_recently;
	uint32_t stalls_recently;
	uint64_t slow_since; /* when slow_recently began */
	uint64_t last_slow;
	uint64_t slow_debt; /* how much of the allowance is used */
	uint64_t last_stall;
	uint64_t stall_window;	 /* when the present window began ... */
	uint64_t stalled_in_it;	 /* ... and the sum of stalls in it */
	struct shared_name name; /* the port's; writer: control */
} __attribute__((aligned(64)));

extern struct account accounts[PORTS_MAX];

/* Cycles of ACCOUNT_SLOW_US; constant after account_init(). */
extern uint64_t account_slow;

/* Before the workers start. */
void account_init(uint64_t tsc_hz);

/* Control thread: clears the record for a new port with this id. */
void account_reset(uint16_t port, const char *name);

/* The name of the port that has or had this id. Any thread. */
void account_name(uint16_t port, char name[SHARED_NAME_SIZE]);

/* False when both of the next two are false. The only look that a port without trouble costs. */
static inline bool
account_has_trouble(uint16_t port, uint64_t now)
{
	return __atomic_load_n(&accounts[port].trouble_until, __ATOMIC_RELAXED) > now;
}

static inline bool
account_rests(uint16_t port, uint64_t now)
{
	return __atomic_load_n(&accounts[port].rest_until, __ATOMIC_RELAXED) > now;
}

static inline bool
account_is_suspect(uint16_t port, uint64_t now)
{
	return __atomic_load_n(&accounts[port].suspect_until, __ATOMIC_RELAXED) > now;
}

/* Adds to a field that the calling thread alone writes. */
static inline void
account_add(uint64_t *field, uint64_t cycles)
{
	__atomic_store_n(field, *field + cycles, __ATOMIC_RELAXED);
}

/* Adds to a field that several threads write. */
static inline void
account_add_shared(uint64_t *field, uint64_t cycles)
{
	(void)__atomic_fetch_add(field, cycles, __ATOMIC_RELAXED);
}

/* True when the judged stretch is long enough to blame a port for it. */
static inline bool
account_is_slow(const struct thread_time *time)
{
	return time->worked > account_slow || time->waited > account_slow / 2;
}

/* The port's own memory made the stretch that ended at `now` (TSC) slow. Any worker. */
void account_judge(uint16_t port, const struct thread_time *time, uint64_t now);

/* The sender's memory may have made the placing of its frames slow: suspects it. Any worker. */
void account_suspect(uint16_t port, uint64_t now);

/*
 * A write to the port's call descriptor was slow: it took `cycles` of the thread's work. `repeated`: how
 * many slow ones came in a row, this one included. Returns for how many cycles no further call should
 * be made. Any worker and the caller.
 */
uint64_t account_slow_call(uint16_t port, uint64_t cycles, uint32_t repeated);

/*
 * Cycles of slow calls that the calling thread has made since its last call of this. They were judged
 * already, so the stretch in which they lie is judged without them.
 */
uint64_t account_judged_already(void);

/* A worker stands still at the port, says the watchdog: a fault. Any thread; takes no lock. */
void account_held(uint16_t port);

/* Control thread: takes the fault that was found, or ACCOUNT_SOUND. */
enum account_fault account_take_fault(uint16_t port);

/* The text that follows "port NAME: fault: ". */
const char *account_fault_text(enum account_fault fault);

/* What show-port tells of a port. Control thread. */
struct account_info {
	double placing_s, calling_s; /* seconds of the workers' time */
	double rest_s;		     /* what is left of its rest; 0: it does not rest */
	double stalled_s, rested_s;
	uint32_t slow_turns, stalls;
};

void account_info(uint16_t port, struct account_info *info);

/* TSC cycles in seconds. After account_init(). */
double account_seconds(uint64_t cycles);

#endif

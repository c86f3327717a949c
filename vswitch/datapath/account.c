/* SPDX-License-Identifier: BSD-3-Clause */
/* See account.h. */
#include "account.h"

#include <string.h>

#include "base/control_bell.h"
#include "base/tsc.h"

/*
 * The allowance: how much any port may be slow without consequence. It has a stock, which a share of the
 * passing time fills up. It is needed because honest ports are slow at times:
 *
 *   - Memory that is touched for the first time is slow, at the start of every frontend.
 *   - A hypervisor can take the CPU away for 10 ms and more, which looks like work to our kernel.
 *   - Waits for a lock of the kernel's happen to everybody.
 *
 * Other ports hardly notice, because turns of sources that send to a slow port become short (short_turns.h).
 */
#define SLOW_STOCK_MS 100
#define SLOW_SHARE 10 /* a tenth of the time */
/* A longer wait is not for a lock. */
#define WAIT_SHORT_MS 5

/* A slow port rests so many times as long as it was slow; the factor doubles up to the maximum. */
#define SLOW_REST_FACTOR 4
#define SLOW_REST_FACTOR_MAX 64
/* Slow stretches within SLOW_MEMORY_S that make a fault. */
#define SLOW_FAULT_COUNT 100
#define SLOW_MEMORY_S 10

#define SUSPECT_S 2

/* Rests after stalls. From the second stall on the worker loses less than 1 / STALL_REST_FACTOR. */
#define STALL_REST_MS 100
#define STALL_REST_MAX_MS 5000
#define STALL_REST_FACTOR 256
#define STALL_MEMORY_S 60
/* Stalls that sum up to over STALL_FAULT_S in a window are a fault, unless neighbours stalled, too. */
#define STALL_FAULT_S 1
#define STALL_WINDOW_S 10

/* No rest after one slow call; after two in a row a rest of so many times the last; then far longer. */
#define CALL_REST_FACTOR 16
#define CALL_REST_FACTOR_AGAIN 1000
#define CALL_REST_MAX_S 60
#define CALL_FAULT_COUNT 4

struct account accounts[PORTS_MAX];
uint64_t account_slow = UINT64_MAX;

static uint64_t cycles_per_s = 1;

/* Cycles of slow calls within this thread's present stretch, which were judged separately. */
static __thread uint64_t judged;

/* The last two ports that stalled this thread, with the times: each other's neighbours. */
static __thread struct {
	uint16_t port;
	uint64_t when;
} stalled[2];

void
account_init(uint64_t tsc_hz)
{
	cycles_per_s = tsc_hz;
	account_slow = tsc_hz / 1000000 * ACCOUNT_SLOW_US;
	thread_time_init(tsc_hz);
}

void
account_reset(uint16_t port, const char *name)
{
	memset(&accounts[port], 0, offsetof(struct account, name));
	shared_name_set(&accounts[port].name, name);
}

void
account_name(uint16_t port, char name[SHARED_NAME_SIZE])
{
	shared_name_get(&accounts[port].name, name);
}

static uint64_t
milliseconds(uint64_t ms)
{
	return cycles_per_s / 1000 * ms;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void
set_fault(struct account *account, enum account_fault fault)
{
	__atomic_store_n(&account->fault, fault, __ATOMIC_RELEASE);
	control_bell_ring();
}

static void
set_until(struct account *account, uint64_t *until, uint64_t when)
{
	__atomic_store_n(until, when, __ATOMIC_RELAXED);
	if (account->trouble_until < when)
		__atomic_store_n(&account->trouble_until, when, __ATOMIC_RELAXED);
}

/* Begins a rest, or makes the present one longer. Never makes it shorter. */
static void
rest(struct account *account, uint64_t now, uint64_t cycles)
{
	if (account->rest_until >= now + cycles)
		return;
	__atomic_add_fetch(&account->rested, now + cycles - most(account->rest_until, now),
			__ATOMIC_RELAXED);
	set_until(account, &account->rest_until, now + cycles);
}

/* Takes from the port's allowance. False: it is used up. */
static bool
is_within_allowance(struct account *account, uint64_t now, uint64_t cycles)
{
	uint64_t earned = (now - account->last_slow) / SLOW_SHARE;

	account->last_slow = now;
	account->slow_debt = cycles +
			(account->slow_debt > earned ? account->slow_debt - earned : 0);
	if (account->slow_debt <= milliseconds(SLOW_STOCK_MS))
		return true;
	account->slow_debt = milliseconds(SLOW_STOCK_MS);
	return false;
}

static void
was_slow(struct account *account, uint64_t now, uint64_t cycles)
{
	uint64_t factor;

	__atomic_add_fetch(&account->slow_turns, 1, __ATOMIC_RELAXED);
	if (is_within_allowance(account, now, cycles))
		return;
	if (now - account->slow_since > SLOW_MEMORY_S * cycles_per_s) {
		account->slow_since = now;
		account->slow_recently = 0;
	}
	account->slow_recently++;
	factor = SLOW_REST_FACTOR;
	if (account->slow_recently > 1)
		factor = least(SLOW_REST_FACTOR << least(account->slow_recently / 8, 8),
				SLOW_REST_FACTOR_MAX);
	rest(account, now, cycles * factor);
	if (account->slow_recently == SLOW_FAULT_COUNT)
		set_fault(account, ACCOUNT_FAULT_SLOW);
}

/* Records that `port` stalled this thread. True when no other port did so lately. */
static bool
is_alone(uint16_t port, uint64_t now)
{
	const uint64_t window = STALL_WINDOW_S * cycles_per_s;

	if (stalled[0].port != port || stalled[0].when == 0)
		stalled[1] = stalled[0];
	stalled[0].port = port;
	stalled[0].when = now;
	return stalled[1].when == 0 || stalled[1].port == port || now - stalled[1].when > window;
}

static uint64_t
stall_rest(const struct account *account, uint64_t cycles)
{
	uint64_t doubled = milliseconds(
			least((uint64_t)STALL_REST_MS << least(account->stalls_recently - 1, 16),
					STALL_REST_MAX_MS));

	if (account->stalls_recently == 1)
		return doubled;
	return most(doubled, cycles * STALL_REST_FACTOR);
}

static void
had_stall(struct account *account, uint16_t port, uint64_t now, uint64_t cycles)
{
	bool alone = is_alone(port, now);

	__atomic_add_fetch(&account->stalls, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&account->stalled, cycles, __ATOMIC_RELAXED);
	if (cycles < milliseconds(WAIT_SHORT_MS) && is_within_allowance(account, now, cycles))
		return;
	if (!alone) {
		rest(account, now, least(cycles, milliseconds(STALL_REST_MS)));
		return;
	}
	if (now - account->last_stall > STALL_MEMORY_S * cycles_per_s)
		account->stalls_recently = 0;
	account->last_stall = now;
	account->stalls_recently++;
	if (now - account->stall_window > STALL_WINDOW_S * cycles_per_s) {
		account->stall_window = now;
		account->stalled_in_it = 0;
	}
	account->stalled_in_it += cycles;
	rest(account, now, stall_rest(account, cycles));
	if (account->stalls_recently > 1 && account->stalled_in_it > STALL_FAULT_S * cycles_per_s)
		set_fault(account, ACCOUNT_FAULT_STALL);
}

/*
 * Two workers may judge the two ends of one port at once. One's change of a count or of a rest may then
 * be lost; the next judgement makes up for it.
 */
void
account_judge(uint16_t port, const struct thread_time *time, uint64_t now)
{
	struct account *account = &accounts[port];

	if (time->waited > account_slow / 2)
		had_stall(account, port, now, time->waited);
	else if (time->worked > account_slow)
		was_slow(account, now, time->worked);
}

void
account_suspect(uint16_t port, uint64_t now)
{
	set_until(&accounts[port], &accounts[port].suspect_until, now + SUSPECT_S * cycles_per_s);
}

uint64_t
account_slow_call(uint16_t port, uint64_t cycles, uint32_t repeated)
{
	struct account *account = &accounts[port];
	uint64_t factor = repeated > 2 ? CALL_REST_FACTOR_AGAIN
			: repeated > 1 ? CALL_REST_FACTOR
				       : 0;

	judged += cycles;
	__atomic_add_fetch(&account->slow_turns, 1, __ATOMIC_RELAXED);
	if (repeated >= CALL_FAULT_COUNT)
		set_fault(account, ACCOUNT_FAULT_CALL);
	return least(cycles * factor, CALL_REST_MAX_S * cycles_per_s);
}

uint64_t
account_judged_already(void)
{
	uint64_t cycles = judged;

	judged = 0;
	return cycles;
}

void
account_held(uint16_t port)
{
	set_fault(&accounts[port], ACCOUNT_FAULT_HELD);
}

enum account_fault
account_take_fault(uint16_t port)
{
	return __atomic_exchange_n(&accounts[port].fault, ACCOUNT_SOUND, __ATOMIC_ACQ_REL);
}

const char *
account_fault_text(enum account_fault fault)
{
	static const char *const texts[] = {
		[ACCOUNT_SOUND] = "no fault",
		[ACCOUNT_FAULT_SLOW] = "its memory made the switch slow again and again; share "
				       "memory that is there already (prealloc=on, hugepages)",
		[ACCOUNT_FAULT_STALL] =
				"the switch had to wait for its memory again and again, and "
				"for no other port's; stop removing or swapping pages of a "
				"running guest",
		[ACCOUNT_FAULT_CALL] = "each write to its call descriptor takes the kernel over a "
				       "millisecond; let fewer programs wait for it",
		[ACCOUNT_FAULT_HELD] =
				"the switch stood still for over a second at its memory or its "
				"call descriptor",
	};

	return texts[fault];
}

double
account_seconds(uint64_t cycles)
{
	return (double)cycles / (double)cycles_per_s;
}

static double
seconds(const uint64_t *cycles)
{
	return account_seconds(__atomic_load_n(cycles, __ATOMIC_RELAXED));
}

void
account_info(uint16_t port, struct account_info *info)
{
	const struct account *account = &accounts[port];
	uint64_t now = tsc_read(), until = __atomic_load_n(&account->rest_until, __ATOMIC_RELAXED);

	*info = (struct account_info){
		.placing_s = seconds(&account->placing),
		.calling_s = seconds(&account->calling),
		.rest_s = until > now ? (double)(until - now) / (double)cycles_per_s : 0,
		.stalled_s = seconds(&account->stalled),
		.rested_s = seconds(&account->rested),
		.slow_turns = __atomic_load_n(&account->slow_turns, __ATOMIC_RELAXED),
		.stalls = __atomic_load_n(&account->stalls, __ATOMIC_RELAXED),
	};
}

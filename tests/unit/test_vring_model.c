/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random cases for the rings, compared with ring_model.c. Cases are played in a process of their
 * own, so that one that crashes or hangs is shrunk and shown like one that differs.
 *
 * VRING_MODEL_SEED (default: from the clock; printed) and VRING_MODEL_CASES choose what is played.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "model_case.h"

#ifdef __SANITIZE_ADDRESS__
#define CASES 300000
#else
#define CASES 1000000
#endif
#define CHUNK 1000	 /* cases between two signs of life */
#define CHUNK_SECONDS 10 /* of CPU time, so that a busy machine makes no case hang */
#define ONE_CASE_SECONDS 1

/* Seen by the process that plays and by the one that waits for it. */
struct shared {
	uint64_t seed; /* of the case being played */
	char difference[512];
	struct choices choices;
};

static struct shared *shared;

static bool
play(FILE *trace)
{
	return model_case_run(
			&shared->choices, trace, shared->difference, sizeof(shared->difference));
}

/* Ends the process with SIGPROF after so much CPU time from now. */
static void
limit_time(uint32_t seconds)
{
	const struct itimerval limit = { .it_value.tv_sec = seconds };

	setitimer(ITIMER_PROF, &limit, NULL);
}

/* In a new process: no core, and signals end it; cmocka would go on. */
static void
be_mortal(void)
{
	const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	const struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
}

/* Runs `body` in a process; 0 when it was right, else shared->difference says why not. */
static int
run_apart(void (*body)(void *), void *argument, bool quiet)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		be_mortal();
		if (quiet && freopen("/dev/null", "w", stderr) == NULL)
			_exit(3);
		body(argument);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	if (WIFSIGNALED(status) && shared->difference[0] == '\0')
		snprintf(shared->difference, sizeof(shared->difference), "%s",
				WTERMSIG(status) == SIGPROF ? "it does not end"
							    : strsignal(WTERMSIG(status)));
	else if (status != 0 && shared->difference[0] == '\0')
		snprintf(shared->difference, sizeof(shared->difference), "it ends with status %d",
				WEXITSTATUS(status));
	return status;
}

static void
play_once(void *trace)
{
	limit_time(ONE_CASE_SECONDS);
	if (!play(trace))
		_exit(1);
	shared->difference[0] = '\0';
}

static bool
still_fails(struct choices *choices)
{
	bool fails;

	shared->choices = *choices;
	shared->difference[0] = '\0';
	fails = run_apart(play_once, NULL, true) != 0;
	choices->at = shared->choices.at;
	return fails;
}

struct range {
	uint64_t seed;
	uint64_t cases;
};

static void
play_range(void *argument)
{
	const struct range *range = argument;

	for (uint64_t i = 0; i < range->cases; i++) {
		if (i % CHUNK == 0)
			limit_time(CHUNK_SECONDS);
		shared->seed = range->seed + i;
		choices_seed(&shared->choices, shared->seed);
		if (!play(NULL))
			_exit(1);
	}
}

static uint64_t
from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

static void
report(void)
{
	uint64_t seed = shared->seed;

	printf("# %s\n# repeat: VRING_MODEL_SEED=%lu VRING_MODEL_CASES=1 %s\n", shared->difference,
			seed, program_invocation_name);
	shared->choices.replay = true;
	choices_shrink(&shared->choices, still_fails);
	printf("# the smallest case that fails, of %u choices:\n", shared->choices.n);
	choices_replay(&shared->choices);
	shared->difference[0] = '\0';
	setvbuf(stdout, NULL, _IOLBF, 0);
	run_apart(play_once, stdout, false);
	printf("# %s\n", shared->difference);
}

static void
test_model(void **state)
{
	struct timespec now;
	struct range range;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &now);
	range.seed = from_environment(
			"VRING_MODEL_SEED", (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec);
	range.cases = from_environment("VRING_MODEL_CASES", CASES);
	printf("# VRING_MODEL_SEED=%lu VRING_MODEL_CASES=%lu\n", range.seed, range.cases);
	shared->difference[0] = '\0';
	if (run_apart(play_range, &range, false) != 0) {
		report();
		fail_msg("%s", shared->difference);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
	};

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			0);
	if (shared == MAP_FAILED)
		return 1;
	model_case_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

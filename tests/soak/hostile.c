/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * soak-hostile: random hostile sessions on the sockets of a switch, by several processes. See
 * hostile.h. Called by tests/soak (soak_hostile.py), or by hand to repeat a session.
 */
#include "hostile.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES_MAX 16
#define CONNECT_LIMIT_S 10
#define RETRY_US 2000

struct tally {
	uint64_t n_done; /* atomic, shared */
	uint64_t n_sent;
	uint64_t n_whole;
	uint64_t now; /* the session under way */
};

struct plan {
	uint64_t seed, first, count;
	uint32_t n_processes, n_paths;
	char **paths;
	double end;    /* on the monotonic clock; 0: none */
	uint32_t pace; /* sessions a second of each process; 0: as fast as it goes */
};

static double
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Waits out a port that is being deleted and added again, or a full backlog. */
static int
connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	double limit = now_s() + CONNECT_LIMIT_S;
	int fd;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	do {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
			return fd;
		close(fd);
		usleep(RETRY_US);
	} while (now_s() < limit);
	return -1;
}

/* What the sessions of one process keep is memory, whose content is part of the chance. */
static int
run_session(struct hostile *hostile, const struct plan *plan, uint64_t number)
{
	uint64_t slot = number / plan->n_processes * plan->n_processes +
			number % plan->n_processes; /* by turns over the ports of this process */
	int ret;

	hostile->chance.state = plan->seed * 0x9e3779b97f4a7c15ull + number;
	ret = hostile_renew(hostile);
	if (ret < 0)
		return ret;
	hostile->fd = connect_to(plan->paths[slot % plan->n_paths]);
	if (hostile->fd < 0)
		return -ECONNREFUSED;
	hostile_session(hostile);
	close(hostile->fd);
	return 0;
}

static int
run_process(const struct plan *plan, uint32_t index, struct tally *tally)
{
	static struct hostile hostile;
	int ret = hostile_things_open(&hostile);

	for (uint64_t i = index; ret == 0 && i < plan->count; i += plan->n_processes) {
		if (plan->end != 0 && now_s() > plan->end)
			break;
		__atomic_store_n(&tally->now, plan->first + i, __ATOMIC_RELAXED);
		if (plan->pace != 0)
			usleep(1000000 / plan->pace);
		ret = run_session(&hostile, plan, plan->first + i);
		tally->n_sent = hostile.n_sent;
		tally->n_whole = hostile.n_whole;
		__atomic_store_n(&tally->n_done, tally->n_done + (ret == 0), __ATOMIC_RELAXED);
	}
	if (ret < 0)
		fprintf(stderr, "soak-hostile: seed %llu, session %llu: %s\n",
				(unsigned long long)plan->seed, (unsigned long long)tally->now,
				ret == -ECONNREFUSED ? "nobody listens any more" : strerror(-ret));
	return ret == 0 ? 0 : 1;
}

static int
start_processes(const struct plan *plan, struct tally *tallies)
{
	pid_t parent = getpid();

	for (uint32_t i = 0; i < plan->n_processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return -errno;
		if (pid > 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		_exit(run_process(plan, i, &tallies[i]));
	}
	return 0;
}

static int
wait_processes(void)
{
	int status, worst = 0;

	while (wait(&status) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			worst = 1;
	return worst;
}

static void
report(const struct plan *plan, const struct tally *tallies, double seconds)
{
	struct tally sum = { 0 };

	for (uint32_t i = 0; i < plan->n_processes; i++) {
		sum.n_done += tallies[i].n_done;
		sum.n_sent += tallies[i].n_sent;
		sum.n_whole += tallies[i].n_whole;
	}
	printf("{\"seed\": %llu, \"sessions\": %llu, \"running_rings\": %llu, \"messages\": %llu, "
	       "\"seconds\": %.1f}\n",
			(unsigned long long)plan->seed, (unsigned long long)sum.n_done,
			(unsigned long long)sum.n_whole, (unsigned long long)sum.n_sent, seconds);
}

static int
usage(void)
{
	fprintf(stderr,
			"usage: soak-hostile [--seed N] [--first N] [--sessions N] [--seconds S]\n"
			"                    [--pace N] [--processes N] SOCKET...\n");
	return 2;
}

static int
read_options(int argc, char *argv[], struct plan *plan)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "first", required_argument, NULL, 'f' },
		{ "sessions", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 't' },
		{ "pace", required_argument, NULL, 'a' },
		{ "processes", required_argument, NULL, 'p' },
		{ 0 },
	};
	int option;

	*plan = (struct plan){
		.seed = (uint64_t)time(NULL), .count = UINT64_MAX / 2, .n_processes = 1
	};
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			plan->seed = strtoull(optarg, NULL, 0);
		else if (option == 'f')
			plan->first = strtoull(optarg, NULL, 0);
		else if (option == 'n')
			plan->count = strtoull(optarg, NULL, 0);
		else if (option == 't')
			plan->end = now_s() + strtod(optarg, NULL);
		else if (option == 'a')
			plan->pace = (uint32_t)strtoul(optarg, NULL, 0);
		else if (option == 'p')
			plan->n_processes = (uint32_t)strtoul(optarg, NULL, 0);
		else
			return -EINVAL;
	}
	plan->paths = argv + optind;
	plan->n_paths = (uint32_t)(argc - optind);
	if (plan->n_processes > plan->n_paths)
		plan->n_processes = plan->n_paths;
	return plan->n_paths == 0 || plan->n_processes == 0 || plan->n_processes > PROCESSES_MAX
			? -EINVAL
			: 0;
}

int
main(int argc, char *argv[])
{
	struct tally *tallies = mmap(NULL, PROCESSES_MAX * sizeof(*tallies), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct plan plan;
	double start = now_s();
	int status;

	if (tallies == MAP_FAILED || read_options(argc, argv, &plan) < 0)
		return usage();
	if (start_processes(&plan, tallies) < 0) {
		fprintf(stderr, "soak-hostile: cannot start a process: %s\n", strerror(errno));
		return 1;
	}
	status = wait_processes();
	report(&plan, tallies, now_s() - start);
	return status;
}

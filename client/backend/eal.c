/* SPDX-License-Identifier: BSD-3-Clause */
/* See eal.h. */
#include "eal.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "eal_log.h"
#include "process/stop.h"
#include "text/text.h"

#define ARGS_MAX 64
#define CPU_0 "/sys/devices/system/cpu/cpu0/topology/core_id"

struct arguments {
	char *list[ARGS_MAX + 1]; /* each allocated */
	int count;
	bool failed;
};

/* Kept until the end, because EAL may keep pointers to its arguments. */
static struct arguments args;

static void
add(struct arguments *a, const char *text)
{
	char *copy = a->count < ARGS_MAX ? strdup(text) : NULL;

	if (copy == NULL)
		a->failed = true;
	else
		a->list[a->count++] = copy;
}

static void
add_pair(struct arguments *a, const char *name, const char *value)
{
	add(a, name);
	add(a, value);
}

static void
release(struct arguments *a)
{
	while (a->count > 0)
		free(a->list[--a->count]);
}

/* Whether the user gave an EAL option: alone, with "=", or a letter followed by its value. */
static bool
given(const struct settings *s, const char *name)
{
	size_t length = strlen(name), i;

	for (i = 0; i < s->eal_arg_count; i++)
		if (strncmp(s->eal_args[i], name, length) == 0 &&
				(length == 2 || s->eal_args[i][length] == '\0' ||
						s->eal_args[i][length] == '='))
			return true;
	return false;
}

/* One lcore that may run on every CPU that we may use, because others need the CPUs, too. */
static void
add_cpus(struct arguments *a)
{
	char text[8 * RTE_MAX_LCORE] = "0@(";
	size_t length = strlen(text);
	const char *comma = "";
	cpu_set_t set;
	int cpu;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return;
	for (cpu = 0; cpu < RTE_MAX_LCORE; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		length += (size_t)snprintf(
				text + length, sizeof(text) - length, "%s%d", comma, cpu);
		comma = ",";
	}
	snprintf(text + length, sizeof(text) - length, ")");
	add_pair(a, "--lcores", text);
}

/*
 * With hugepages: anonymous memory with one file for each list of segments, so that the backend gets few
 * regions. Without: one memfd, which is touched only where it is used.
 */
static void
add_memory(struct arguments *a, const struct settings *s, size_t memory)
{
	char text[32];

	if (s->huge) {
		add(a, "--in-memory");
		add(a, "--single-file-segments");
		return;
	}
	add(a, "--no-huge");
	add(a, "--no-shconf");
	snprintf(text, sizeof(text), "%zu", memory);
	if (!given(s, "-m"))
		add_pair(a, "-m", text);
}

static void
build(struct arguments *a, const struct settings *s, size_t memory)
{
	char prefix[64];
	size_t i;

	snprintf(prefix, sizeof(prefix), "vuser-client-%ld", (long)getpid());
	add(a, "vuser-client");
	add_memory(a, s, memory);
	if (!given(s, "-l") && !given(s, "-c") && !given(s, "--lcores"))
		add_cpus(a);
	if (!given(s, "--iova-mode"))
		add_pair(a, "--iova-mode", "va");
	if (!given(s, "--file-prefix"))
		add_pair(a, "--file-prefix", prefix);
	add(a, "--no-pci");
	add(a, "--no-telemetry");
	/* device.c reads the negotiated features in the log */
	add_pair(a, "--log-level", "pmd.net.virtio.driver:info");
	for (i = 0; i < s->eal_arg_count; i++)
		add(a, s->eal_args[i]);
}

/* Redirects stdout to stderr meanwhile: EAL prints its usage to stdout, which is for the report. */
static int
init_quietly(char **list, int count)
{
	int saved = dup(STDOUT_FILENO), ret;

	fflush(stdout);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	ret = rte_eal_init(count, list);
	fflush(stdout);
	if (saved >= 0) {
		dup2(saved, STDOUT_FILENO);
		close(saved);
	}
	return ret < 0 ? -rte_errno : 0;
}

static int
explain(const struct settings *s, size_t memory, int error, char *err, size_t err_size)
{
	eal_log_print_errors();
	if (s->huge)
		return text_fail(err, err_size, -EIO,
				"DPDK did not start: %s; are there free hugepages "
				"(/proc/meminfo)? Without --huge none are needed",
				strerror(-error));
	return text_fail(err, err_size, -EIO,
			"DPDK did not start with %zu MiB of memory: %s; its messages are above",
			memory, strerror(-error));
}

/* Without /sys EAL thinks that there is no CPU, and prints its usage. */
static int
check_sys(char *err, size_t err_size)
{
	if (access(CPU_0, F_OK) == 0)
		return 0;
	return text_fail(err, err_size, -EIO,
			"DPDK cannot start without " CPU_0
			", from which it knows the CPUs; mount /sys here (read-only will do)");
}

int
eal_open(const struct settings *s, size_t memory, char *err, size_t err_size)
{
	char *list[ARGS_MAX + 1];
	int ret = check_sys(err, err_size);

	if (ret != 0)
		return ret;
	/*
	 * DPDK makes a directory there, which nothing here needs. A path where no directory can be made
	 * prevents it, so that nothing is left behind even after kill -9.
	 */
	setenv("RUNTIME_DIRECTORY", "/dev/null", 1);
	build(&args, s, memory);
	if (args.failed)
		return text_fail(err, err_size, -E2BIG, "too many EAL options after --");
	/* with --log-level the user wants to see DPDK's messages */
	if (!given(s, "--log-level"))
		eal_log_open();
	memcpy(list, args.list, sizeof(list)); /* EAL reorders it */
	stop_block();
	ret = init_quietly(list, args.count);
	stop_unblock();
	return ret == 0 ? 0 : explain(s, memory, ret, err, err_size);
}

void
eal_close(void)
{
	rte_eal_cleanup();
	eal_log_close();
	release(&args);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* See surroundings.h. */
#include "surroundings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gate/fd_budget.h"
#include "base/log.h"
#include "text/text.h"

/* Of a switch without ports: its own, those of each worker, and a client of the control socket. */
#define OWN_DESCRIPTORS 40
#define WORKER_DESCRIPTORS 3

#define A_PORT (FD_BUDGET_REST + FD_BUDGET_LISTENER + FD_BUDGET_SESSION + FD_BUDGET_REGION)

#define PROC_FILE "/proc/self/fd"
#define CPUS_DIR "/sys/devices/system/cpu"

static int
check_descriptors(uint32_t workers, char *err, size_t err_size)
{
	uint64_t least = OWN_DESCRIPTORS + (uint64_t)workers * WORKER_DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	if (limit.rlim_cur < least)
		return text_fail(err, err_size, -EMFILE,
				"it may open %llu descriptors (RLIMIT_NOFILE), and needs %llu to start; "
				"raise the limit (ulimit -n, LimitNOFILE= of a service)",
				(unsigned long long)limit.rlim_cur, (unsigned long long)least);
	if (limit.rlim_cur < A_PORT)
		log_warning("the switch may open %llu descriptors (RLIMIT_NOFILE), which is too few "
			    "for a vhost-user port: the first needs %u; raise the limit (ulimit -n, "
			    "LimitNOFILE= of a service)",
				(unsigned long long)limit.rlim_cur, (unsigned int)A_PORT);
	return 0;
}

static void
check_proc(void)
{
	if (access(PROC_FILE, F_OK) != 0)
		log_warning("there is no /proc: vhost-user ports cannot be added, because the kinds of "
			    "their frontends' descriptors are found out there, and the memory that the "
			    "host has left is not known; mount it (mount -t proc proc /proc)");
}

/* DPDK finds out there which CPUs exist, and its own words name no file. */
static int
check_sys(char *err, size_t err_size)
{
	if (access(CPUS_DIR, F_OK) == 0)
		return 0;
	return text_fail(err, err_size, -ENOENT,
			"there is no " CPUS_DIR
			", where DPDK finds the CPUs; mount it (mount -t sysfs "
			"sysfs /sys)");
}

int
surroundings_check(uint32_t workers, char *err, size_t err_size)
{
	int ret = check_descriptors(workers, err, err_size);

	if (ret == 0)
		ret = check_sys(err, err_size);
	if (ret == 0)
		check_proc();
	return ret;
}

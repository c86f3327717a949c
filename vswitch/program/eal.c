/* SPDX-License-Identifier: BSD-3-Clause */
/* See eal.h. */
#include "eal.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_memory.h>

#include "cpu_list.h"
#include "hugepages.h"
#include "base/dpdk_log.h"
#include "text/text.h"

#define ARGS_MAX 16
#define LIST_MAX 2048 /* bytes of a list of CPUs */

/* PCI devices are probed when a port asks for them: of those that are there at start, none but this. */
#define NO_PCI_DEVICE "--allow=ffff:ff:1f.7"

/*
 * One lcore, the main one, which may run wherever this process may: EAL would pin it, and every
 * thread that it makes, to the first CPU.
 */
static int
lcores_argument(char *text, size_t size)
{
	cpu_set_t allowed;
	char list[LIST_MAX];

	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return -errno;
	if (cpu_list_format(&allowed, list, sizeof(list)) != 0)
		return -ENOSPC;
	snprintf(text, size, "--lcores=0@(%s)", list);
	return 0;
}

/* EAL keeps pointers into the arguments and moves them about: they must stay. */
static int
init(bool huge, uint32_t mib)
{
	static char name[] = "vswitchd", pci[] = NO_PCI_DEVICE, no_telemetry[] = "--no-telemetry";
	static char no_huge[] = "--no-huge", no_shconf[] = "--no-shconf";
	static char in_memory[] = "--in-memory", level[] = "--log-level=*:error";
	static char amount_option[] = "-m", amount[16], lcores[LIST_MAX + 16];
	static char *argv[ARGS_MAX];
	int argc = 0, ret;

	ret = lcores_argument(lcores, sizeof(lcores));
	if (ret != 0) {
		rte_errno = -ret;
		return -1;
	}
	snprintf(amount, sizeof(amount), "%u", mib);
	argv[argc++] = name;
	argv[argc++] = lcores;
	argv[argc++] = pci;
	argv[argc++] = no_telemetry;
	argv[argc++] = level;
	argv[argc++] = amount_option;
	argv[argc++] = amount;
	if (huge) {
		argv[argc++] = in_memory;
	} else {
		argv[argc++] = no_huge;
		argv[argc++] = no_shconf;
	}
	return rte_eal_init(argc, argv);
}

static int
refuse_growth(int socket_id, size_t current, size_t wanted)
{
	(void)socket_id;
	(void)current;
	(void)wanted;
	return -1;
}

/* Ordinary memory cannot grow; hugepages could. */
static int
forbid_growth(void)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < rte_socket_count() && ret == 0; i++)
		ret = rte_mem_alloc_validator_register(
				"vswitch-start", refuse_growth, rte_socket_id_by_idx(i), 0);
	return ret;
}

/* Hugepages are looked for here, because EAL would end its search with less clear words. */
static int
choose_memory(enum huge_mode mode, uint32_t mib, struct eal_memory *memory, char *err,
		size_t err_size)
{
	bool there = false;

	*memory = (struct eal_memory){ .mib = mib };
	if (mode != HUGE_OFF)
		there = hugepages_free(mib, memory->why, sizeof(memory->why));
	if (mode == HUGE_ON && !there)
		return text_fail(err, err_size, -ENOMEM,
				"cannot use hugepages: %s; reserve more of them (vm.nr_hugepages), or "
				"use --huge auto",
				memory->why);
	memory->huge = there;
	return 0;
}

int
eal_start(enum huge_mode mode, uint32_t mib, const char *private_dir, struct eal_memory *memory,
		char *err, size_t err_size)
{
	int ret = choose_memory(mode, mib, memory, err, err_size);

	if (ret != 0)
		return ret;
	if (setenv("RUNTIME_DIRECTORY", private_dir, 1) != 0 || dpdk_log_open() != 0)
		return text_fail(err, err_size, -ENOMEM, "out of memory");
	if (init(memory->huge, mib) >= 0 && (!memory->huge || forbid_growth() == 0))
		return 0;
	return text_fail(err, err_size, rte_errno != 0 ? -rte_errno : -EIO,
			"cannot start DPDK with %u MiB of %s: %s; %s", mib,
			memory->huge ? "hugepages" : "ordinary memory", rte_strerror(rte_errno),
			memory->huge ? "reserve more of them (vm.nr_hugepages), or use --huge off"
				     : "use a smaller --memory");
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What a host, and each version of memory cgroups, leaves: read from files that a test writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "ports/vhost/host_memory.h"

#define MIB (1ull << 20)

static char root[64];

/* Writes a file below the root, and makes its directories. */
static void
put(const char *path, const char *text)
{
	char full[512];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *slash = strchr(full + strlen(root) + 1, '/'); slash != NULL;
			slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(full, 0755);
		*slash = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/host-memory-XXXXXX");
	return mkdtemp(root) != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command); /* NOLINT(cert-env33-c) */
}

static void
put_host(void)
{
	put("/proc/meminfo",
			"MemTotal:       1048576 kB\nMemFree:  1 kB\nMemAvailable:    524288 kB\n");
}

static void
expect(uint64_t size_mib, uint64_t left_mib)
{
	struct host_memory memory;

	host_memory_read(root, &memory);
	assert_int_equal(memory.size, size_mib * MIB);
	assert_int_equal(memory.left, left_mib * MIB);
}

static void
test_nothing(void **state)
{
	struct host_memory memory;

	(void)state;
	host_memory_read(root, &memory);
	assert_true(memory.size == UINT64_MAX && memory.left == UINT64_MAX);
}

static void
test_host(void **state)
{
	(void)state;
	put_host();
	expect(1024, 512);
}

static void
test_version_2(void **state)
{
	(void)state;
	put_host();
	put("/proc/self/cgroup", "1:cpu:/elsewhere\n0::/system.slice/vswitch.service\n");
	put("/proc/self/mountinfo",
			"30 24 0:26 / /sys rw - sysfs sysfs rw\n"
			"31 24 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
	put("/sys/fs/cgroup/system.slice/vswitch.service/memory.max", "536870912\n");
	put("/sys/fs/cgroup/system.slice/vswitch.service/memory.current", "209715200\n");
	put("/sys/fs/cgroup/system.slice/vswitch.service/memory.stat",
			"anon 5\nfile 9\ninactive_file 104857600\n");
	expect(512, 412);
	/* the group above is narrower */
	put("/sys/fs/cgroup/system.slice/memory.max", "314572800\n");
	put("/sys/fs/cgroup/system.slice/memory.current", "209715200\n");
	expect(300, 100);
	put("/sys/fs/cgroup/system.slice/memory.max", "max\n");
	expect(512, 412);
	put("/sys/fs/cgroup/system.slice/vswitch.service/memory.current", "1073741824\n");
	expect(512, 0);
}

static void
test_version_1(void **state)
{
	(void)state;
	put_host();
	put("/proc/self/cgroup", "9:memory:/docker/abc\n0::/\n");
	put("/proc/self/mountinfo",
			"40 24 0:30 / /cg/cpu rw - cgroup cgroup rw,cpu\n"
			"41 24 0:31 / /cg/memory rw - cgroup cgroup rw,memory\n");
	put("/cg/memory/docker/abc/memory.limit_in_bytes", "268435456\n");
	put("/cg/memory/docker/abc/memory.usage_in_bytes", "134217728\n");
	put("/cg/memory/docker/abc/memory.stat", "inactive_file 1\ntotal_inactive_file 33554432\n");
	put("/cg/memory/memory.limit_in_bytes", "9223372036854771712\n");
	put("/cg/memory/memory.usage_in_bytes", "134217728\n");
	expect(256, 160);
}

/* In a container the mount shows the group itself, and what is above it is not to be seen. */
static void
test_container(void **state)
{
	(void)state;
	put_host();
	put("/proc/self/cgroup", "9:memory:/docker/abc\n");
	put("/proc/self/mountinfo",
			"41 24 0:31 /docker/abc /cg/memory ro - cgroup cgroup rw,memory\n");
	put("/cg/memory/memory.limit_in_bytes", "268435456\n");
	put("/cg/memory/memory.usage_in_bytes", "134217728\n");
	expect(256, 128);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_version_2, setup, teardown),
		cmocka_unit_test_setup_teardown(test_version_1, setup, teardown),
		cmocka_unit_test_setup_teardown(test_container, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Every check of the memory table, and what becomes of the session by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "vhost_build.h"

static struct session session;
static struct vhost_msg msg;
static char why[256];

static int
setup(void **state)
{
	(void)state;
	session_init(&session, build_close, NULL);
	build_memory(&msg, 3);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	build_release(&msg);
	session_reset(&session);
	return build_open_fds() == 0 ? 0 : -1;
}

static void
expect(enum vhost_verdict verdict, const char *words)
{
	assert_int_equal(build_check(&msg, &session, why), verdict);
	if (strstr(why, words) == NULL)
		assert_string_equal(why, words);
}

static struct vhost_payload_region *
region(uint32_t index)
{
	return &msg.payload.memory.regions[index];
}

static void
test_one_to_eight(void **state)
{
	uint32_t n;

	(void)state;
	build_release(&msg);
	for (n = 1; n <= MEMORY_REGIONS_MAX; n++) {
		build_memory(&msg, n);
		expect(VHOST_GOOD, "");
		build_release(&msg);
	}
	build_memory(&msg, 0);
	expect(VHOST_BROKEN, "payload of 8 bytes; 1 to 8 regions");
	build_memory(&msg, 9);
	expect(VHOST_BROKEN, "payload of 296 bytes; 1 to 8 regions");
}

static void
test_count_and_size_disagree(void **state)
{
	(void)state;
	msg.payload.memory.n_regions = 2;
	expect(VHOST_BROKEN, "memory table of 2 regions in 104 bytes");
	msg.payload.memory.n_regions = 0;
	expect(VHOST_BROKEN, "memory table of 0 regions");
	msg.payload.memory.n_regions = UINT32_MAX;
	expect(VHOST_BROKEN, "memory table of 4294967295 regions");
	msg.payload.memory.n_regions = 3;
	msg.header.size--;
	expect(VHOST_BROKEN, "payload of 103 bytes");
}

static void
test_count_and_descriptors_disagree(void **state)
{
	(void)state;
	msg.n_fds = 2;
	expect(VHOST_BROKEN, "3 regions with 2 descriptors");
	msg.n_fds = 0;
	expect(VHOST_BROKEN, "3 regions with 0 descriptors");
	msg.n_fds = 3;
	expect(VHOST_GOOD, "");
}

static void
test_longer_than_file(void **state)
{
	(void)state;
	msg.facts[1].size--;
	expect(VHOST_BROKEN, "memory region 1 is longer than its file");
	msg.facts[1].size++;
	region(1)->mmap_offset += 4096;
	expect(VHOST_BROKEN, "memory region 1 is longer than its file");
	/* the offset alone, and a sum that wraps */
	region(1)->mmap_offset = msg.facts[1].size + 4096;
	expect(VHOST_BROKEN, "memory region 1 is longer than its file");
	region(1)->mmap_offset = UINT64_MAX - BUILD_REGION_SIZE + 1;
	expect(VHOST_BROKEN, "memory region 1 is longer than its file");
	region(1)->mmap_offset = 1;
	expect(VHOST_BROKEN, "memory region 1: offset 1 in its file is not at the start of a page");
}

static void
test_empty_and_wrapping(void **state)
{
	(void)state;
	region(2)->size = 0;
	expect(VHOST_BROKEN, "memory region 2 is empty");
	region(2)->size = BUILD_REGION_SIZE;
	region(2)->guest_phys_addr = UINT64_MAX - BUILD_REGION_SIZE + 1;
	expect(VHOST_BROKEN, "memory region 2 wraps around");
	region(2)->guest_phys_addr = 0;
	region(2)->userspace_addr = UINT64_MAX;
	expect(VHOST_BROKEN, "memory region 2 wraps around");
	region(2)->userspace_addr = UINT64_MAX - BUILD_REGION_SIZE;
	expect(VHOST_GOOD, "");
}

static void
test_overlap(void **state)
{
	(void)state;
	region(2)->guest_phys_addr = BUILD_GUEST_ADDR + BUILD_REGION_SIZE - 1;
	expect(VHOST_BROKEN, "memory regions 0 and 2 overlap in guest-physical addresses");
	region(2)->guest_phys_addr = BUILD_GUEST_ADDR + BUILD_REGION_SIZE;
	expect(VHOST_GOOD, "");
	region(2)->userspace_addr = BUILD_USER_ADDR + BUILD_STEP - 1;
	expect(VHOST_BROKEN, "memory regions 1 and 2 overlap in user addresses");
	/* one inside the other */
	region(2)->userspace_addr = BUILD_USER_ADDR + BUILD_STEP + 4096;
	region(2)->size = 4096;
	expect(VHOST_BROKEN, "memory regions 1 and 2 overlap in user addresses");
	region(2)->userspace_addr = BUILD_USER_ADDR + BUILD_STEP + BUILD_REGION_SIZE;
	expect(VHOST_GOOD, "");
}

static void
test_kind_of_file(void **state)
{
	(void)state;
	msg.facts[0].kind = VHOST_FD_OTHER;
	expect(VHOST_BROKEN, "memory region 0 is not shared memory");
	msg.facts[0].kind = VHOST_FD_EVENTFD;
	expect(VHOST_BROKEN, "memory region 0 is not shared memory");
	msg.facts[0].kind = VHOST_FD_MEMORY;
	msg.facts[2].writable = false;
	expect(VHOST_BROKEN, "memory region 2 cannot be written to");
}

/* Address space is taken from the beginning of each file, so offsets count. */
static void
test_address_space(void **state)
{
	(void)state;
	msg.facts[0].size = msg.facts[1].size = msg.facts[2].size = MEMORY_MAPPED_MAX;
	region(0)->mmap_offset = 0;
	region(1)->mmap_offset = 0;
	region(2)->mmap_offset = MEMORY_MAPPED_MAX - 3 * BUILD_REGION_SIZE;
	expect(VHOST_GOOD, "");
	region(2)->size++;
	expect(VHOST_REFUSED, "more than 1024 GiB of address space");
	msg.facts[0].size = msg.facts[1].size = UINT64_MAX;
	region(1)->mmap_offset = UINT64_MAX - BUILD_REGION_SIZE - 4095;
	expect(VHOST_REFUSED, "more than 1024 GiB of address space");
}

static void
test_recorded(void **state)
{
	(void)state;
	build_pass(&msg, &session);
	assert_true(session.has_memory);
	assert_int_equal(session.n_regions, 3);
	assert_int_equal(session.regions[2].guest_phys_addr, BUILD_GUEST_ADDR + 2 * BUILD_STEP);
	assert_int_equal(session.regions[2].userspace_addr, BUILD_USER_ADDR + 2 * BUILD_STEP);
	assert_int_equal(session.regions[2].size, BUILD_REGION_SIZE);
	assert_int_equal(session.regions[2].mmap_offset, 2 * BUILD_REGION_SIZE);
	assert_int_equal(session.regions[2].file_ino, 1002);
	assert_int_equal(build_open_fds(), 3);
	/* the same again is fine, and gives the old descriptors up */
	build_memory(&msg, 3);
	build_pass(&msg, &session);
	assert_int_equal(build_open_fds(), 3);
}

static void
test_same_addresses_other_file(void **state)
{
	(void)state;
	build_pass(&msg, &session);
	build_memory(&msg, 3);
	msg.facts[1].ino++;
	expect(VHOST_REFUSED, "old addresses but other files");
	msg.facts[1].ino--;
	msg.facts[1].dev++;
	expect(VHOST_REFUSED, "old addresses but other files");
	msg.facts[1].dev--;
	region(1)->mmap_offset = 0;
	expect(VHOST_REFUSED, "old addresses but other files");
	/* with one address changed the library maps all anew */
	region(0)->guest_phys_addr += 4096;
	expect(VHOST_GOOD, "");
	/* and when it has none */
	region(0)->guest_phys_addr -= 4096;
	session_drop_memory(&session);
	expect(VHOST_GOOD, "");
}

static void
test_refused_by_library(void **state)
{
	(void)state;
	build_pass(&msg, &session);
	build_memory(&msg, 2);
	vhost_msg_apply_refusal(&msg, &session);
	assert_false(session.has_memory);
	assert_int_equal(session.n_regions, 0);
	assert_int_equal(build_open_fds(), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_to_eight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_count_and_size_disagree, setup, teardown),
		cmocka_unit_test_setup_teardown(
				test_count_and_descriptors_disagree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_longer_than_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty_and_wrapping, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kind_of_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_address_space, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recorded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_addresses_other_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_by_library, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

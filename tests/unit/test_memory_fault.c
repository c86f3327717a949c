/* SPDX-License-Identifier: BSD-3-Clause */
/* Absent pages of a mapping, with the handler of SIGBUS as the switch has it. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "rings/memory_fault.h"
#include "rings/sigbus.h"

#define PAGE 4096ul
#define PAGES 64ul

static struct memory_growth growth;
static struct vring_health health;
static struct guest_mem mem;
static uint8_t *memory;
static int fd;

static int
setup(void **state)
{
	(void)state;
	fd = memfd_create("guest", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, PAGES * PAGE) != 0)
		return -1;
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -1;
	mem = (struct guest_mem){ .n = 1, .regions[0] = { .size = PAGES * PAGE, .host = memory } };
	health = (struct vring_health){ 0 };
	memory_growth_init(&growth, UINT64_MAX);
	return sigbus_watch(&mem, &health, &growth);
}

static int
teardown(void **state)
{
	(void)state;
	sigbus_forget(&health);
	munmap(memory, PAGES * PAGE);
	close(fd);
	return 0;
}

/* In the test itself: cmocka puts its own handler before each. */
static void
begin(void **state)
{
	(void)state;
	assert_int_equal(sigbus_install(), 0);
}

static uint64_t
file_pages(void)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_blocks * 512 / PAGE;
}

static void
touch(uint64_t page)
{
	__atomic_fetch_add(&memory[page * PAGE + 5], 1, __ATOMIC_RELAXED);
}

static void
test_counted(void **state)
{
	begin(state);
	touch(3);
	touch(3);
	assert_int_equal(__atomic_load_n(&memory[7 * PAGE], __ATOMIC_RELAXED), 0); /* reads, too */
	assert_int_equal(memory[3 * PAGE + 5], 2);
	assert_int_equal(file_pages(), 2);
	assert_int_equal(memory_growth_total(&growth), 2 * PAGE);
	assert_int_equal(vring_health_defect(&health), VRING_SOUND);
}

static void
test_of_others(void **state)
{
	begin(state);
	assert_int_equal(pwrite(fd, "x", 1, 9 * PAGE), 1);
	assert_int_equal(memory[9 * PAGE], 'x');
	touch(9);
	assert_int_equal(memory_growth_total(&growth), 0);
}

/* A page that was punched away is added anew. */
static void
test_punched(void **state)
{
	begin(state);
	touch(1);
	assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, PAGE), 0);
	touch(1);
	assert_int_equal(memory_growth_total(&growth), 2 * PAGE);
	assert_int_equal(file_pages(), 1);
}

static void
test_present(void **state)
{
	begin(state);
	touch(4);
	touch(5);
	assert_true(memory_fault_present(memory + 4 * PAGE + 100, PAGE));
	assert_true(memory_fault_present(memory + 6 * PAGE - 1, 1));
	assert_false(memory_fault_present(memory + 5 * PAGE + 1, PAGE));
	assert_false(memory_fault_present(memory + 3 * PAGE, 1));
	assert_false(memory_fault_present(memory, PAGES * PAGE));
	assert_int_equal(file_pages(), 2);
	assert_int_equal(memory_growth_total(&growth), 2 * PAGE);
}

/* The kernel's own touch makes nothing, and the thread learns why by touching. */
static void
test_kernel(void **state)
{
	unsigned int before = memory_fault_count();
	int pipes[2];

	begin(state);
	assert_int_equal(pipe(pipes), 0);
	assert_true(write(pipes[1], memory + 8 * PAGE, 10) < 0);
	assert_int_equal(file_pages(), 0);
	touch(8);
	assert_int_equal(memory_fault_count(), before + 1);
	assert_int_equal(write(pipes[1], memory + 8 * PAGE, 10), 10);
	close(pipes[0]);
	close(pipes[1]);
}

/* A file that shrank is another matter. */
static void
test_gone(void **state)
{
	unsigned int before = memory_fault_count();

	begin(state);
	assert_int_equal(ftruncate(fd, 2 * PAGE), 0);
	touch(2);
	assert_int_equal(vring_health_defect(&health), VRING_MEMORY_GONE);
	assert_int_equal(memory_growth_total(&growth), 0);
	assert_int_equal(memory_fault_count(), before);
}

/* A fault at this page as the kernel reports one. */
static void
raise_fault(uint64_t page, int code)
{
	siginfo_t info = { .si_signo = SIGBUS, .si_code = code };

	info.si_addr = memory + page * PAGE;
	assert_int_equal(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGBUS, &info), 0);
}

/* It is there, and still it cannot be used: the thread may not fault at it for ever. */
static void
test_unusable(void **state)
{
	int faults = 0;

	begin(state);
	touch(6);
	memory[6 * PAGE] = 'x';
	while (vring_health_defect(&health) == VRING_SOUND && faults < 1000) {
		raise_fault(6, BUS_MCEERR_AR);
		faults++;
	}
	assert_int_equal(vring_health_defect(&health), VRING_MEMORY_GONE);
	assert_int_equal(memory[6 * PAGE], 0); /* another page */
	assert_int_equal(memory_growth_total(&growth), PAGE);
}

/* Others that are faster now and then are nobody's fault. */
static void
test_raced(void **state)
{
	begin(state);
	for (int i = 0; i < 1000; i++) {
		touch((uint64_t)i % 2);
		raise_fault((uint64_t)i % 2, BUS_ADRERR);
	}
	assert_int_equal(vring_health_defect(&health), VRING_SOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_punched, setup, teardown),
		cmocka_unit_test_setup_teardown(test_present, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kernel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unusable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_raced, setup, teardown),
	};

	if (memory_fault_start() < 0) {
		puts("1..0 # SKIP the kernel or a sandbox gives no userfaultfd");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

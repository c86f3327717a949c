/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finds out when this process is about to add a page to a frontend's memory. The mappings of guest
 * memory are registered with userfaultfd (since Linux 4.14; UFFD_USER_MODE_ONLY, which needs no privilege,
 * since 5.11). Then a touch of a page that the file does not have raises SIGBUS. The handler (sigbus.c)
 * makes the page and counts it in the port's account. A page that exists costs nothing extra. The kernel
 * decides whether a page exists while it holds it, so a frontend gains nothing by punching holes at the
 * right moment.
 *
 * Where the kernel or a sandbox forbids userfaultfd, pages are looked up with mincore() when it matters,
 * and growth is guessed from the files (vhost_memory.c).
 */
#ifndef VSWITCH_MEMORY_FAULT_H
#define VSWITCH_MEMORY_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* Once, before the first frontend. 0, or -errno when there is no userfaultfd. Control thread. */
int memory_fault_start(void);

/* Whether absent pages raise SIGBUS here. */
bool memory_fault_works(void);

/*
 * From now on touches of absent pages of this mapping raise SIGBUS, until it is unmapped. Call it before
 * any worker uses the mapping. Does nothing for huge pages, which mmap() has reserved for the file.
 * Control thread.
 */
void memory_fault_watch(void *start, size_t size);

enum memory_fault {
	MEMORY_FAULT_FILLED, /* the page exists now; count it in the port's account */
	MEMORY_FAULT_RACED,  /* another thread was faster, or the touch is worth another try */
	MEMORY_FAULT_OTHER,  /* not an absent page of a watched mapping, or it cannot be used */
};

/* In the handler of SIGBUS: makes the absent page of `addr`, of MEMORY_FAULT_PAGE bytes. */
enum memory_fault memory_fault_fill(void *addr);

#define MEMORY_FAULT_PAGE 4096

/* How many absent pages the calling thread has met: when a touch met one, the number has changed. */
unsigned int memory_fault_count(void);

/*
 * Whether all pages of `len` bytes (not 0) of guest memory exist. Maps those that exist. Any thread; a
 * system call.
 */
bool memory_fault_present(const void *start, size_t len);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finds out when this process is about to add a page to a frontend's memory. The mappings of guest
 * memory are registered with userfaultfd (Linux 4.14 on; UFFD_USER_MODE_ONLY, which needs no right,
 * 5.11 on): a touch of a page that the file does not have raises SIGBUS instead of making one, and the
 * handler (sigbus.c) makes it, or does not, and keeps the account. A page that exists costs nothing
 * more than without. The kernel decides which is the case while it holds the page, so a
 * frontend that punches holes at the right moment gains nothing.
 *
 * Where the kernel or a sandbox gives no userfaultfd, pages are looked up with mincore() when it
 * matters, and growth is guessed from the files (port_vhost_memory.c).
 */
#ifndef VSWITCH_MEMORY_FAULT_H
#define VSWITCH_MEMORY_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* Once, before the first frontend. 0, or -errno: there is no userfaultfd here. Control thread. */
int memory_fault_start(void);

/* Whether absent pages raise SIGBUS here. */
bool memory_fault_works(void);

/*
 * From now on touches of absent pages of this mapping raise SIGBUS. Before any worker uses it. Not of
 * huge pages, which were promised to the file when it was mapped. Ends with the mapping. Control
 * thread.
 */
void memory_fault_watch(void *start, size_t size);

enum memory_fault {
	MEMORY_FAULT_FILLED, /* the page is there now, and is ours to pay */
	MEMORY_FAULT_RACED,  /* somebody else was faster, or it is worth another try */
	MEMORY_FAULT_OTHER,  /* no absent page of a watched mapping, or one that cannot be used */
};

/* In the handler of SIGBUS: makes the absent page of `addr`, of MEMORY_FAULT_PAGE bytes. */
enum memory_fault memory_fault_fill(void *addr);

#define MEMORY_FAULT_PAGE 4096

/* Absent pages that the calling thread has met, for who wants to know whether a touch met one. */
unsigned int memory_fault_count(void);

/*
 * Whether all pages of `len` bytes (not 0) of guest memory exist; those that do are mapped afterwards. Any thread;
 * a system call.
 */
bool memory_fault_present(const void *start, size_t len);

#endif

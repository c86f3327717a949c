/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The time stamp counter, for code that knows no DPDK. It runs at a constant rate on every machine
 * that DPDK supports, so cycles measure time, not work.
 */
#ifndef VSWITCH_TSC_H
#define VSWITCH_TSC_H

#include <stdint.h>

static inline uint64_t
tsc_read(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t count;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
	return count;
#else
#error "how is the counter of this CPU read?"
#endif
}

#endif

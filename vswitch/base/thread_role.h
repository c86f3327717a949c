/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which thread may call a function, asserted in builds that look for faults: with a sanitizer (`./dev
 * test --asan`, `--tsan`) or without optimization. Other builds have neither the check nor its cost.
 * A thread that never said what it is may call anything: unit tests, and threads of DPDK.
 */
#ifndef VSWITCH_THREAD_ROLE_H
#define VSWITCH_THREAD_ROLE_H

enum thread_role {
	THREAD_CONTROL = 1 << 0,
	THREAD_HELPER = 1 << 1,
	THREAD_WORKER = 1 << 2,
	THREAD_LIBRARY = 1 << 3,
};

#ifdef THREAD_ROLES

#include <assert.h>

extern _Thread_local unsigned int thread_role; /* thread.c; 0: it has not said */

/* What this thread is, from now on. */
#define THREAD_IS(role) (thread_role = (role))
/* At the begin of a function: the roles that may call it, as a mask. */
#define ASSERT_ON(roles) assert(thread_role == 0 || (thread_role & (roles)) != 0)

#else

#define THREAD_IS(role) ((void)0)
#define ASSERT_ON(roles) ((void)0)

#endif

#endif

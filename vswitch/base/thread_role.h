/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asserts which threads call a function, in builds with a sanitizer (`./dev test --asan`, `--tsan`) or
 * without optimization. Other builds have neither the check nor its cost. A thread that has not set its
 * role may call anything: unit tests, and threads of DPDK.
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

extern _Thread_local unsigned int thread_role; /* thread.c; 0: not set */

/* Sets the calling thread's role. */
#define THREAD_IS(role) (thread_role = (role))
/* At the start of a function: a mask of the roles that may call it. */
#define ASSERT_ON(roles) assert(thread_role == 0 || (thread_role & (roles)) != 0)

#else

#define THREAD_IS(role) ((void)0)
#define ASSERT_ON(roles) ((void)0)

#endif

#endif

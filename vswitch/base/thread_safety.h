/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What protects what, said so that clang checks it (-Wthread-safety, in `./dev lint`): a member is
 * GUARDED_BY a lock, a function REQUIRES that its caller holds one. Other compilers see nothing.
 */
#ifndef VSWITCH_THREAD_SAFETY_H
#define VSWITCH_THREAD_SAFETY_H

#ifdef __clang__
#define THREAD_SAFETY(x) __attribute__((x))
#else
#define THREAD_SAFETY(x)
#endif

/* A type that is a lock. */
#define LOCK_TYPE(name) THREAD_SAFETY(capability(name))
/* A member or variable; PT_: what it points to. */
#define GUARDED_BY(lock) THREAD_SAFETY(guarded_by(lock))
#define PT_GUARDED_BY(lock) THREAD_SAFETY(pt_guarded_by(lock))
/* A function: its caller holds the lock, before and after. It may give it back in between. */
#define REQUIRES(lock) THREAD_SAFETY(requires_capability(lock))
/* A function: its caller does not hold the lock, because the function takes it. */
#define EXCLUDES(lock) THREAD_SAFETY(locks_excluded(lock))
/* A function that returns with the lock, with it if it returns `result`, or without it. */
#define ACQUIRES(lock) THREAD_SAFETY(acquire_capability(lock))
#define TRY_ACQUIRES(result, lock) THREAD_SAFETY(try_acquire_capability(result, lock))
#define RELEASES(lock) THREAD_SAFETY(release_capability(lock))
/* A function that the check cannot follow; the reason stands beside. */
#define UNCHECKED_LOCKS THREAD_SAFETY(no_thread_safety_analysis)

#endif

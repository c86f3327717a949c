/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Annotations that say which lock protects what. clang checks them (-Wthread-safety, in `./dev lint`);
 * for other compilers they are empty.
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
/* A member or variable that the lock protects; PT_: the lock protects what it points to. */
#define GUARDED_BY(lock) THREAD_SAFETY(guarded_by(lock))
#define PT_GUARDED_BY(lock) THREAD_SAFETY(pt_guarded_by(lock))
/* A function whose caller holds the lock. The function may release it meanwhile. */
#define REQUIRES(lock) THREAD_SAFETY(requires_capability(lock))
/* A function whose caller must not hold the lock, because the function takes it. */
#define EXCLUDES(lock) THREAD_SAFETY(locks_excluded(lock))
/* Functions that return with the lock held; with it held if they return `result`; that release it. */
#define ACQUIRES(lock) THREAD_SAFETY(acquire_capability(lock))
#define TRY_ACQUIRES(result, lock) THREAD_SAFETY(try_acquire_capability(result, lock))
#define RELEASES(lock) THREAD_SAFETY(release_capability(lock))
/* A function that clang cannot check; a comment there says why. */
#define UNCHECKED_LOCKS THREAD_SAFETY(no_thread_safety_analysis)

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lock of the C library, as a type of our own because the library's carries no annotation
 * (thread_safety.h). Any thread that may sleep: no worker takes one while it carries frames.
 */
#ifndef VSWITCH_MUTEX_H
#define VSWITCH_MUTEX_H

#include <pthread.h>

#include "thread_safety.h"

struct LOCK_TYPE("mutex") mutex {
	pthread_mutex_t native;
};

#define MUTEX_INIT                                                                                 \
	{                                                                                          \
		PTHREAD_MUTEX_INITIALIZER                                                          \
	}

static inline void mutex_lock(struct mutex *mutex) ACQUIRES(*mutex) UNCHECKED_LOCKS;
static inline void mutex_unlock(struct mutex *mutex) RELEASES(*mutex) UNCHECKED_LOCKS;
static inline void mutex_wait(struct mutex *mutex, pthread_cond_t *condition) REQUIRES(*mutex);

static inline void
mutex_lock(struct mutex *mutex)
{
	pthread_mutex_lock(&mutex->native);
}

static inline void
mutex_unlock(struct mutex *mutex)
{
	pthread_mutex_unlock(&mutex->native);
}

/* Gives the lock back until the condition is signalled, and has it again then. */
static inline void
mutex_wait(struct mutex *mutex, pthread_cond_t *condition)
{
	pthread_cond_wait(condition, &mutex->native);
}

#endif

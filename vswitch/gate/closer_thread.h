/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Closes descriptors in threads of their own: those of which close() itself may never return, also
 * where others have copies, because it asks the file's owner (flush of FUSE). Private to closer.c.
 */
#ifndef VSWITCH_CLOSER_THREAD_H
#define VSWITCH_CLOSER_THREAD_H

/*
 * Takes `fd` and returns at once; any thread. `done(arg)` is called when it is closed, in the thread
 * that did so.
 */
void closer_thread_close(int fd, void (*done)(void *arg), void *arg);

#endif

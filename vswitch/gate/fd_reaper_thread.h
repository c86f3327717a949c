/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Closes descriptors in threads of their own: those of which close() itself may never return, also
 * where others have copies, because it asks the file's owner (flush of FUSE). Private to fd_reaper.c.
 */
#ifndef VSWITCH_FD_REAPER_THREAD_H
#define VSWITCH_FD_REAPER_THREAD_H

/*
 * Takes `fd` and returns at once; any thread. `done(arg)` is called when it is closed, in the thread
 * that did so.
 */
void fd_reaper_thread_close(int fd, void (*done)(void *arg), void *arg);

#endif

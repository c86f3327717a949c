/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Closes descriptors in threads, where every close() may hang, not only the last one, because it asks
 * a file server (flush of FUSE). Private to fd_reaper.c.
 */
#ifndef VSWITCH_FD_REAPER_THREAD_H
#define VSWITCH_FD_REAPER_THREAD_H

/*
 * Takes ownership of `fd` and returns at once; any thread. Once `fd` is closed, `done(arg)` is called in
 * the thread that closed it.
 */
void fd_reaper_thread_close(int fd, void (*done)(void *arg), void *arg);

#endif

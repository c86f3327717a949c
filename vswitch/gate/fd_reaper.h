/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ends descriptors that strangers gave, and the sockets on which they gave them, so that nobody who
 * has other work waits for it. There are two ways of making close() wait:
 *
 *   In the last close: a socket lingers, and whoever frees a UNIX socket frees the descriptors that
 *   lie unread in it. Memory, eventfds and sockets are therefore handed to a process that exits with
 *   them (fd_reaper_process.c); then our own close is not the last.
 *
 *   In every close: a file system that its owner serves (FUSE) is asked each time. Whatever is
 *   neither memory nor eventfd nor socket is closed by a thread that may stay behind for ever
 *   (fd_reaper_thread.c).
 *
 * Each descriptor is on somebody's account until it is closed, so that a port whose frontends send
 * such descriptors can be told from others. Control thread, but for fd_reaper_fork().
 */
#ifndef VSWITCH_FD_REAPER_H
#define VSWITCH_FD_REAPER_H

#include <stdint.h>

struct fd_reaper_account;
struct fd_reaper_batch;
struct event_base;

/* Starts the process; before the first thread and before anything is opened. 0 or -errno. */
int fd_reaper_fork(void);

/* Hears the process's reports on this loop. 0 or -errno. */
int fd_reaper_start(struct event_base *base);

/* Hands over what is left and lets the process go. */
void fd_reaper_stop(void);

/* NULL: no memory. */
struct fd_reaper_account *fd_reaper_open_account(void);

/* Descriptors still being closed may outlive it. */
void fd_reaper_free_account(struct fd_reaper_account *account);

/* Takes `fd` and returns at once; it is handed over from the event loop, with others. */
void fd_reaper_close(int fd, struct fd_reaper_account *account);

/*
 * Takes back what was given to fd_reaper_close() on this account and is not handed over yet: it stays
 * open until fd_reaper_send(). NULL: nothing.
 */
struct fd_reaper_batch *fd_reaper_hold(struct fd_reaper_account *account);

/* Hands over what was held (NULL: nothing); its account may be gone. */
void fd_reaper_send(void *held);

/*
 * Descriptors of an account that resist closing: those in threads, and the others when they were
 * given more than FD_REAPER_PATIENCE_S ago.
 */
#define FD_REAPER_PATIENCE_S 2
uint32_t fd_reaper_resisting(const struct fd_reaper_account *account);

/* Descriptors of an account, and of all, that are not closed yet. */
uint32_t fd_reaper_pending(const struct fd_reaper_account *account);
uint32_t fd_reaper_pending_all(void);

#endif

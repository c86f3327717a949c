/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Closes descriptors that strangers sent, and the sockets on which they came, without ever making
 * the caller wait. A stranger has two ways of making close() wait:
 *
 *   In the last close of a file: a socket may linger, and a UNIX socket frees the descriptors that lie
 *   unread in it. So memory, eventfds and sockets are handed to a process that exits with them
 *   (fd_reaper_process.c), and our own close is not the last.
 *
 *   In every close: a file system with a server in user space (FUSE) is asked each time. So all other
 *   descriptors are closed by threads, which may never return (fd_reaper_thread.c).
 *
 * Each descriptor is on an account until it is closed. So a port whose frontends send such
 * descriptors can be told from others. Control thread, except fd_reaper_fork().
 */
#ifndef VSWITCH_FD_REAPER_H
#define VSWITCH_FD_REAPER_H

#include <stdint.h>

struct fd_reaper_account;
struct fd_reaper_batch;
struct event_base;

/* Starts the process. Call it before the first thread starts and the first file is opened. 0 or -errno. */
int fd_reaper_fork(void);

/* Begins to read the process's reports on this loop. 0 or -errno. */
int fd_reaper_start(struct event_base *base);

/* Hands over what is left and lets the process go. */
void fd_reaper_stop(void);

/* NULL: no memory. */
struct fd_reaper_account *fd_reaper_open_account(void);

/* Ends the caller's use of an account, whose last descriptors may still be being closed. */
void fd_reaper_free_account(struct fd_reaper_account *account);

/* Takes ownership of `fd` and returns at once. The event loop hands it over, with others. */
void fd_reaper_close(int fd, struct fd_reaper_account *account);

/*
 * Keeps the account's descriptors that are not handed over yet open until fd_reaper_send() gets the
 * returned list. NULL: there are none.
 */
struct fd_reaper_batch *fd_reaper_hold(struct fd_reaper_account *account);

/* Hands over what fd_reaper_hold() returned, also NULL. The account may have been freed meanwhile. */
void fd_reaper_send(void *held);

/*
 * Descriptors of an account that resist closing: those in threads, and the others that came more
 * than FD_REAPER_PATIENCE_S ago.
 */
#define FD_REAPER_PATIENCE_S 2
uint32_t fd_reaper_resisting(const struct fd_reaper_account *account);

/* Descriptors of an account, and of all, that are not closed yet. */
uint32_t fd_reaper_pending(const struct fd_reaper_account *account);
uint32_t fd_reaper_pending_all(void);

#endif

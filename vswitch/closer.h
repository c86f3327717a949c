/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Closes descriptors that strangers sent and that nobody looked into or wanted. close() asks the
 * file's file system, and when its owner serves that himself (FUSE) he may never answer. So each
 * is closed by a thread of its own, which may stay behind; and each is on somebody's account, so
 * that a port whose frontends send such descriptors can be told from others.
 *
 * Control thread. What is known to be memory, an eventfd or a socket goes to helper_close().
 */
#ifndef VSWITCH_CLOSER_H
#define VSWITCH_CLOSER_H

#include <stdint.h>

struct closer_account;

/* NULL: no memory. */
struct closer_account *closer_open_account(void);

/* Descriptors still being closed may outlive it. */
void closer_free_account(struct closer_account *account);

/* Takes `fd` and returns at once. */
void closer_close(int fd, struct closer_account *account);

/* Descriptors of an account, and of all, that are not closed yet. */
uint32_t closer_pending(const struct closer_account *account);
uint32_t closer_pending_all(void);

#endif

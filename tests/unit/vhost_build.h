/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Builds vhost-user messages and sessions for the tests of vhost_msg.c and session.c, with
 * descriptors that are only numbers: what is given up is counted, never closed.
 */
#ifndef TESTS_UNIT_VHOST_BUILD_H
#define TESTS_UNIT_VHOST_BUILD_H

#include <stdint.h>

#include "gate/session.h"
#include "gate/vhost_msg.h"

#define BUILD_FDS_MAX 1000000

/* The memory that build_memory() describes: regions of this size, this far from each other. */
#define BUILD_REGION_SIZE 0x100000ull
#define BUILD_GUEST_ADDR 0x40000000ull
#define BUILD_USER_ADDR 0x7f0000000000ull
#define BUILD_STEP 0x200000ull

/* Addresses of a ring of 256 entries in region 0. */
#define BUILD_DESC (BUILD_USER_ADDR)
#define BUILD_AVAIL (BUILD_USER_ADDR + 0x1000)
#define BUILD_USED (BUILD_USER_ADDR + 0x2000)

/* Features and protocol features that the tests offer. */
extern const struct vhost_offer build_offer;

/* A descriptor's number, owned by whoever asked. */
int build_fd(void);
/* For session_init(): fails the test when `fd` is not owned by anybody. */
void build_close(void *unused, int fd);
/* Descriptors that are owned at present. */
int build_open_fds(void);

void build_empty(struct vhost_msg *msg, uint32_t request);
void build_u64(struct vhost_msg *msg, uint32_t request, uint64_t value);
void build_state(struct vhost_msg *msg, uint32_t request, uint32_t index, uint32_t num);
/* KICK, CALL, ERR with an eventfd. */
void build_file(struct vhost_msg *msg, uint32_t request, uint32_t index);
void
build_addr(struct vhost_msg *msg, uint32_t index, uint64_t desc, uint64_t avail, uint64_t used);
/* SET_MEM_TABLE of `n` regions that are as they should be. */
void build_memory(struct vhost_msg *msg, uint32_t n);

/* Gives up what the message still owns. */
void build_release(struct vhost_msg *msg);

/* Checks header and message: the verdict, words in `why` (256 bytes). */
enum vhost_verdict
build_check(const struct vhost_msg *msg, const struct session *session, char *why);

/* Checks that a message is good, applies it as if the library had said yes, releases it. */
void build_pass(struct vhost_msg *msg, struct session *session);

/* A session as after a whole start: two regions, both rings of 256 entries, enabled. */
void build_running(struct session *session);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checks of single messages against the session and the offer, one function for each kind of
 * message. The table in vhost_msg.c names them. vhost_msg_check() calls them after it has checked
 * header, payload size, descriptors and ring index. Pure; called on the control thread, by unit tests
 * and by test_vhost_mutations.
 */
#ifndef VSWITCH_VHOST_CHECK_H
#define VSWITCH_VHOST_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "vhost_msg.h"

struct vhost_check {
	const struct vhost_msg *msg;
	const struct session *session;
	const struct vhost_offer *offer;
	const char *name; /* of the request */
	char *why;	  /* the reason for any verdict but VHOST_GOOD */
	size_t why_size;
};

typedef enum vhost_verdict (*vhost_check_fn)(const struct vhost_check *check);

/* Writes the reason to check->why and returns the verdict. */
enum vhost_verdict vhost_check_say(const struct vhost_check *check, enum vhost_verdict verdict,
		const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define vhost_refuse(check, ...) vhost_check_say(check, VHOST_REFUSED, __VA_ARGS__)
#define vhost_break(check, ...) vhost_check_say(check, VHOST_BROKEN, __VA_ARGS__)

enum vhost_verdict vhost_check_features(const struct vhost_check *check);
enum vhost_verdict vhost_check_protocol_features(const struct vhost_check *check);
enum vhost_verdict vhost_check_memory(const struct vhost_check *check);
enum vhost_verdict vhost_check_vring_num(const struct vhost_check *check);
enum vhost_verdict vhost_check_vring_base(const struct vhost_check *check);
enum vhost_verdict vhost_check_vring_addr(const struct vhost_check *check);
enum vhost_verdict vhost_check_vring_enable(const struct vhost_check *check);
enum vhost_verdict vhost_check_vring_file(const struct vhost_check *check);
enum vhost_verdict vhost_check_mtu(const struct vhost_check *check);
enum vhost_verdict vhost_check_status(const struct vhost_check *check);

#endif

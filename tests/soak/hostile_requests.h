/* SPDX-License-Identifier: BSD-3-Clause */
/* The requests of vhost-user that a hostile frontend knows how to make; it sends all numbers. */
#ifndef TESTS_SOAK_HOSTILE_REQUESTS_H
#define TESTS_SOAK_HOSTILE_REQUESTS_H

enum hostile_request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	RESET_OWNER = 4,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	SET_VRING_ERR = 14,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
	SEND_RARP = 19,
	NET_SET_MTU = 20,
	SET_STATUS = 39,
	GET_STATUS = 40,
};

#endif

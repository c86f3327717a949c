/* SPDX-License-Identifier: BSD-3-Clause */
/* The real tables of methods with other functions in place of the methods' own. */
#ifndef TESTS_RPC_STAND_INS_H
#define TESTS_RPC_STAND_INS_H

#include <jansson.h>

#include "control/rpc.h"

struct rpc_stand_in {
	const char *method;
	void (*run)(struct rpc_call *call, const json_t *params);
};

/*
 * Has rpc.c know all methods of rpc_tables, each with its stand-in (the last has no name), others
 * with `otherwise`. Once.
 */
void rpc_stand_ins(const struct rpc_stand_in *stand_ins,
		void (*otherwise)(struct rpc_call *call, const json_t *params));

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parameters of a request against the method's entry in the table. Pure: JSON in, words out.
 * Called by rpc.c, by the methods, and by what describes them; control thread.
 */
#ifndef VSWITCH_RPC_PARAMS_H
#define VSWITCH_RPC_PARAMS_H

#include "rpc.h"

struct rpc_problem {
	char text[RPC_TEXT_MAX]; /* what is wrong and what would be right */
	char param[64];		 /* "" when no parameter is to blame */
	char nearest[64];	 /* right name for a misspelt one, or "" */
};

/*
 * Checks names, types, ranges and that what is required is there. 0, or -EINVAL with `problem`.
 * `params` may be NULL (none given) or an array (refused in words).
 */
int rpc_params_check(
		const struct rpc_method *method, const json_t *params, struct rpc_problem *problem);

/* "COMMAND OBJECT", which messages begin with: the object is the value of the first parameter. */
void
rpc_params_subject(const struct rpc_method *method, const json_t *params, char *text, size_t size);

/* Whether a method takes this option of ports. */
struct port_option;
bool rpc_params_has_option(const struct rpc_method *method, const struct port_option *option);

/* Values that were checked; `otherwise` when the parameter was not given. */
const char *rpc_params_text(const json_t *params, const char *name, const char *otherwise);
int64_t rpc_params_integer(const json_t *params, const char *name, int64_t otherwise);
bool rpc_params_bool(const json_t *params, const char *name, bool otherwise);

/* Bit n for word n of "a|b|c" in an array of words; all bits when it was not given. */
uint32_t rpc_params_words(const json_t *params, const char *name, const char *words);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the control protocol about the log: log.set. */
#include "rpc_tables.h"

#include "base/log.h"
#include "rpc.h"
#include "rpc_params.h"

static void
set(struct rpc_call *call, const json_t *params)
{
	enum log_level level;

	/* the name is one of the table's */
	if (log_level_from_name(rpc_params_text(params, "level", "info"), &level) == 0)
		log_set_level(level);
	rpc_reply(call, json_pack("{s:s}", "level", log_level_name(log_get_level())));
}

/* clang-format off */
static const struct rpc_param params[] = {
	{ .name = "level", .type = RPC_WORD, .words = "error|warning|info|debug", .required = true,
	  .help = "least important messages that are logged" },
};

static const struct rpc_method methods[] = {
	{ .name = "log.set", .command = "log-level", .run = set, RPC_PARAMS(params),
	  .summary = "Changes how much is logged.",
	  .result = "`level`" },
};
/* clang-format on */

const struct rpc_table rpc_log_methods = RPC_TABLE(methods);

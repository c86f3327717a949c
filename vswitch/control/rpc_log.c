/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the control protocol about the log: log.set. */
#include "rpc_tables.h"

#include "base/log.h"
#include "rpc.h"
#include "rpc_params.h"

struct set_told {
	const char *level;
};

/* clang-format off */
static const struct report_field set_fields[] = {
	{ REPORT_VALUE("level", struct set_told, level), .words = LOG_LEVEL_WORDS,
	  .meaning = "as it is now" },
};
/* clang-format on */

static const struct report_object set_object = { REPORT_FIELDS(set_fields) };

static void
set(struct rpc_call *call, const json_t *params)
{
	enum log_level level;
	struct set_told told;

	/* the name is one of the table's */
	if (log_level_from_name(rpc_params_text(params, "level", "info"), &level) == 0)
		log_set_level(level);
	told.level = log_level_name(log_get_level());
	rpc_reply(call, report_make(&set_object, &told));
}

/* clang-format off */
static const struct rpc_param params[] = {
	{ .name = "level", .type = RPC_WORD, .words = LOG_LEVEL_WORDS, .required = true,
	  .help = "least important messages that are logged" },
};

static const struct rpc_method methods[] = {
	{ .name = "log.set", .command = "log-level", .run = set, RPC_PARAMS(params),
	  .summary = "Changes how much is logged.",
	  RPC_RESULT(&set_object, "what was done") },
};
/* clang-format on */

const struct rpc_table rpc_log_methods = RPC_TABLE(methods);

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Methods of the control protocol about the configuration file: config.save. What is saved is
 * taken on the control thread; the file is written on the helper thread.
 */
#include "rpc_tables.h"

#include <stdlib.h>
#include <string.h>

#include "config_running.h"
#include "config_save.h"
#include "control_context.h"
#include "worker/helper.h"
#include "jsonrpc/json_memory.h"
#include "rpc.h"
#include "rpc_params.h"

/* Owned by the thread that works on it: control, helper, control. */
struct save {
	struct rpc_call *call;
	const char *path; /* owned, as the next */
	char *text;
	json_t *warnings; /* array */
	int result;
	char err[512];
};

static void
free_save(struct save *save)
{
	free((char *)(uintptr_t)save->path);
	free(save->text);
	json_decref(save->warnings);
	free(save);
}

static void
write_file(void *arg)
{
	struct save *save = arg;

	save->result = config_save_write(
			save->path, save->text, strlen(save->text), save->err, sizeof(save->err));
}

static bool
has_warnings(const void *subject)
{
	return json_array_size(((const struct save *)subject)->warnings) > 0;
}

static json_t *
get_warnings(const void *subject)
{
	return json_incref(((const struct save *)subject)->warnings);
}

/* clang-format off */
static const struct report_field saved_fields[] = {
	{ REPORT_VALUE("file", struct save, path), .meaning = "path" },
	{ REPORT_GET("warnings", REPORT_TEXT, get_warnings), .shape = REPORT_LIST,
	  .has = has_warnings,
	  .meaning = "where the file may mean something else at the next start" },
};
/* clang-format on */

static const struct report_object saved_object = { REPORT_FIELDS(saved_fields) };

static void
answer(void *arg)
{
	struct save *save = arg;

	if (save->result == 0)
		rpc_reply(save->call, report_make(&saved_object, save));
	else
		rpc_fail(save->call, JSONRPC_REFUSED, NULL, "%s", save->err);
	free_save(save);
}

/* The running state as text with a newline, new; NULL: no memory. */
static char *
describe(struct fdb *fdb)
{
	json_t *config = config_running_report(fdb);
	char *text = json_dumps(config, JSON_INDENT(2));
	char *whole = NULL;

	/* a file that lacks a port would lose it at the next start */
	if (text != NULL && !json_memory_failed() && asprintf(&whole, "%s\n", text) < 0)
		whole = NULL;
	free(text);
	json_decref(config);
	return whole;
}

/* One file is written after the other: two may be the same. */
static const char saves;

static struct save *
make_save(struct rpc_call *call, const char *path)
{
	struct save *save = calloc(1, sizeof(*save));

	if (save == NULL)
		return NULL;
	save->call = call;
	save->path = strdup(path);
	save->text = describe(rpc_context(call)->fdb);
	save->warnings = config_running_warnings();
	if (save->path != NULL && save->text != NULL && save->warnings != NULL &&
			helper_run(&saves, "writing the configuration", save->path, write_file,
					answer, save) == 0)
		return save;
	free_save(save);
	return NULL;
}

static void
save(struct rpc_call *call, const json_t *params)
{
	const char *path = rpc_params_text(params, "file", rpc_context(call)->config);

	if (path == NULL)
		rpc_fail(call, JSONRPC_INVALID_PARAMS, json_pack("{s:s}", "param", "file"),
				"file: vswitchd was started without --config; name the file to write");
	else if (make_save(call, path) == NULL)
		rpc_reply(call, NULL);
}

/* clang-format off */
static const struct rpc_param params[] = {
	{ .name = "file", .type = RPC_PATH,
	  .help = "where to; else the file that vswitchd was started with (`--config`)" },
};

static const struct rpc_method methods[] = {
	{ .name = "config.save", .command = "save-config", .run = save,
	  RPC_PARAMS(params),
	  .summary = "Writes ports, settings and static entries as they are now to a file for "
		     "`--config`; the old file stays whole until the new one is.",
	  RPC_RESULT(&saved_object, "what was done") },
};
/* clang-format on */

const struct rpc_table rpc_config_methods = RPC_TABLE(methods);

/* SPDX-License-Identifier: BSD-3-Clause */
/* See rpc_rows.h. */
#include "rpc_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jsonrpc/jsonrpc.h"

static int
put_text(rpc_rows_put put, void *arg, const char *text)
{
	return put(arg, text, strlen(text));
}

/* `less` bytes are left out at the end. */
static int
put_json(rpc_rows_put put, void *arg, const json_t *value, size_t less)
{
	size_t len;
	char *text = jsonrpc_dump(value, &len);
	int ret = -ENOMEM;

	if (text != NULL)
		ret = put(arg, text, len - less);
	free(text);
	return ret;
}

/* The other members come first, in an object that is left open. */
static int
put_head(const struct rpc_rows *rows, rpc_rows_put put, void *arg)
{
	int ret = put_text(put, arg, "{\"jsonrpc\":\"2.0\",\"result\":");

	if (ret == 0 && rows->rest != NULL) {
		ret = put_json(put, arg, rows->rest, 1);
		if (ret == 0)
			ret = put_text(put, arg, json_object_size(rows->rest) > 0 ? ",\"" : "\"");
		if (ret == 0)
			ret = put_text(put, arg, rows->key);
		if (ret == 0)
			ret = put_text(put, arg, "\":");
	}
	return ret != 0 ? ret : put_text(put, arg, rows->named ? "{" : "[");
}

static int
put_tail(const struct rpc_rows *rows, rpc_rows_put put, void *arg)
{
	int ret = put_text(put, arg, rows->named ? "}" : "]");

	if (ret == 0)
		ret = put_text(put, arg, rows->rest != NULL ? "},\"id\":" : ",\"id\":");
	if (ret == 0)
		ret = put_json(put, arg, rows->id, 0);
	return ret != 0 ? ret : put_text(put, arg, "}");
}

static int
put_row(struct rpc_rows *rows, const char *name, const json_t *row, rpc_rows_put put, void *arg)
{
	int ret = 0;

	if (rows->has_row)
		ret = put_text(put, arg, ",");
	rows->has_row = true;
	if (rows->named) {
		if (ret == 0)
			ret = put_text(put, arg, "\"");
		if (ret == 0)
			ret = put_text(put, arg, name);
		if (ret == 0)
			ret = put_text(put, arg, "\":");
	}
	return ret != 0 ? ret : put_json(put, arg, row, 0);
}

int
rpc_rows_write(struct rpc_rows *rows, rpc_rows_put put, void *arg)
{
	const char *name = NULL;
	json_t *row = NULL;
	int ret, more;

	if (!rows->opened) {
		rows->opened = true;
		ret = put_head(rows, put, arg);
		return ret != 0 ? ret : 1;
	}
	more = rows->next(rows, &name, &row);
	if (more < 0)
		return more == -EAGAIN ? 1 : more;
	if (more == 0)
		return put_tail(rows, put, arg);
	ret = put_row(rows, name, row, put, arg);
	json_decref(row);
	return ret != 0 ? ret : 1;
}

void
rpc_rows_release(struct rpc_rows *rows)
{
	if (rows == NULL)
		return;
	json_decref(rows->rest);
	json_decref(rows->id);
	rows->release(rows);
}

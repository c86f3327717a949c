/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Long answers: a method yields rows, one at a time, and each becomes text when the client has room
 * for it. So no answer holds up the control thread, and none lies in memory as a whole.
 *
 * A method fills in a struct rpc_rows, mostly at the head of a struct of its own, and answers with
 * rpc_reply_rows() (rpc.h); control_line.c writes it, a row a step. Any time may pass between two
 * rows: ports come and go, stations age, the client may leave. So rows remember names and ids, or a
 * copy, and no pointer to what may end. Control thread; knows neither DPDK nor libevent.
 */
#ifndef VSWITCH_RPC_ROWS_H
#define VSWITCH_RPC_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct rpc_rows {
	/*
	 * 1 and a new *row, and its *name where rows are named (borrowed until the next call; a
	 * word that JSON need not quote); 0: there are no more; -EAGAIN: some of the work for the
	 * next row is done, ask again; or -ENOMEM, and the answer breaks off.
	 */
	int (*next)(struct rpc_rows *rows, const char **name, json_t **row);
	void (*release)(struct rpc_rows *rows); /* frees it and what is its own */
	json_t *rest; /* an object, owned: other members of the result; NULL: rows are all of it */
	const char *key; /* of the rows among those members */
	bool named;	 /* rows are members of an object; else elements of an array */

	/* The rest is not the method's. */
	json_t *id;
	bool opened;
	bool has_row;
};

/* Takes a piece of the text; 0, or -errno to give up. */
typedef int (*rpc_rows_put)(void *arg, const char *text, size_t len);

/*
 * Makes the next piece of the reply {"jsonrpc","result","id"}: the text before the rows, a row, or
 * the text behind them. 1: there is more; 0: that was the last; -errno: the reply breaks off.
 */
int rpc_rows_write(struct rpc_rows *rows, rpc_rows_put put, void *arg);

/* NULL is none. */
void rpc_rows_release(struct rpc_rows *rows);

#endif

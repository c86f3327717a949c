/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finding what a request names. Control thread; called by the methods.
 */
#ifndef VSWITCH_RPC_LOOKUP_H
#define VSWITCH_RPC_LOOKUP_H

struct port;
struct rpc_call;

/* The port, or NULL: then the call was answered with "not found" and the nearest name. */
struct port *rpc_lookup_port(struct rpc_call *call, const char *name);

#endif

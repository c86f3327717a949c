/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables of methods for people: docs/control-protocol.md, which `vswitchd --print-control-doc`
 * prints. Called by main instead of starting the switch, after rpc_init().
 */
#ifndef VSWITCH_RPC_DOC_H
#define VSWITCH_RPC_DOC_H

#include <stdio.h>

/* 0, or -EIO when `out` did not take it all. */
int rpc_doc_print(FILE *out);

#endif

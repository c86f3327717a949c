/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of a request that the JSON library cannot keep exactly: whole numbers beyond 64 bits with a sign,
 * and real numbers. A reply must repeat its id exactly, whatever number it is. Private to jsonrpc*.c. No
 * input or output, no state.
 */
#ifndef COMMON_JSONRPC_NUMBER_H
#define COMMON_JSONRPC_NUMBER_H

#include <stddef.h>

#include <jansson.h>

/*
 * Scans the text of one request. *fitted: NULL when the text can be parsed unchanged; otherwise a copy of
 * `len` bytes to parse instead, which the caller frees. In the copy numbers that are too large for the
 * library are its largest. *id: NULL, or a new value that must replace the member "id" after parsing. 0;
 * JSONRPC_INTERNAL_ERROR when there is no memory, and then neither is set.
 */
int jsonrpc_number_fit(const char *text, size_t len, char **fitted, json_t **id);

/* Turns such ids back into the original numbers, in place, in a text that the library has written. */
void jsonrpc_number_restore(char *text);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of a request that the JSON library cannot hold as they are written: whole ones beyond 64
 * bits with a sign, and real ones. An id has to come back as it was, whatever number it is. Private
 * to jsonrpc*.c. No input or output, no state.
 */
#ifndef COMMON_JSONRPC_NUMBER_H
#define COMMON_JSONRPC_NUMBER_H

#include <stddef.h>

#include <jansson.h>

/*
 * Looks through the text of one request. Where it may be parsed as it stands *fitted is NULL; else a
 * copy of `len` bytes that may be, to be freed, in which numbers beyond what the library holds are
 * the largest that it does. *id is NULL; or, new, what to put in the place of the member "id" after
 * parsing. 0 or JSONRPC_INTERNAL_ERROR for want of memory, with neither.
 */
int jsonrpc_number_fit(const char *text, size_t len, char **fitted, json_t **id);

/* Writes such ids in a text that the library has made as the numbers that they are; in place. */
void jsonrpc_number_restore(char *text);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists of words as tables of options, parameters and answers write them: "auto|vhost-net|tap". Pure, any
 * thread.
 */
#ifndef COMMON_WORDS_H
#define COMMON_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* Where a list has the word, from 0 on, or -1. */
int words_index(const char *words, const char *word);

/* Word number `index`, which the list has; *len are its bytes. */
const char *words_at(const char *words, uint32_t index, size_t *len);

/* Calls use() for each word of the list, in order. A word has at most 63 bytes. */
void words_for_each(const char *words, void (*use)(const char *word, void *arg), void *arg);

#endif

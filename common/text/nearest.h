/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "Did you mean ...?": the name nearest to a misspelt word.
 *
 * Every look-up of a name that a person gives uses it: options, commands, methods, parameters, ports.
 * Names are offered one by one, so that any table or list can be searched.
 */
#ifndef COMMON_NEAREST_H
#define COMMON_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

struct nearest {
	const char *word; /* as given; borrowed */
	const char *best; /* nearest name so far, borrowed; NULL: none is near */
	size_t distance;  /* of best */
	bool begins;	  /* best begins with word */
};

/* Starts a search for word. */
void nearest_init(struct nearest *n, const char *word);

/*
 * Considers a name. It is near when at most a third of the word (at least one letter) was mistyped: a
 * letter wrong, missing or added, or two swapped. Case, and '-' for '_', do not count. A name that begins
 * with the word is near, too, if the word has three letters or more. Of equally near names the first that
 * begins with the word is kept, otherwise the first.
 */
void nearest_offer(struct nearest *n, const char *name);

/*
 * Writes "; did you mean NAME?" or, without a near name, "" to buf, for the end of a message.
 * Returns buf.
 */
const char *nearest_hint(const struct nearest *n, char *buf, size_t size);

/* The same for a word that is not among `choices` ("a|b|c"), which has at most 63 bytes. */
const char *nearest_choice_hint(const char *choices, const char *word, char *buf, size_t size);

/*
 * Damerau-Levenshtein distance (optimal string alignment) of two words; case counts. SIZE_MAX for words
 * over 64 bytes.
 */
size_t nearest_distance(const char *a, const char *b);

#endif

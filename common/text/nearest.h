/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "Did you mean ...?": the name nearest to a misspelt word.
 *
 * Everything that looks up a name given by a person uses it: options, commands, methods,
 * parameters, ports. Names are offered one by one, so that any table or list can be searched.
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
 * Considers a name. It is near when at most a third of the word (at least one letter) was mistyped:
 * a letter wrong, missing, too many, or two swapped. Case and '-' against '_' do not count. A
 * word of three letters or more that the name begins with is near, too. Of equals the first that
 * begins with the word stays, else the first.
 */
void nearest_offer(struct nearest *n, const char *name);

/*
 * Writes "; did you mean NAME?" or, without a near name, "" to buf, for the end of a message.
 * Returns buf.
 */
const char *nearest_hint(const struct nearest *n, char *buf, size_t size);

/* The same for a word that is none of "a|b|c", which have at most 63 bytes together. */
const char *nearest_choice_hint(const char *choices, const char *word, char *buf, size_t size);

/*
 * Damerau-Levenshtein distance (optimal string alignment) of two words, letters as they are.
 * Words over 64 bytes are as far as can be: SIZE_MAX.
 */
size_t nearest_distance(const char *a, const char *b);

#endif

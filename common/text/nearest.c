/* SPDX-License-Identifier: BSD-3-Clause */
/* See nearest.h. Optimal string alignment over three rows; words are short. */
#include "nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 64
#define PREFIX_MIN 3

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Fills row i of the table, for the first i letters of a, from rows i - 1 (above) and i - 2 (above2). */
static void
fill_row(size_t i, const char *a, const char *b, const size_t *above2, const size_t *above,
		size_t *row)
{
	size_t j, cost;

	row[0] = i;
	for (j = 1; b[j - 1] != '\0'; j++) {
		cost = a[i - 1] != b[j - 1];
		row[j] = least(above[j - 1] + cost, least(above[j], row[j - 1]) + 1);
		if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
			row[j] = least(row[j], above2[j - 2] + 1);
	}
}

size_t
nearest_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1] = { 0 };
	size_t length_a = strlen(a), length_b = strlen(b), i;

	if (length_a > WORD_MAX || length_b > WORD_MAX)
		return SIZE_MAX;
	for (i = 0; i <= length_b; i++)
		rows[0][i] = i;
	for (i = 1; i <= length_a; i++)
		fill_row(i, a, b, rows[(i + 1) % 3], rows[(i + 2) % 3], rows[i % 3]);
	return rows[length_a % 3][length_b];
}

/* Lower case, and '-' for '_', so that such differences do not count. False: too long to be near. */
static bool
fold(const char *word, char folded[WORD_MAX + 1])
{
	size_t i;

	for (i = 0; word[i] != '\0'; i++) {
		if (i == WORD_MAX)
			return false;
		folded[i] = word[i] == '_' ? '-' : (char)tolower((unsigned char)word[i]);
	}
	folded[i] = '\0';
	return true;
}

static size_t
allowed_distance(size_t length)
{
	return length < 6 ? 1 : length / 3;
}

void
nearest_init(struct nearest *n, const char *word)
{
	*n = (struct nearest){ .word = word, .distance = SIZE_MAX };
}

void
nearest_offer(struct nearest *n, const char *name)
{
	char word[WORD_MAX + 1] = "", candidate[WORD_MAX + 1] = "";
	size_t distance, length;
	bool begins;

	if (!fold(n->word, word) || !fold(name, candidate))
		return;
	length = strlen(word);
	distance = nearest_distance(word, candidate);
	begins = length > 0 && strncmp(word, candidate, length) == 0;
	if (length >= PREFIX_MIN && begins)
		distance = least(distance, 1);
	if (distance > allowed_distance(length) || distance > n->distance ||
			(distance == n->distance && (n->begins || !begins)))
		return;
	n->begins = begins;
	n->best = name;
	n->distance = distance;
}

const char *
nearest_hint(const struct nearest *n, char *buf, size_t size)
{
	if (n->best != NULL)
		snprintf(buf, size, "; did you mean %s?", n->best);
	else if (size > 0)
		buf[0] = '\0';
	return buf;
}

const char *
nearest_choice_hint(const char *choices, const char *word, char *buf, size_t size)
{
	char copy[64], *choice, *rest = NULL;
	struct nearest near;

	snprintf(copy, sizeof(copy), "%s", choices);
	nearest_init(&near, word);
	for (choice = strtok_r(copy, "|", &rest); choice != NULL;
			choice = strtok_r(NULL, "|", &rest))
		nearest_offer(&near, choice);
	return nearest_hint(&near, buf, size);
}

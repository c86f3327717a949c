/* SPDX-License-Identifier: BSD-3-Clause */
/* See words.h. */
#include "words.h"

#include <stdio.h>
#include <string.h>

int
words_index(const char *words, const char *word)
{
	size_t len = strlen(word);
	int index;

	for (index = 0; words != NULL; index++) {
		if (strcspn(words, "|") == len && strncmp(words, word, len) == 0)
			return index;
		words = strchr(words, '|');
		if (words != NULL)
			words++;
	}
	return -1;
}

const char *
words_at(const char *words, uint32_t index, size_t *len)
{
	for (; index > 0; index--)
		words += strcspn(words, "|") + 1;
	*len = strcspn(words, "|");
	return words;
}

void
words_for_each(const char *words, void (*use)(const char *word, void *arg), void *arg)
{
	char word[64];
	size_t len;

	while (*words != '\0') {
		len = strcspn(words, "|");
		snprintf(word, sizeof(word), "%.*s", (int)len, words);
		use(word, arg);
		words += len + (words[len] == '|');
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Aligned columns for people. Cells are added row by row; a row may carry notes, which are printed
 * below it and wrapped, for texts that are too long for a column.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 10

struct table_column {
	const char *title;
	bool right; /* numbers */
};

struct table {
	const struct table_column *columns;
	size_t column_count;
	char **cells; /* row after row */
	size_t cell_count;
	char **notes;	  /* one a row; NULL: none */
	size_t row_count; /* rows begun */
	bool failed;	  /* memory ran out */
};

/* An empty table; columns must outlive it. */
void table_init(struct table *t, const struct table_column *columns, size_t count);

/* The next cell of the row, or the first of a new row. An empty text shows as "-". */
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line below the last row; several are printed in order. */
void table_note(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints the table, each line indented, and releases it. 0, or -ENOMEM: nothing was printed. */
int table_print(struct table *t, FILE *out, size_t indent);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* See table.h. */
#include "table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "options/options.h"

#define GAP 2	      /* blanks between columns */
#define NOTE_INDENT 4 /* of a note, further in than the row */

void
table_init(struct table *t, const struct table_column *columns, size_t count)
{
	*t = (struct table){ .columns = columns, .column_count = count };
}

/* Room for one more pointer in an array of count. */
static bool
grow(char ***array, size_t count)
{
	char **bigger;

	if (count > 0 && (count & (count - 1)) != 0)
		return true;
	bigger = realloc(*array, (count > 0 ? 2 * count : 1) * sizeof(**array));
	if (bigger == NULL)
		return false;
	*array = bigger;
	return true;
}

static bool
begin_row(struct table *t)
{
	if (!grow(&t->notes, t->row_count))
		return false;
	t->notes[t->row_count++] = NULL;
	return true;
}

void
table_cell(struct table *t, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int ret;

	if (t->failed)
		return;
	va_start(args, format);
	ret = vasprintf(&text, format, args);
	va_end(args);
	if (ret < 0 || !grow(&t->cells, t->cell_count) ||
			(t->cell_count % t->column_count == 0 && !begin_row(t))) {
		if (ret >= 0)
			free(text);
		t->failed = true;
		return;
	}
	t->cells[t->cell_count++] = text;
}

void
table_note(struct table *t, const char *format, ...)
{
	char **note = t->row_count > 0 ? &t->notes[t->row_count - 1] : NULL;
	char *text = NULL, *joined = NULL;
	va_list args;
	int ret;

	if (t->failed || note == NULL)
		return;
	va_start(args, format);
	ret = vasprintf(&text, format, args);
	va_end(args);
	if (ret >= 0 && *note != NULL) {
		ret = asprintf(&joined, "%s\n%s", *note, text);
		free(text);
		text = joined;
	}
	if (ret < 0) {
		t->failed = true;
		return;
	}
	free(*note);
	*note = text;
}

/* Columns on the terminal: bytes that begin a character of UTF-8. */
static size_t
width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static const char *
shown(const char *cell)
{
	return cell[0] != '\0' ? cell : "-";
}

static void
print_cell(FILE *out, const struct table_column *column, const char *text, size_t width, bool last)
{
	size_t blanks = width - width_of(text);

	if (column->right)
		fprintf(out, "%*s%s", (int)blanks, "", text);
	else
		fprintf(out, "%s%*s", text, last ? 0 : (int)blanks, "");
	if (last)
		fputc('\n', out);
	else
		fprintf(out, "%*s", GAP, "");
}

static void
find_widths(const struct table *t, size_t widths[TABLE_COLUMNS_MAX])
{
	size_t cell, column, width;

	for (column = 0; column < t->column_count; column++) {
		widths[column] = width_of(t->columns[column].title);
		for (cell = column; cell < t->cell_count; cell += t->column_count) {
			width = width_of(shown(t->cells[cell]));
			if (width > widths[column])
				widths[column] = width;
		}
	}
}

static void
print_lines(const struct table *t, FILE *out, size_t indent)
{
	size_t widths[TABLE_COLUMNS_MAX], row, i;
	const char *text;

	find_widths(t, widths);
	for (row = 0; row <= t->row_count; row++) {
		fprintf(out, "%*s", (int)indent, "");
		for (i = 0; i < t->column_count; i++) {
			text = row == 0 ? t->columns[i].title
					: shown(t->cells[(row - 1) * t->column_count + i]);
			print_cell(out, &t->columns[i], text, widths[i], i + 1 == t->column_count);
		}
		if (row > 0 && t->notes[row - 1] != NULL)
			options_print_wrapped(out, 0, indent + NOTE_INDENT, t->notes[row - 1]);
	}
}

int
table_print(struct table *t, FILE *out, size_t indent)
{
	bool failed = t->failed;
	size_t i;

	if (!failed)
		print_lines(t, out, indent);
	for (i = 0; i < t->cell_count; i++)
		free(t->cells[i]);
	for (i = 0; i < t->row_count; i++)
		free(t->notes[i]);
	free(t->cells);
	free(t->notes);
	table_init(t, t->columns, t->column_count);
	return failed ? -ENOMEM : 0;
}

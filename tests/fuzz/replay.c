/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plays inputs to a fuzz target without a fuzzer: every file of the directories, and every file,
 * that the command line names, and the empty input. Thus the corpus, and with it each case that a
 * fuzzer has found, is played by `./dev test` with any compiler, and under its sanitizers.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

static unsigned int played;

static _Noreturn void
die(const char *what)
{
	perror(what);
	exit(2);
}

static uint8_t *
read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rbe");
	uint8_t *data;
	struct stat st;

	if (file == NULL || fstat(fileno(file), &st) != 0)
		die(path);
	/* Exactly as long as the input, so that a sanitizer sees what reads behind it. */
	*len = (size_t)st.st_size;
	data = malloc(*len > 0 ? *len : 1);
	if (data == NULL || fread(data, 1, *len, file) != *len)
		die(path);
	fclose(file);
	return data;
}

static void
play_file(const char *path)
{
	size_t len;
	uint8_t *data = read_file(path, &len);

	/* Before the input is played: it may end the process. */
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, len);
	free(data);
	played++;
}

static void
play_directory(const char *path, DIR *directory)
{
	const struct dirent *entry;
	char file[PATH_MAX];

	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		play_file(file);
	}
}

int
main(int argc, char **argv)
{
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++) {
		DIR *directory = opendir(argv[i]);

		if (directory == NULL) {
			play_file(argv[i]);
			continue;
		}
		play_directory(argv[i], directory);
		closedir(directory);
	}
	printf("%u inputs played\n", played);
	return played > 0 || argc == 1 ? 0 : 1;
}

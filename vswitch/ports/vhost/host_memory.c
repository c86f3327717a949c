/* SPDX-License-Identifier: BSD-3-Clause */
/* See host_memory.h. */
#include "host_memory.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 4096

/* What the two versions of memory cgroups call their files. */
struct version {
	const char *type;     /* of the file system */
	const char *limit;    /* file */
	const char *usage;    /* file */
	const char *inactive; /* line of memory.stat: file cache that nobody misses */
};

static const struct version versions[] = {
	{ "cgroup2", "memory.max", "memory.current", "inactive_file" },
	{ "cgroup", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file" },
};

/* False when the text does not begin with a number, or with one that is too big. */
static bool
parse_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return end != text && errno == 0;
}

/* The number in a file. False when there is none, as in "max". */
static bool
read_number(const char *directory, const char *name, uint64_t *number)
{
	char path[PATH_MAX], line[LINE_SIZE];
	FILE *file;
	bool found;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return false;
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	found = fgets(line, sizeof(line), file) != NULL && parse_number(line, number);
	fclose(file);
	return found;
}

/* The number behind `key` at the start of a line; `unit` bytes each. 0: not found. */
static uint64_t
read_line(const char *path, const char *key, uint64_t unit)
{
	char line[LINE_SIZE];
	FILE *file = fopen(path, "re");
	size_t len = strlen(key);
	uint64_t number = 0;

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, key, len) == 0 && strspn(line + len, ": ") > 0 &&
				parse_number(line + len + strspn(line + len, ": "), &number))
			break;
	fclose(file);
	return number * unit;
}

static void
lower(uint64_t *value, uint64_t limit)
{
	if (limit < *value)
		*value = limit;
}

static void
read_host(const char *root, struct host_memory *memory)
{
	char path[PATH_MAX];
	uint64_t size, left;

	snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	size = read_line(path, "MemTotal", 1024);
	left = read_line(path, "MemAvailable", 1024);
	if (size == 0)
		return;
	lower(&memory->size, size);
	lower(&memory->left, left);
}

/* One group's limit. */
static void
read_group(const char *directory, const struct version *version, struct host_memory *memory)
{
	uint64_t limit, usage, inactive;
	char path[PATH_MAX];

	if (!read_number(directory, version->limit, &limit) ||
			!read_number(directory, version->usage, &usage))
		return;
	if (snprintf(path, sizeof(path), "%s/memory.stat", directory) >= (int)sizeof(path))
		return;
	inactive = read_line(path, version->inactive, 1);
	usage -= inactive < usage ? inactive : usage;
	lower(&memory->size, limit);
	lower(&memory->left, usage < limit ? limit - usage : 0);
}

/* The groups from the process's own up to the one at `mount`. */
static void
read_groups(const char *root, const char *mount, const char *group, const struct version *version,
		struct host_memory *memory)
{
	char path[PATH_MAX];
	int top = snprintf(path, sizeof(path), "%s%s", root, mount);
	int len = top + snprintf(path + top, sizeof(path) - (size_t)top, "%s", group);

	if (len >= (int)sizeof(path))
		return;
	for (;;) {
		read_group(path, version, memory);
		while (len > top && path[len - 1] != '/')
			len--;
		if (len <= top)
			return;
		path[--len] = '\0';
	}
}

/* The process's group in the hierarchy of a version: the path behind the second colon. */
static bool
find_group(const char *root, const struct version *version, char *group, size_t size)
{
	bool wants_second = version == &versions[0];
	char path[PATH_MAX], line[LINE_SIZE];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL) {
		char *controllers = strchr(line, ':');
		char *name = controllers != NULL ? strchr(controllers + 1, ':') : NULL;

		if (name == NULL)
			continue;
		*name++ = '\0';
		name[strcspn(name, "\n")] = '\0';
		found = wants_second ? controllers[1] == '\0'
				     : strstr(controllers, "memory") != NULL;
		if (found)
			snprintf(group, size, "%s", name);
	}
	fclose(file);
	return found;
}

/*
 * A line of mountinfo (proc_pid_mountinfo(5)). In a container the group's path may be told from the
 * host's root while the mount shows the group itself: then its top alone is read.
 */
static void
read_mount(const char *root, const char *line, struct host_memory *memory)
{
	char shown[1024], mount[1024], type[64], options[1024], group[1024];
	const char *rest = strstr(line, " - ");

	if (rest == NULL || sscanf(line, "%*s %*s %*s %1023s %1023s", shown, mount) != 2 ||
			sscanf(rest, " - %63s %*s %1023s", type, options) != 2)
		return;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		const struct version *version = &versions[i];
		size_t len = strcmp(shown, "/") == 0 ? 0 : strlen(shown);

		if (strcmp(type, version->type) != 0 ||
				!find_group(root, version, group, sizeof(group)))
			continue;
		if (i == 1 && strstr(options, "memory") == NULL)
			continue;
		read_groups(root, mount, strncmp(group, shown, len) == 0 ? group + len : "",
				version, memory);
	}
}

void
host_memory_read(const char *root, struct host_memory *memory)
{
	char path[PATH_MAX], line[LINE_SIZE];
	FILE *file;

	*memory = (struct host_memory){ .size = UINT64_MAX, .left = UINT64_MAX };
	read_host(root, memory);
	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", root);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL)
		read_mount(root, line, memory);
	fclose(file);
}

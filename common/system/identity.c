/* SPDX-License-Identifier: BSD-3-Clause */
/* See identity.h. */
#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>

#include "text/text.h"

#define NUMBER_MAX ((int64_t)UINT32_MAX - 1)
#define ENTRY_BUFFER 16384

int
identity_parse_user(const char *text, uid_t *uid, char *err, size_t err_size)
{
	struct passwd entry, *found = NULL;
	char buffer[ENTRY_BUFFER];
	int64_t number;

	if (text_parse_integer(text, 0, NUMBER_MAX, &number, NULL, 0) == 0) {
		*uid = (uid_t)number;
		return 0;
	}
	if (getpwnam_r(text, &entry, buffer, sizeof(buffer), &found) != 0 || found == NULL)
		return text_fail(err, err_size, -EINVAL,
				"this host has no user '%.64s'; give the name or number of one",
				text);
	*uid = found->pw_uid;
	return 0;
}

int
identity_parse_group(const char *text, gid_t *gid, char *err, size_t err_size)
{
	struct group entry, *found = NULL;
	char buffer[ENTRY_BUFFER];
	int64_t number;

	if (text_parse_integer(text, 0, NUMBER_MAX, &number, NULL, 0) == 0) {
		*gid = (gid_t)number;
		return 0;
	}
	if (getgrnam_r(text, &entry, buffer, sizeof(buffer), &found) != 0 || found == NULL)
		return text_fail(err, err_size, -EINVAL,
				"this host has no group '%.64s'; give the name or number of one",
				text);
	*gid = found->gr_gid;
	return 0;
}

const char *
identity_user_name(uid_t uid)
{
	static char name[64];
	static uid_t cached = (uid_t)-1;
	struct passwd entry, *found = NULL;
	char buffer[ENTRY_BUFFER];

	if (uid == cached)
		return name;
	if (getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) == 0 && found != NULL)
		snprintf(name, sizeof(name), "%s", found->pw_name);
	else
		snprintf(name, sizeof(name), "%u", uid);
	cached = uid;
	return name;
}

const char *
identity_group_name(gid_t gid)
{
	static char name[64];
	static gid_t cached = (gid_t)-1;
	struct group entry, *found = NULL;
	char buffer[ENTRY_BUFFER];

	if (gid == cached)
		return name;
	if (getgrgid_r(gid, &entry, buffer, sizeof(buffer), &found) == 0 && found != NULL)
		snprintf(name, sizeof(name), "%s", found->gr_name);
	else
		snprintf(name, sizeof(name), "%u", gid);
	cached = gid;
	return name;
}

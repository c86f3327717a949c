/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Users and groups of this host, by name or number, for options and reports. Called at start and on the
 * control thread. A look-up may ask a network service.
 */
#ifndef COMMON_IDENTITY_H
#define COMMON_IDENTITY_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Reads a user or group, given by name or number. The highest number is refused, because it stands for
 * "unchanged". 0, or -EINVAL with a sentence in err that names the text.
 */
int identity_parse_user(const char *text, uid_t *uid, char *err, size_t err_size);
int identity_parse_group(const char *text, gid_t *gid, char *err, size_t err_size);

/*
 * The name of a user or group, or its number if it has none. Valid until the next call. The last one is
 * cached, because lists show many ports of the same owner.
 */
const char *identity_user_name(uid_t uid);
const char *identity_group_name(gid_t gid);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Users and groups of this host, by name or number, as options name them and as reports show them.
 * Called at start and on the control thread; a name may be asked of a service of the network.
 */
#ifndef COMMON_IDENTITY_H
#define COMMON_IDENTITY_H

#include <stddef.h>
#include <sys/types.h>

/*
 * A user or group by name or number. The last number is refused, because it stands for "unchanged".
 * 0, or -EINVAL with a sentence in err that names the text.
 */
int identity_parse_user(const char *text, uid_t *uid, char *err, size_t err_size);
int identity_parse_group(const char *text, gid_t *gid, char *err, size_t err_size);

/*
 * The name of a user or group, or its number where it has none. Valid until the next call; asked
 * for again only when the number changes, because lists show many ports of the same owner.
 */
const char *identity_user_name(uid_t uid);
const char *identity_group_name(gid_t gid);

#endif

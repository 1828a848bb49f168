/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/who.h"

#include <pwd.h>
#include <stdio.h>

char *
lp_who_local(char who[LP_WHO_SIZE], uid_t uid, pid_t pid)
{
	const struct passwd *user = getpwuid(uid);

	snprintf(who, LP_WHO_SIZE, "uid %u (%.32s), pid %d", uid,
	    user != NULL ? user->pw_name : "?", pid);
	return who;
}

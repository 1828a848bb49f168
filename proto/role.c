/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/role.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const char *const words[LP_ROLES] = {
    [LP_ROLE_NONE] = "none",
    [LP_ROLE_ADMIN] = "admin",
    [LP_ROLE_OPERATOR] = "operator",
    [LP_ROLE_OBSERVER] = "observer",
    [LP_ROLE_DATAPLANE] = "dataplane",
    [LP_ROLE_CONTROLD] = "controld",
};

const char *
lp_role_word(enum lp_role role)
{
	assert(role < LP_ROLES);
	return words[role];
}

enum lp_role
lp_role_parse(const char *text)
{
	for (int role = LP_ROLE_NONE + 1; text != NULL && role < LP_ROLES;
	     role++)
		if (strcmp(words[role], text) == 0)
			return role;
	return LP_ROLE_NONE;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roles of those who hold a certificate, each the OU of its subject.  What a
 * role may is in controld/access.c.
 */
#ifndef LP_PROTO_ROLE_H
#define LP_PROTO_ROLE_H

enum lp_role {
	LP_ROLE_NONE = 0, /* no word of these, or none at all */
	LP_ROLE_ADMIN,
	LP_ROLE_OPERATOR,
	LP_ROLE_OBSERVER,
	LP_ROLE_DATAPLANE,
	LP_ROLE_CONTROLD,
	LP_ROLES, /* how many there are */
};

#define LP_ROLE_WORDS "admin operator observer dataplane controld"

/* "admin", ...; "none". */
const char *lp_role_word(enum lp_role role);

/* LP_ROLE_NONE if the text, or NULL, is no such word. */
enum lp_role lp_role_parse(const char *text);

#endif

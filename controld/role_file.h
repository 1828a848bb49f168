/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has which role, where the certificates do not say so: a file of lines
 *
 *	# a comment
 *	alice admin
 *	Bob Example operator
 *	mallory none
 *	* observer
 *
 * The role is the last word, the name of a certificate (its CN) is what is
 * before it; "*" is everybody who is not named.  It decides alone: whom it
 * does not know has no role.
 */
#ifndef LP_CONTROLD_ROLE_FILE_H
#define LP_CONTROLD_ROLE_FILE_H

#include <stddef.h>

#include "proto/role.h"
#include "proto/tls.h"

enum {
	LP_ROLE_FILE_SIZE_MAX = 1 << 20, /* bytes */
	LP_ROLE_FILE_NAMES_MAX = 10000,
	LP_ROLE_FILE_WHY_SIZE = 512,
};

struct lp_role_file_row {
	char name[LP_TLS_NAME_SIZE];
	enum lp_role role;
	unsigned line;
};

struct lp_role_file_list {
	struct lp_role_file_row *rows; /* sorted by name */
	size_t count, size;
};

struct lp_role_file;

/* Borrows the path.  0, or -errno and why: "FILE:LINE: ...". */
int lp_role_file_open(struct lp_role_file **out, const char *path,
    char why[LP_ROLE_FILE_WHY_SIZE]);
/* NULL is accepted. */
void lp_role_file_close(struct lp_role_file *file);

/* Reads it anew; what cannot be read is logged, and the old one stays. */
void lp_role_file_reload(struct lp_role_file *file);

enum lp_role lp_role_file_find(
    const struct lp_role_file *file, const char *name);

/*
 * The same of a text, for tests.  *list is zeroed before, and to be fini'd in
 * any case; 0, -ENOMEM, or -EINVAL with why and *line.
 */
int lp_role_file_parse(struct lp_role_file_list *list, const char *text,
    size_t len, unsigned *line, char why[LP_ROLE_FILE_WHY_SIZE]);
enum lp_role lp_role_file_lookup(
    const struct lp_role_file_list *list, const char *name);
void lp_role_file_fini(struct lp_role_file_list *list);

#endif

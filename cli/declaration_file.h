/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that paths stand for, read.
 */
#ifndef LP_CLI_DECLARATION_FILE_H
#define LP_CLI_DECLARATION_FILE_H

#include "cli/report.h"

struct lp_declaration_files {
	unsigned *list; /* of the report; those that could be read */
	size_t count;
	size_t size; /* places allocated */
	struct lp_declaration_file_id *ids; /* one each */
};

/*
 * Files; all *.yaml and *.yml of a directory, by name, that are not hidden; "-"
 * is standard input.  One that is named twice is read once.  What cannot be
 * read is told to the report.  0, or -ENOMEM.
 */
int lp_declaration_file_read(struct lp_declaration_files *files,
    struct lp_report *report, const char *const *paths, size_t path_count);

void lp_declaration_file_fini(struct lp_declaration_files *files);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that were read, and what is wrong with them, for showing.
 */
#ifndef LP_CLI_VIEW_CHECK_H
#define LP_CLI_VIEW_CHECK_H

#include <stdio.h>

#include "cli/report.h"

struct lp_check_view {
	const struct lp_report *report;
	size_t file_count, object_count;
	FILE *err; /* where the text of problems goes */
	bool color; /* there */
};

#endif

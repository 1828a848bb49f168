/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pki_then DIR NAME ROLE: a certificate that was issued two days ago, for one:
 * it has expired, and nothing else is wrong with it.
 */
#include <stdio.h>
#include <time.h>

#include "cli/pki.h"

enum { DAY = 86400 };

int
main(int argc, char **argv)
{
	struct lp_pki_request request = {
	    .days = 1, .now = (int64_t)time(NULL) - 2 * DAY};
	struct lp_pki_view view;
	struct lp_error error;
	int status;

	if (argc != 4)
		return LP_EXIT_USAGE;
	request.directory = argv[1];
	request.name = argv[2];
	request.role = lp_role_parse(argv[3]);
	status = lp_pki_issue(&view, &request, &error);
	if (status != LP_EXIT_OK)
		(void)fprintf(stderr, "%s\n", error.text);
	lp_pki_view_fini(&view);
	return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/plane_main.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/plane.h"
#include "tests/support/veth.h"

int
plane_main(const char *name, void (*add)(TCase *tests))
{
	Suite *suite = suite_create(name);
	TCase *tests = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!plane_on_memory() && !veth_enter()) {
		fprintf(stderr, "skipped: needs a network namespace (root)\n");
		return VETH_SKIPPED;
	}
	suite_add_tcase(suite, tests);
	add(tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

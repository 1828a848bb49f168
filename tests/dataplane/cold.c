/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/dataplane/cold.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/log.h"

void
cold_config(struct lp_config *config)
{
	make_config(config);
	for (uint32_t id = FRONT; id <= BACK; id++) {
		struct lp_object port =
		    *lp_config_find(config, LP_OBJECT_PORT, id);

		port.port.backend = LP_BACKEND_MEMORY;
		strcpy(port.port.device, id == FRONT ? "m-front" : "m-back");
		put(config, port);
	}
}

void
cold_mkdir(char path[PATH_MAX])
{
	const char *base = getenv("TMPDIR");

	snprintf(path, PATH_MAX, "%s/lp-test-XXXXXX", base ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(path));
}

void
cold_rmdir(const char *path)
{
	char name[PATH_MAX];
	struct dirent *entry;
	DIR *dir = opendir(path);

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlink(cold_path(name, path, entry->d_name));
	closedir(dir);
	ck_assert_int_eq(rmdir(path), 0);
}

char *
cold_path(char buf[PATH_MAX], const char *directory, const char *name)
{
	ck_assert_int_lt(
	    snprintf(buf, PATH_MAX, "%s/%s", directory, name), PATH_MAX);
	return buf;
}

void
cold_wait(bool (*done)(void *arg), void *arg, const char *what)
{
	const struct timespec step = {.tv_nsec = 2000000};

	for (int ms = 0; ms < COLD_DEADLINE_MS; ms += 2) {
		if (done(arg))
			return;
		nanosleep(&step, NULL);
	}
	ck_abort_msg("waited in vain for: %s", what);
}

int
cold_run(const char *name, const TTest *const tests[])
{
	Suite *suite = suite_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	lp_log_init(name, true);
	for (; *tests; tests++) {
		TCase *tcase = tcase_create((*tests)->name);

		tcase_set_timeout(tcase, 60);
		tcase_add_test(tcase, *tests);
		suite_add_tcase(suite, tcase);
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

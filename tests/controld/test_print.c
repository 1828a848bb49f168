/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lp-controld -n prints.
 */
#include "controld/print.h"
#include "transaction.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	const char *text;
} golden[] = {
    {"empty", ""},
    {"basic", NULL},
    {"everything",
	"add port front device=eth1 side=client "
	"address=10.9.0.10/24,10.9.0.11/24 gateway=10.9.0.1;"
	"add port back device=eth2 side=broker route=1 "
	"address=10.8.0.10/24,fd00:8::10/64 gateway=10.8.0.1;"
	"set port front address=10.9.0.10/24,fd00:9::10/64;"
	"add cluster payments;"
	"add broker payments 0 to=10.8.0.21:9092;"
	"add broker payments 1 to=10.8.0.22:9092;"
	"add cluster six;"
	"add broker six 5 to=[fd00:8::21]:9092;"
	"add listener payments public vip=10.9.0.100:9092;"
	"add listener payments kept vip=10.9.0.101:9092 base=20000 kafka=off "
	"source=preserve;"
	"add listener payments shadowed vip=10.9.0.102:9092 rewrite=shadow "
	"advertise=kafka.example.com;"
	"add listener six public vip=[fd00:9::100]:9092 "
	"advertise=*.k.example.com;"
	"add broker six 70000 to=[fd00:8::22]:9092;"
	"set broker payments 1 at=public@10.9.0.111:9092 "
	"at=shadowed@10.9.0.102:30001;"
	"set broker six 70000 at=public@[fd00:9::111]:9092;"
	"add cluster paid same=payments; add cluster seven;"
	"set cluster six same=seven; add cluster eight same=seven;"
	"set cluster payments discover=1;"
	"add broker payments 2 to=10.8.0.23:9092 found=1;"
	"set listener payments kept unjudged=reset;"
	"add rule scan priority=900 match=src=10.66.0.0/16 action=reset;"
	"add rule all priority=0 match= action=allow;"
	"add rule quoted priority=7 match=api=Fetch+client_id=\"it's+b\" "
	"action=limit+bytes=1MB/s shadow=1;"
	"set port front owner=edge; set cluster six owner=six;"
	"set broker payments 1 owner=team-a;"
	"set listener six public owner=six; set rule scan owner=edge"},
    {"dpdk",
	"add port front device=0000:03:00.0,rx-vec=1 backend=dpdk mtu=9000 "
	"side=client address=10.9.0.10/24;"
	"add port back device=net_memif0,socket=/run/it's($here).sock "
	"backend=dpdk side=broker address=10.8.0.10/24"},
    {"inline",
	"add port left device=eth1 peer=right loss=wire;"
	"add port right device=eth2 peer=left loss=wire;"
	"add port front device=eth3 address=10.9.0.10/24;"
	"add cluster payments; add broker payments 0 to=10.9.0.21:9092;"
	"add listener payments seen mode=inline"},
};

START_TEST(the_canonical_configuration_is_as_it_was)
{
	char path[256];
	char wanted[4096] = "";
	char *found = NULL;
	size_t size;
	FILE *out = open_memstream(&found, &size);
	FILE *file;
	struct lp_config config;
	uint32_t next_id = 1;

	lp_config_init(&config);
	if (golden[_i].text == NULL)
		apply(&config, &next_id, basic);
	else
		apply(&config, &next_id, golden[_i].text);
	lp_print_config(out, &config);
	fclose(out);
	snprintf(path, sizeof(path), GOLDEN "/%s.txt", golden[_i].name);
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s is missing", path);
	ck_assert(fread(wanted, 1, sizeof(wanted) - 1, file) > 0 || _i == 0);
	fclose(file);
	ck_assert_str_eq(found, wanted);
	free(found);
	lp_config_fini(&config);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("print");
	TCase *tcase = tcase_create("print");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, the_canonical_configuration_is_as_it_was, 0,
	    sizeof(golden) / sizeof(golden[0]));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

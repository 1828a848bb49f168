/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What our tables say of files, as JSON: test_schema.py compares it with
 * schema/lightpath.schema.json, so that the schema does not fall behind.
 */
#include <stdio.h>

#include "proto/apis.h"
#include "proto/object.h"
#include "proto/rule_words.h"

static void
print_names(const char *key, const char *(*name)(unsigned value))
{
	(void)printf("  \"%s\": [", key);
	for (unsigned i = 1; name(i); i++)
		(void)printf("%s\"%s\"", i > 1 ? ", " : "", name(i));
	(void)printf("],\n");
}

static void
print_words(const char *key, const struct lp_rule_word *words)
{
	(void)printf("  \"%s\": [", key);
	for (size_t i = 0; words[i].word; i++)
		(void)printf("%s\"%s\"", i > 0 ? ", " : "", words[i].word);
	(void)printf("],\n");
}

int
main(void)
{
	const char *before = "";

	(void)printf("{\n");
	print_names("backend", lp_backend_name);
	print_names("side", lp_side_name);
	print_names("on_loss", lp_on_loss_name);
	print_names("mode", lp_mode_name);
	print_names("source_address", lp_source_address_name);
	print_names("kafka", lp_look_name);
	print_names("rewrite", lp_rewriting_name);
	print_names("unjudged", lp_unjudged_name);
	print_words("verdicts", lp_rule_verdicts);
	print_words("arguments", lp_rule_arguments);
	print_words("per", lp_rule_pers);
	print_words("sizes", lp_rule_sizes);
	print_words("durations", lp_rule_durations);
	print_words("from", lp_rule_field_words(LP_RULE_FROM));
	print_words("acks", lp_rule_field_words(LP_RULE_ACKS));
	(void)printf("  \"fields\": [");
	for (unsigned i = 0; i < LP_RULE_FIELD_COUNT; i++)
		(void)printf(
		    "%s\"%s\"", i > 0 ? ", " : "", lp_rule_field_name(i));
	(void)printf("],\n  \"apis\": [");
	for (int i = 0; i < lp_apis_table_count; i++)
		if (lp_apis_name(i)) {
			(void)printf("%s\"%s\"", before, lp_apis_name(i));
			before = ", ";
		}
	(void)printf("],\n  \"api_last\": %d,\n", lp_apis_table_count - 1);
	(void)printf("  \"values_max\": %d,\n", LP_RULE_VALUES_MAX);
	(void)printf("  \"priority_max\": %d,\n", LP_RULE_PRIORITY_MAX);
	(void)printf("  \"mtu_min\": %d,\n", LP_PORT_MTU_MIN);
	(void)printf("  \"mtu_max\": %d,\n", LP_PORT_MTU_MAX);
	(void)printf("  \"addresses_max\": %d,\n", LP_PORT_ADDRESSES_MAX);
	(void)printf("  \"name_max\": %d,\n", LP_NAME_SIZE - 1);
	(void)printf("  \"owner_max\": %d,\n", LP_OWNER_SIZE - 1);
	(void)printf("  \"device_max\": %d\n}\n", LP_DEVICE_SIZE - 1);
	return 0;
}

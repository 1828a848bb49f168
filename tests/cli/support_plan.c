/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/cli/support_plan.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/controld/transaction.h"

struct lp_report *support_plan_report;
struct lp_yaml_node support_plan_node = {.kind = LP_YAML_MAP};

void
support_plan_setup(void)
{
	char *text = strdup("x\n");

	ck_assert_int_eq(lp_report_new(&support_plan_report), 0);
	ck_assert_int_eq(
	    lp_report_add_file(support_plan_report, "x.yaml", text, 2), 0);
}

void
support_plan_teardown(void)
{
	lp_report_free(support_plan_report);
}

void
support_plan_config(struct lp_config *config, const char *commands)
{
	uint32_t next_id = 1;

	lp_config_init(config);
	if (commands[0] != '\0')
		apply(config, &next_id, commands);
}

void
support_plan_declaration(struct lp_declaration *declaration,
    const char *commands, const char *owners)
{
	char copy[64], *rest = NULL;
	struct lp_config config;

	support_plan_config(&config, commands);
	ck_assert_int_eq(lp_declaration_from_config(declaration, &config), 0);
	for (size_t i = 0; i < declaration->count; i++)
		declaration->list[i].node = &support_plan_node;
	lp_config_fini(&config);
	if (owners == NULL)
		return;
	free(declaration->owners);
	declaration->owners = calloc(8, LP_OWNER_SIZE);
	declaration->owner_count = 0;
	strcpy(copy, owners);
	for (char *owner = strtok_r(copy, " ", &rest); owner != NULL;
	     owner = strtok_r(NULL, " ", &rest))
		strcpy(declaration->owners[declaration->owner_count++],
		    strcmp(owner, "none") == 0 ? "" : owner);
}

static bool
has_discovered(const struct lp_config *config)
{
	for (size_t i = 0; i < config->count; i++)
		if (config->objects[i].kind == LP_OBJECT_BROKER &&
		    config->objects[i].broker.discovered)
			return true;
	return false;
}

bool
support_plan_run(struct lp_config *to, const struct lp_config *from,
    const struct lp_plan *plan)
{
	bool done;

	struct lp_model_change change;
	uint32_t next_id = 1;

	for (size_t i = 0; i < from->count; i++)
		if (from->objects[i].id >= next_id)
			next_id = from->objects[i].id + 1;
	done = lp_model_apply(&change, from, next_id, plan->operations.list,
		   plan->operations.count) == 0;
	ck_assert_msg(done || has_discovered(from), "%u %s: %s: %s",
	    change.error.place, change.error.object, change.error.field,
	    change.error.why);
	if (done) {
		*to = change.config;
		lp_config_init(&change.config);
	}
	lp_model_change_fini(&change);
	return done;
}

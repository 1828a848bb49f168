/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/audit_limit.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { OTHERS = LP_AUDIT_LIMIT_NAMES - 1 };

static struct lp_audit_limit_name *find(
    struct lp_audit_limit *limit, const char *who, uint64_t now_ms);
static void refill(struct lp_audit_limit_name *name, uint64_t now_ms);
static void start(
    struct lp_audit_limit_name *name, const char *text, uint64_t now_ms);

bool
lp_audit_limit_take(struct lp_audit_limit *limit, const char *who,
    uint64_t now_ms, uint64_t *missed)
{
	struct lp_audit_limit_name *name = find(limit, who, now_ms);

	refill(name, now_ms);
	*missed = name->missed;
	if (name->rows == 0) {
		name->missed++;
		return false;
	}
	name->rows--;
	name->missed = 0;
	return true;
}

uint64_t
lp_audit_limit_due(
    struct lp_audit_limit *limit, uint64_t now_ms, bool all, const char **who)
{
	for (int i = 0; i < LP_AUDIT_LIMIT_NAMES; i++) {
		struct lp_audit_limit_name *name = &limit->names[i];
		uint64_t missed = name->missed;

		if (missed == 0)
			continue;
		refill(name, now_ms);
		if (name->rows == 0 && !all)
			continue;
		name->rows -= name->rows > 0;
		name->missed = 0;
		*who = name->name;
		return missed;
	}
	return 0;
}

bool
lp_audit_limit_waits(const struct lp_audit_limit *limit)
{
	for (int i = 0; i < LP_AUDIT_LIMIT_NAMES; i++)
		if (limit->names[i].missed > 0)
			return true;
	return false;
}

/* His own place; a free one, or of somebody who has all his rows again. */
static struct lp_audit_limit_name *
find(struct lp_audit_limit *limit, const char *who, uint64_t now_ms)
{
	struct lp_audit_limit_name *others = &limit->names[OTHERS];
	struct lp_audit_limit_name *place = NULL;
	const char *pid = strstr(who, ", pid ");
	char text[LP_AUDIT_LIMIT_NAME_SIZE];

	snprintf(text, sizeof(text), "%.*s",
	    pid != NULL ? (int)(pid - who) : (int)sizeof(text), who);
	for (int i = 0; i < OTHERS; i++) {
		struct lp_audit_limit_name *name = &limit->names[i];

		if (name->name[0] != '\0' && strcmp(name->name, text) == 0)
			return name;
		if (place != NULL)
			continue;
		refill(name, now_ms);
		if (name->name[0] == '\0' ||
		    (name->rows == LP_AUDIT_LIMIT_BURST && name->missed == 0))
			place = name;
	}
	if (place != NULL) {
		start(place, text, now_ms);
		return place;
	}
	if (others->name[0] == '\0')
		start(others, "others", now_ms);
	return others;
}

static void
refill(struct lp_audit_limit_name *name, uint64_t now_ms)
{
	uint64_t rows = (now_ms - name->since_ms) / LP_AUDIT_LIMIT_EVERY_MS;

	if (rows >= LP_AUDIT_LIMIT_BURST - name->rows) {
		name->rows = LP_AUDIT_LIMIT_BURST;
		name->since_ms = now_ms;
	} else {
		name->rows += (unsigned)rows;
		name->since_ms += rows * LP_AUDIT_LIMIT_EVERY_MS;
	}
}

static void
start(struct lp_audit_limit_name *name, const char *text, uint64_t now_ms)
{
	*name = (struct lp_audit_limit_name){
	    .rows = LP_AUDIT_LIMIT_BURST, .since_ms = now_ms};
	memcpy(name->name, text, strlen(text) + 1);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview.  All that is not broken is added to an empty configuration, by
 * lp_model_check().  What that refuses for want of something that the files
 * declare, but which is broken or refused itself, is not told: it follows.
 *
 * Clusters that files of owners name and have not are added to it, so that what
 * is in them is checked all the same.
 */
#include "cli/declaration_check.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/declaration_names.h"
#include "cli/declaration_operation.h"
#include "controld/model.h"

struct check {
	struct lp_declaration *declaration;
	struct lp_report *report;
	struct lp_declaration_names names;
	struct lp_declaration_operation operations;
	/* Of each operation, from 1: what it adds; NULL: an own cluster. */
	struct lp_declared **added;
	/* Of each that is declared: the field that was told last. */
	const char **told;
	struct lp_declared *clusters; /* own ones */
	size_t cluster_count;
	bool is_owned; /* there may be more than is in the files */
	bool lacks_port; /* one is broken */
};

static int begin(struct check *check, size_t operation_count);
static void finish(struct check *check);
static int add_all(struct check *check);
static int add_own_clusters(struct check *check);
static void add_own_cluster(struct check *check,
    const struct lp_declared *declared, const char *field, const char *name);
static void stand_in(struct check *check);
static void tell(void *arg, const struct lp_model_error *error);
static struct lp_declared *find_declared(
    const struct check *check, const char *label);
static void tell_other(struct check *check, const struct lp_model_error *error);
static bool follows(const struct check *check,
    const struct lp_declared *declared, const struct lp_model_error *error);
static const char *field_of(const struct lp_declared *declared,
    const struct lp_model_error *error, const char *label);
static struct lp_span narrow(const struct check *check, struct lp_span span,
    const struct lp_model_error *error);
static void tell_notes(
    struct check *check, const struct lp_model_change *change);

int
lp_declaration_check(
    struct lp_declaration *declaration, struct lp_report *report)
{
	struct check check = {.declaration = declaration, .report = report};
	struct lp_model_change change;
	struct lp_config none;
	int err = begin(&check, declaration->count + LP_CLUSTERS_MAX);

	lp_config_init(&none);
	if (err == 0)
		err = add_own_clusters(&check);
	if (err == 0) {
		stand_in(&check);
		err = add_all(&check);
	}
	if (err == 0) {
		err = lp_model_check(&change, &none, 1, check.operations.list,
		    check.operations.count, tell, &check);
		if (err == 0)
			tell_notes(&check, &change);
		lp_model_change_fini(&change);
	}
	finish(&check);
	return err;
}

int
lp_declaration_check_change(struct lp_declaration *declaration,
    struct lp_report *report, const struct lp_config *from,
    Lp__Pb__Operation *const *operations, struct lp_declared *const *of,
    size_t count)
{
	struct check check = {.declaration = declaration, .report = report};
	struct lp_model_change change;
	uint32_t next_id = 1;
	int err = begin(&check, count);

	check.is_owned = false;
	for (size_t i = 0; i < from->count; i++)
		if (from->objects[i].id >= next_id)
			next_id = from->objects[i].id + 1;
	for (size_t i = 0; err == 0 && i < count; i++)
		check.added[i + 1] = of[i];
	if (err == 0) {
		err = lp_model_check(
		    &change, from, next_id, operations, count, tell, &check);
		if (err == 0)
			tell_notes(&check, &change);
		lp_model_change_fini(&change);
	}
	finish(&check);
	return err;
}

static int
begin(struct check *check, size_t operation_count)
{
	struct lp_declaration *declaration = check->declaration;
	char label[LP_OBJECT_LABEL_SIZE];

	lp_declaration_names_init(&check->names, declaration);
	check->is_owned = declaration->owner_count > 0;
	for (size_t i = 0; i < declaration->owner_count; i++)
		check->is_owned =
		    check->is_owned && declaration->owners[i][0] != '\0';
	check->told = calloc(declaration->count + 1, sizeof(*check->told));
	check->added = calloc(operation_count + 1, sizeof(*check->added));
	check->clusters = calloc(LP_CLUSTERS_MAX, sizeof(*check->clusters));
	if (check->told == NULL || check->added == NULL ||
	    check->clusters == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < declaration->count; i++) {
		const struct lp_declared *declared = &declaration->list[i];

		check->lacks_port |= declared->is_broken &&
		    declared->object.kind == LP_OBJECT_PORT;
		/* Of those without a name there may be several. */
		if (lp_declaration_names_find(&check->names,
			lp_declaration_names_label(label, declared)) == NULL &&
		    lp_declaration_names_add(&check->names, i) != 0)
			return -ENOMEM;
	}
	return 0;
}

static void
finish(struct check *check)
{
	lp_declaration_operation_fini(&check->operations);
	lp_declaration_names_fini(&check->names);
	free(check->added);
	free(check->told);
	free(check->clusters);
}

/* ---- what is added ----------------------------------------------------- */

static int
add_all(struct check *check)
{
	struct lp_declaration *declaration = check->declaration;

	for (size_t i = 0; i < declaration->count; i++) {
		struct lp_declared *declared = &declaration->list[i];

		if (declared->is_broken)
			continue;
		if (lp_declaration_operation_add(
			&check->operations, declared) != 0)
			return -ENOMEM;
		check->added[check->operations.count] = declared;
	}
	return 0;
}

static int
add_own_clusters(struct check *check)
{
	const struct lp_declaration *declaration = check->declaration;

	for (size_t i = 0; i < declaration->count && check->is_owned; i++) {
		const struct lp_declared *declared = &declaration->list[i];

		if (declared->is_broken)
			continue;
		if (declared->cluster[0] != '\0')
			add_own_cluster(
			    check, declared, "cluster", declared->cluster);
		if (declared->same_as[0] != '\0')
			add_own_cluster(
			    check, declared, "same_as", declared->same_as);
	}
	for (size_t i = 0; i < check->cluster_count; i++)
		if (lp_declaration_operation_add(
			&check->operations, &check->clusters[i]) != 0)
			return -ENOMEM;
	return 0;
}

static void
add_own_cluster(struct check *check, const struct lp_declared *declared,
    const char *field, const char *name)
{
	struct lp_declared *cluster = &check->clusters[check->cluster_count];
	char label[LP_OBJECT_LABEL_SIZE];
	struct lp_span span = lp_declaration_place(declared, field);

	(void)snprintf(label, sizeof(label), "cluster %s", name);
	if (lp_declaration_names_find(&check->names, label) != NULL ||
	    check->cluster_count == LP_CLUSTERS_MAX)
		return;
	for (size_t i = 0; i < check->cluster_count; i++)
		if (strcmp(check->clusters[i].object.cluster.name, name) == 0)
			return;
	lp_object_init(&cluster->object, LP_OBJECT_CLUSTER);
	(void)snprintf(cluster->object.cluster.name,
	    sizeof(cluster->object.cluster.name), "%s", name);
	check->cluster_count++;
	lp_report_add(check->report, LP_SEVERITY_WARNING, &span,
	    "%s: cluster %s is not in these files: it is checked when they "
	    "are applied",
	    field, name);
}

/* Of the family that the listeners of its cluster have. */
static bool
is_v6(const struct check *check, const struct lp_declared *broker)
{
	const struct lp_declaration *declaration = check->declaration;

	for (size_t i = 0; i < declaration->count; i++) {
		const struct lp_declared *declared = &declaration->list[i];
		const struct lp_listener_object *listener =
		    &declared->object.listener;

		if (declared->object.kind == LP_OBJECT_LISTENER &&
		    listener->mode == LP_MODE_VIP &&
		    strcmp(declared->cluster, broker->cluster) == 0)
			return !lp_ip_is_v4(&listener->vip.ip);
	}
	return false;
}

/*
 * An address that is no other's, and is the same for the same name: RFC 2544
 * and RFC 3849 keep these from use.
 */
static void
stand_in_one(const struct check *check, struct lp_declared *declared, size_t at)
{
	struct lp_broker_object *broker = &declared->object.broker;
	const uint8_t v4[4] = {198, 18, (uint8_t)(at >> 8), (uint8_t)at};
	const uint8_t v6[16] = {
	    0x20, 0x01, 0x0d, 0xb8, 0xff, [14] = v4[2], [15] = v4[3]};

	if (is_v6(check, declared))
		memcpy(broker->real.ip.bytes, v6, sizeof(v6));
	else
		lp_ip_from_v4(&broker->real.ip, v4);
}

static void
stand_in(struct check *check)
{
	struct lp_declaration *declaration = check->declaration;
	size_t first = 0, last;

	while (first < declaration->count &&
	    declaration->list[first].object.kind != LP_OBJECT_BROKER)
		first++;
	for (last = first; last < declaration->count; last++) {
		struct lp_declared *declared = &declaration->list[last];
		size_t same = first;

		if (declared->object.kind != LP_OBJECT_BROKER)
			return;
		if (!lp_ip_is_none(&declared->object.broker.real.ip))
			continue;
		while (strcmp(declaration->list[same].object.broker.host,
			   declared->object.broker.host) != 0)
			same++;
		stand_in_one(check, declared, same - first + 1);
	}
}

/* ---- what is told ------------------------------------------------------ */

static void
tell(void *arg, const struct lp_model_error *error)
{
	struct check *check = arg;
	struct lp_declared *declared =
	    error->place == 0 ? NULL : check->added[error->place];
	char label[LP_OBJECT_LABEL_SIZE];
	struct lp_span span = {0};
	const char *field, *key;
	size_t at;

	/* What stays as it is may be no good any more. */
	if (error->place == 0)
		declared = find_declared(check, error->object);
	if (declared == NULL) {
		tell_other(check, error);
		return;
	}
	declared->is_broken = true;
	lp_declaration_names_label(label, declared);
	field = field_of(declared, error, label);
	at = (size_t)(declared - check->declaration->list);
	/* Of a field that is wrong the first that is said is enough. */
	if (follows(check, declared, error) ||
	    (check->told[at] != NULL && strcmp(check->told[at], field) == 0))
		return;
	check->told[at] = field;
	span = narrow(check, lp_declaration_place(declared, field), error);
	key = lp_declaration_key(declared, field);
	if (error->lacks != 0 && check->is_owned && error->lacking[0] != '\0')
		lp_report_add(check->report, LP_SEVERITY_WARNING, &span,
		    "%s: %s %s is not in these files: it is checked when they "
		    "are applied",
		    key, lp_object_kind_name(error->lacks), error->lacking);
	else if (error->lacks != 0 && check->is_owned)
		lp_report_add(check->report, LP_SEVERITY_WARNING, &span,
		    "%s: %s; others may that are not in these files: it is "
		    "checked when they are applied",
		    key, error->why);
	else if (strcmp(error->object, label) == 0)
		lp_report_add(check->report, LP_SEVERITY_ERROR, &span, "%s%s%s",
		    key, key[0] == '\0' ? "" : ": ", error->why);
	else
		lp_report_add(check->report, LP_SEVERITY_ERROR, &span,
		    "%s: %s: %s", error->object, error->field, error->why);
}

static struct lp_declared *
find_declared(const struct check *check, const char *label)
{
	const struct lp_declared *found =
	    lp_declaration_names_find(&check->names, label);

	return found == NULL
	    ? NULL
	    : &check->declaration->list[found - check->declaration->list];
}

/* Of all, or of what is not in the files. */
static void
tell_other(struct check *check, const struct lp_model_error *error)
{
	struct lp_span span = {0};

	if (check->declaration->count > 0)
		span =
		    lp_declaration_place(&check->declaration->list[0], "name");
	if (error->object[0] == '\0')
		lp_report_add(
		    check->report, LP_SEVERITY_ERROR, &span, "%s", error->why);
	else if (error->place != 0)
		lp_report_add(check->report, LP_SEVERITY_ERROR, &span,
		    "%s is to go: %s", error->object, error->why);
	else
		lp_report_add(check->report, LP_SEVERITY_ERROR, &span,
		    "%s: %s%s%s", error->object, error->field,
		    error->field[0] == '\0' ? "" : ": ", error->why);
}

/* From what has been told, or from an address that only stands in for one. */
static bool
follows(const struct check *check, const struct lp_declared *declared,
    const struct lp_model_error *error)
{
	char label[LP_OBJECT_LABEL_SIZE + LP_NAME_SIZE];
	char text[LP_IP_TEXT_SIZE];
	struct lp_ip ip;

	if (error->lacks == LP_OBJECT_PORT && error->lacking[0] == '\0' &&
	    check->lacks_port)
		return true;
	if (error->lacks != 0 && error->lacking[0] != '\0') {
		(void)snprintf(label, sizeof(label), "%s %s",
		    lp_object_kind_name(error->lacks), error->lacking);
		if (lp_declaration_names_find(&check->names, label) != NULL)
			return true;
	}
	return declared->object.kind == LP_OBJECT_BROKER &&
	    lp_ip_parse(&ip, declared->object.broker.host, NULL) != 0 &&
	    strstr(error->why,
		lp_ip_format(text, &declared->object.broker.real.ip)) != NULL;
}

/* Of its endpoints a broker has chosen some; others are its listener's. */
static const char *
field_of(const struct lp_declared *declared, const struct lp_model_error *error,
    const char *label)
{
	if (declared->object.kind == LP_OBJECT_BROKER &&
	    (error->lacks == LP_OBJECT_LISTENER ||
		strcmp(error->object, label) != 0))
		return "endpoints";
	return error->field;
}

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || strchr("._-/:", c) != NULL;
}

/* The word in that part of a file: the first one, as a whole. */
static bool
find_word(const char *text, struct lp_span *span, const char *word, size_t len)
{
	for (uint32_t at = span->from; at + len <= span->to; at++) {
		uint32_t end = at + (uint32_t)len;

		if (memcmp(text + at, word, len) != 0 ||
		    (at > span->from && is_word(text[at - 1])) ||
		    (end < span->to && is_word(text[end]) && text[end] != ':'))
			continue;
		span->from = at;
		span->to = end;
		return true;
	}
	return false;
}

/* Of several values the one that is meant, if its text can be found. */
static struct lp_span
narrow(const struct check *check, struct lp_span span,
    const struct lp_model_error *error)
{
	size_t size, len = strcspn(error->why, " ");
	const char *text = lp_report_text(check->report, span.file, &size);
	const char *lacking = error->lacking, *slash = strchr(lacking, '/');

	/* A broker names listeners of its own cluster. */
	if (error->lacks != 0 && lacking[0] != '\0' &&
	    (find_word(text, &span, lacking, strlen(lacking)) ||
		(slash != NULL &&
		    find_word(text, &span, slash + 1, strlen(slash + 1)))))
		return span;
	if (memchr(error->why, '.', len) != NULL ||
	    memchr(error->why, ':', len) != NULL)
		(void)find_word(text, &span, error->why, len);
	return span;
}

/* "rule x: TEXT" */
static void
tell_notes(struct check *check, const struct lp_model_change *change)
{
	for (size_t i = 0; i < change->note_count; i++) {
		const char *note = change->notes[i];
		const char *colon = strstr(note, ": ");
		const struct lp_declared *declared = NULL;
		char label[LP_OBJECT_LABEL_SIZE];
		struct lp_span span;

		if (colon != NULL && colon - note < (ptrdiff_t)sizeof(label)) {
			(void)snprintf(label, sizeof(label), "%.*s",
			    (int)(colon - note), note);
			declared =
			    lp_declaration_names_find(&check->names, label);
		}
		if (declared == NULL)
			continue;
		span = lp_declaration_place(declared, "name");
		lp_report_add(
		    check->report, LP_SEVERITY_WARNING, &span, "%s", note);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview.  All files are read, then one after another is taken apart: its
 * top, and from there its lists, whose elements become objects by the tables of
 * declaration_load_*.c.  Nothing stops at what is wrong: an object that cannot
 * be is kept as a broken one, so that nobody misses it.
 *
 * Limits.  Those of the files (yaml.h, report.h); of objects, for there is no
 * need to read a million of them to know that they are too many.
 */
#include "cli/declaration_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/declaration_file.h"

enum { VERSION = 1, KINDS = 5, LABELS_MAX = 64 };

/* The lists of a file, in the order of struct lp_declaration. */
static const struct {
	const char *key;
	const char *what;
	void (*load)(struct lp_declaration_reading *reading,
	    const struct lp_yaml_node *map, struct lp_declared *declared);
	uint8_t kind;
	size_t max;
} kinds[KINDS] = {
    {"ports", "a port", lp_declaration_load_port, LP_OBJECT_PORT, LP_PORTS_MAX},
    {"clusters", "a cluster", lp_declaration_load_cluster, LP_OBJECT_CLUSTER,
	LP_CLUSTERS_MAX},
    {"listeners", "a listener", lp_declaration_load_listener,
	LP_OBJECT_LISTENER, LP_LISTENERS_MAX},
    {"brokers", "a broker", lp_declaration_load_broker, LP_OBJECT_BROKER,
	LP_BROKERS_MAX},
    {"rules", "a rule", lp_declaration_load_rule, LP_OBJECT_RULE, LP_RULES_MAX},
};

/* The top of a file. */
struct top {
	const struct lp_yaml_node *map;
	bool is_known; /* its version is */
	char owner[LP_OWNER_SIZE], cluster[LP_NAME_SIZE];
	const struct lp_yaml_node *lists[KINDS];
};

struct load {
	struct lp_declaration *out;
	struct lp_declaration_reading reading;
	struct lp_declaration_names names;
	size_t size; /* places allocated of out->list */
	size_t counts[KINDS];
	struct top *tops; /* of each file that has one */
	size_t top_count;
};

static int load_files(struct lp_declaration *out, struct lp_report *report,
    const unsigned *files, size_t count);
static int read_file(struct load *load, unsigned file);
static void read_top(struct load *load, struct top *top);
static int add_owner(struct load *load, const char *owner);
static int read_lists(struct load *load, const struct top *top);
static int read_list(struct load *load, const struct top *top, unsigned kind);
static int read_object(struct load *load, const struct top *top, unsigned kind,
    const struct lp_yaml_node *map);
static void take_common(
    struct load *load, const struct top *top, struct lp_declared *declared);
static void check_object(struct load *load, struct lp_declared *declared);
static int add_object(struct load *load, const struct lp_declared *declared);
static void refuse_double(struct load *load, const struct lp_declared *declared,
    const struct lp_declared *first);
static void refuse_owners(struct load *load, const struct lp_declared *declared,
    const struct lp_declared *first);
static int declare_cluster(struct load *load, const struct top *top);
static int order(struct load *load);

int
lp_declaration_load(struct lp_declaration *out, struct lp_report *report,
    const char *const *paths, size_t path_count)
{
	struct lp_declaration_files files;
	int err;

	*out = (struct lp_declaration){0};
	err = lp_declaration_file_read(&files, report, paths, path_count);
	if (err == 0)
		err = load_files(out, report, files.list, files.count);
	lp_declaration_file_fini(&files);
	return err;
}

int
lp_declaration_load_text(struct lp_declaration *out, struct lp_report *report,
    const char *name, char *text, size_t len)
{
	int file = lp_report_add_file(report, name, text, len);
	unsigned index = (unsigned)file;

	*out = (struct lp_declaration){0};
	if (file < 0)
		return file;
	return load_files(out, report, &index, 1);
}

static int
load_files(struct lp_declaration *out, struct lp_report *report,
    const unsigned *files, size_t count)
{
	struct load load = {.out = out, .reading = {.report = report}};
	int err = 0;

	lp_declaration_names_init(&load.names, out);
	if (count > 0) {
		out->trees = calloc(count, sizeof(struct lp_yaml *));
		load.tops = calloc(count, sizeof(*load.tops));
		if (out->trees == NULL || load.tops == NULL)
			err = -ENOMEM;
	}
	for (size_t i = 0; i < count && err == 0; i++)
		err = read_file(&load, files[i]);
	for (size_t i = 0; i < load.top_count && err == 0; i++)
		err = read_lists(&load, &load.tops[i]);
	/* Any of them may have it in its list. */
	for (size_t i = 0; i < load.top_count && err == 0; i++)
		err = declare_cluster(&load, &load.tops[i]);
	for (size_t i = 0; i < out->count && err == 0; i++)
		lp_declaration_load_cluster_same(
		    &load.reading, &load.names, &out->list[i]);
	if (err == 0)
		err = order(&load);
	lp_declaration_names_fini(&load.names);
	free(load.tops);
	return err;
}

/* That of an object; the one that its file names is its by default. */
void
lp_declaration_load_owner(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *declared)
{
	struct lp_declared *of = declared;
	const char *field;
	char why[LP_WHY_SIZE];

	if (lp_object_check_owner(node->text, &field, why) != 0)
		lp_declaration_field_error(
		    reading, &node->span, "owner", "%s", why);
	else
		strcpy(of->object.owner, node->text);
}

/* ---- the top of a file ------------------------------------------------- */

static int
read_file(struct load *load, unsigned file)
{
	static const struct lp_span none;
	struct lp_report *report = load->reading.report;
	struct lp_declaration *out = load->out;
	struct top *top = &load->tops[load->top_count];
	struct lp_yaml *yaml = NULL;
	struct lp_span span = none;
	int err = lp_yaml_read(&yaml, report, file);

	if (err == -ENOMEM)
		return err;
	/* No YAML at all, or what is left of it. */
	if (yaml == NULL)
		return 0;
	out->trees[out->tree_count++] = yaml;
	top->map = lp_yaml_root(yaml);
	span.file = (uint16_t)file;
	if (top->map == NULL && err != 0)
		return 0;
	if (top->map == NULL) {
		lp_report_add(report, LP_SEVERITY_ERROR, &span,
		    "declares nothing: \"lightpath: 1\" is the least that a "
		    "file says");
		return 0;
	}
	if (top->map->kind != LP_YAML_MAP) {
		lp_report_add(report, LP_SEVERITY_ERROR, &top->map->span,
		    "a map is needed that begins with \"lightpath: 1\", this "
		    "is %s",
		    top->map->kind == LP_YAML_LIST ? "a list" : "a text");
		return 0;
	}
	read_top(load, top);
	if (!top->is_known)
		return 0;
	load->top_count++;
	return add_owner(load, top->owner);
}

/* Of another version nothing else is known. */
static void
set_version(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to)
{
	struct top *top = to;

	top->is_known = !node->quoted && strcmp(node->text, "1") == 0;
	if (!top->is_known)
		lp_declaration_field_error(reading, &node->span, "lightpath",
		    "\"%.*s\" is no version of the form that this lpctl knows, "
		    "which is %d",
		    LABELS_MAX, node->text, VERSION);
}

static void
set_owner(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to)
{
	struct lp_declared declared = {0};
	struct top *top = to;

	lp_declaration_load_owner(reading, node, &declared);
	memcpy(top->owner, declared.object.owner, sizeof(top->owner));
}

static void
set_list(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to)
{
	struct top *top = to;

	(void)reading;
	for (unsigned i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].key, node->key) == 0)
			top->lists[i] = node;
}

#define LIST(name)                                                             \
	{                                                                      \
		.key = name,                                                   \
		.type = LP_DECLARATION_OTHER, /* Or all of it is a comment. */ \
		    .kinds = 1 << 0 | 1 << LP_YAML_LIST, .needed = "a list",   \
		.set = set_list,                                               \
	}

static void
read_top(struct load *load, struct top *top)
{
	static const struct lp_declaration_field fields[] = {
	    {
		.key = "lightpath",
		.type = LP_DECLARATION_OTHER,
		.kinds = 1 << LP_YAML_SCALAR,
		.needed = "the version of the form",
		.why = "the version of the form, \"lightpath: 1\"",
		.set = set_version,
	    },
	    {
		.key = "owner",
		.type = LP_DECLARATION_OTHER,
		.kinds = 1 << LP_YAML_SCALAR,
		.needed = "a name",
		.set = set_owner,
	    },
	    {
		.key = "cluster",
		.type = LP_DECLARATION_TEXT,
		.offset = offsetof(struct top, cluster),
		.size = sizeof(top->cluster),
	    },
	    LIST("ports"),
	    LIST("clusters"),
	    LIST("brokers"),
	    LIST("listeners"),
	    LIST("rules"),
	    {0},
	};

	const struct lp_yaml_node *version = lp_yaml_get(top->map, "lightpath");

	top->is_known = true;
	if (version != NULL && version->kind == LP_YAML_SCALAR &&
	    !lp_yaml_is_null(version))
		set_version(&load->reading, version, top);
	if (top->is_known)
		lp_declaration_field_read(
		    &load->reading, top->map, "a file", fields, top);
}

static int
add_owner(struct load *load, const char *owner)
{
	struct lp_declaration *out = load->out;
	char(*owners)[LP_OWNER_SIZE];

	for (size_t i = 0; i < out->owner_count; i++)
		if (strcmp(out->owners[i], owner) == 0)
			return 0;
	owners = reallocarray(
	    out->owners, out->owner_count + 1, sizeof(*out->owners));
	if (owners == NULL)
		return -ENOMEM;
	out->owners = owners;
	memcpy(owners[out->owner_count++], owner, LP_OWNER_SIZE);
	return 0;
}

/* ---- its lists --------------------------------------------------------- */

static int
read_lists(struct load *load, const struct top *top)
{
	int err = 0;

	for (unsigned kind = 0; kind < KINDS && err == 0; kind++)
		if (top->lists[kind] != NULL)
			err = read_list(load, top, kind);
	return err;
}

static int
read_list(struct load *load, const struct top *top, unsigned kind)
{
	const struct lp_yaml_node *item = top->lists[kind]->children;
	int err = 0;

	for (; item != NULL && err == 0; item = item->next) {
		if (!lp_declaration_field_is(&load->reading, item,
			kinds[kind].key, 1 << LP_YAML_MAP, kinds[kind].what))
			continue;
		if (load->counts[kind]++ == kinds[kind].max) {
			lp_report_add(load->reading.report, LP_SEVERITY_ERROR,
			    &item->span, "%s: more than %zu of them",
			    kinds[kind].key, kinds[kind].max);
			return 0;
		}
		err = read_object(load, top, kind, item);
	}
	return err;
}

static int
read_object(struct load *load, const struct top *top, unsigned kind,
    const struct lp_yaml_node *map)
{
	struct lp_declaration_reading *reading = &load->reading;
	struct lp_declared declared = {.node = map};
	int err;

	lp_object_init(&declared.object, kinds[kind].kind);
	reading->failed = false;
	kinds[kind].load(reading, map, &declared);
	take_common(load, top, &declared);
	if (!reading->failed)
		check_object(load, &declared);
	declared.is_broken = reading->failed;
	err = reading->err;
	if (err == 0)
		err = add_object(load, &declared);
	if (err != 0)
		free(declared.choices);
	return err;
}

/* What the top of the file says of all its objects. */
static void
take_common(
    struct load *load, const struct top *top, struct lp_declared *declared)
{
	struct lp_declaration_reading *reading = &load->reading;
	struct lp_object *object = &declared->object;
	const struct lp_yaml_node *owner = lp_yaml_get(declared->node, "owner");
	struct lp_span span = declared->node->span;

	if (object->owner[0] == '\0')
		memcpy(object->owner, top->owner, sizeof(top->owner));
	else if (top->owner[0] != '\0' &&
	    strcmp(object->owner, top->owner) != 0)
		lp_declaration_field_error(reading, &owner->span, "owner",
		    "all objects of this file are of owner %s, as it says at "
		    "its top",
		    top->owner);
	if (declared->cluster[0] != '\0' ||
	    lp_yaml_get(declared->node, "cluster") != NULL ||
	    (object->kind != LP_OBJECT_BROKER &&
		object->kind != LP_OBJECT_LISTENER))
		return;
	if (top->cluster[0] != '\0') {
		memcpy(declared->cluster, top->cluster, sizeof(top->cluster));
		return;
	}
	span.to = span.from;
	if (lp_yaml_get(top->map, "cluster") == NULL)
		lp_declaration_field_error(reading, &span, "cluster",
		    "missing: that of the %s, here or at the top of the file",
		    lp_object_kind_name(object->kind));
	else
		reading->failed = true;
}

/* Rules have been read as a whole. */
static void
check_object(struct load *load, struct lp_declared *declared)
{
	struct lp_object object = declared->object;
	const char *field;
	char why[LP_WHY_SIZE];
	struct lp_span span;
	int err;

	/* Where its name leads nobody asks now: any address will do. */
	if (object.kind == LP_OBJECT_BROKER &&
	    lp_ip_is_none(&object.broker.real.ip))
		lp_ip_from_v4(
		    &object.broker.real.ip, (const uint8_t[4]){192, 0, 2, 1});
	err = object.kind == LP_OBJECT_RULE
	    ? lp_object_check_name(object.rule.name, &field, why)
	    : lp_object_check(&object, &field, why);
	if (err == 0)
		return;
	span = lp_declaration_place(declared, field);
	lp_declaration_field_error(&load->reading, &span,
	    lp_declaration_key(declared, field), "%s", why);
}

/* Whether it has what it is known by. */
static bool
has_name(const struct lp_declared *declared)
{
	const struct lp_object *object = &declared->object;

	switch (object->kind) {
	case LP_OBJECT_PORT:
		return object->port.name[0] != '\0';
	case LP_OBJECT_CLUSTER:
		return object->cluster.name[0] != '\0';
	case LP_OBJECT_LISTENER:
		return object->listener.name[0] != '\0' &&
		    declared->cluster[0] != '\0';
	case LP_OBJECT_BROKER:
		return declared->cluster[0] != '\0' &&
		    (!declared->is_broken || object->broker.node_id != 0);
	default:
		return object->rule.name[0] != '\0';
	}
}

/* Takes its choices over. */
static int
add_object(struct load *load, const struct lp_declared *declared)
{
	struct lp_declaration *out = load->out;
	const struct lp_declared *first;
	char label[LP_OBJECT_LABEL_SIZE];

	lp_declaration_names_label(label, declared);
	first = has_name(declared)
	    ? lp_declaration_names_find(&load->names, label)
	    : NULL;
	if (first != NULL) {
		refuse_double(load, declared, first);
		free(declared->choices);
		return 0;
	}
	if (out->count == load->size) {
		size_t size = load->size == 0 ? 64 : 2 * load->size;
		struct lp_declared *list =
		    reallocarray(out->list, size, sizeof(*list));

		if (list == NULL)
			return -ENOMEM;
		out->list = list;
		load->size = size;
	}
	out->list[out->count++] = *declared;
	return has_name(declared)
	    ? lp_declaration_names_add(&load->names, out->count - 1)
	    : 0;
}

static void
refuse_double(struct load *load, const struct lp_declared *declared,
    const struct lp_declared *first)
{
	struct lp_report *report = load->reading.report;
	struct lp_span span = lp_declaration_place(declared, "name");
	struct lp_span there = lp_declaration_place(first, "name");
	char label[LP_OBJECT_LABEL_SIZE];
	uint32_t line, column;

	lp_report_locate(report, &there, &line, &column);
	lp_report_add(report, LP_SEVERITY_ERROR, &span,
	    "%s is declared twice, first in %s:%u",
	    lp_declaration_names_label(label, declared),
	    lp_report_name(report, there.file), line);
}

static void
refuse_owners(struct load *load, const struct lp_declared *declared,
    const struct lp_declared *first)
{
	struct lp_report *report = load->reading.report;
	struct lp_span span = lp_declaration_place(declared, "name");
	struct lp_span there = lp_declaration_place(first, "name");
	uint32_t line, column;

	lp_report_locate(report, &there, &line, &column);
	lp_report_add(report, LP_SEVERITY_ERROR, &span,
	    "cluster %s is named by files of two owners, first in %s:%u: list "
	    "it under \"clusters\" of the one whose it is",
	    declared->object.cluster.name, lp_report_name(report, there.file),
	    line);
}

/*
 * The cluster that a file names at its top is declared by that, if by nothing
 * else.  Of two owners that do, nobody could say whose it is.
 */
static int
declare_cluster(struct load *load, const struct top *top)
{
	struct lp_declared declared = {.node = top->map};
	const struct lp_declared *first;
	char label[LP_OBJECT_LABEL_SIZE];

	if (top->cluster[0] == '\0')
		return 0;
	lp_object_init(&declared.object, LP_OBJECT_CLUSTER);
	memcpy(
	    declared.object.cluster.name, top->cluster, sizeof(top->cluster));
	memcpy(declared.object.owner, top->owner, sizeof(top->owner));
	first = lp_declaration_names_find(
	    &load->names, lp_declaration_names_label(label, &declared));
	if (first == NULL) {
		load->reading.failed = false;
		check_object(load, &declared);
		declared.is_broken = load->reading.failed;
		return add_object(load, &declared);
	}
	/* By a list, or by another file of the same owner. */
	if (lp_yaml_get(first->node, "cluster") != NULL &&
	    strcmp(first->object.owner, top->owner) != 0)
		refuse_owners(load, &declared, first);
	return 0;
}

/* ---- the order --------------------------------------------------------- */

/* Clusters that are the same as others come behind those. */
static unsigned
rank_of(const struct lp_declared *declared)
{
	unsigned i = 0;

	while (kinds[i].kind != declared->object.kind)
		i++;
	return 2 * i + (declared->same_as[0] != '\0');
}

/* By kind; of each as it came.  Of one file they mostly are. */
static int
order(struct load *load)
{
	struct lp_declaration *out = load->out;
	struct lp_declared *list;
	bool ordered = true;
	size_t at = 0;

	for (size_t i = 1; i < out->count; i++)
		ordered = ordered &&
		    rank_of(&out->list[i - 1]) <= rank_of(&out->list[i]);
	if (ordered)
		return 0;
	list = calloc(out->count, sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	for (unsigned rank = 0; rank < 2 * KINDS; rank++)
		for (size_t i = 0; i < out->count; i++)
			if (rank_of(&out->list[i]) == rank)
				list[at++] = out->list[i];
	free(out->list);
	out->list = list;
	return 0;
}

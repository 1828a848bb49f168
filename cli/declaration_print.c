/* SPDX-License-Identifier: Apache-2.0 */
/* A declaration as text: of YAML, and the same of JSON. */
#include <errno.h>
#include <string.h>

#include "cli/declaration.h"
#include "cli/declaration_json.h"
#include "cli/yaml_print.h"

struct printer {
	FILE *out;
	const struct lp_declaration *declaration;
	const char *only; /* an owner; NULL: of all */
	const char *owner; /* said at the top; "" */
	const char *cluster; /* likewise */
	bool json;
};

static const struct section {
	const char *key;
	uint8_t kind;
} sections[] = {
    {"ports", LP_OBJECT_PORT},
    {"clusters", LP_OBJECT_CLUSTER},
    {"brokers", LP_OBJECT_BROKER},
    {"listeners", LP_OBJECT_LISTENER},
    {"rules", LP_OBJECT_RULE},
};

static int print(struct printer *printer);
static const char *find_cluster(const struct printer *printer);
static int print_section(
    const struct printer *printer, const struct section *section);
static bool is_shown(
    const struct printer *printer, const struct lp_declared *declared);

int
lp_declaration_print(
    FILE *out, const struct lp_declaration *declaration, const char *owner)
{
	struct printer printer = {
	    .out = out, .declaration = declaration, .only = owner};

	return print(&printer);
}

int
lp_declaration_print_json(
    FILE *out, const struct lp_declaration *declaration, const char *owner)
{
	struct printer printer = {.out = out,
	    .declaration = declaration,
	    .only = owner,
	    .json = true};

	return print(&printer);
}

/* Names and owners have no bytes that JSON would escape. */
static void
print_top(const struct printer *printer, const char *key, const char *text)
{
	if (text[0] == '\0')
		return;
	if (printer->json) {
		fprintf(printer->out, ",\n  \"%s\": \"%s\"", key, text);
		return;
	}
	fprintf(printer->out, "%s: %s%s%s\n", key,
	    lp_yaml_print_is_plain(text) ? "" : "\"", text,
	    lp_yaml_print_is_plain(text) ? "" : "\"");
}

static int
print(struct printer *printer)
{
	int err = 0;

	printer->owner = printer->only ? printer->only : "";
	printer->cluster = find_cluster(printer);
	fputs(printer->json ? "{\n  \"lightpath\": 1" : "lightpath: 1\n",
	    printer->out);
	print_top(printer, "owner", printer->owner);
	print_top(printer, "cluster", printer->cluster);
	for (size_t i = 0; !err && i < sizeof(sections) / sizeof(sections[0]);
	     i++)
		err = print_section(printer, &sections[i]);
	if (printer->json)
		fputs("\n}\n", printer->out);
	return err;
}

/*
 * The one cluster that there is, of which its name is all there is to be
 * said: files declare it by naming it.
 */
static const char *
find_cluster(const struct printer *printer)
{
	const struct lp_declared *only = NULL;

	for (size_t i = 0; i < printer->declaration->count; i++) {
		const struct lp_declared *declared =
		    &printer->declaration->list[i];

		if (declared->object.kind != LP_OBJECT_CLUSTER ||
		    !is_shown(printer, declared))
			continue;
		if (only)
			return "";
		only = declared;
	}
	if (!only || only->same_as[0] != '\0' ||
	    only->object.cluster.discover ||
	    strcmp(only->object.owner, printer->owner) != 0)
		return "";
	return only->object.cluster.name;
}

static int
print_section(const struct printer *printer, const struct section *section)
{
	FILE *out = printer->out;
	size_t count = 0;

	if (section->kind == LP_OBJECT_CLUSTER && printer->cluster[0] != '\0')
		return 0;
	for (size_t i = 0; i < printer->declaration->count; i++) {
		const struct lp_declared *declared =
		    &printer->declaration->list[i];
		json_t *value;
		int err = 0;

		if (declared->object.kind != section->kind ||
		    !is_shown(printer, declared))
			continue;
		value = lp_declaration_json_object(
		    declared, printer->cluster, printer->owner);
		if (value == NULL)
			return -ENOMEM;
		if (printer->json && count == 0)
			fprintf(out, ",\n  \"%s\": [", section->key);
		else if (count == 0)
			fprintf(out, "%s:\n", section->key);
		if (printer->json) {
			fputs(count > 0 ? ",\n    " : "\n    ", out);
			err = json_dumpf(value, out, 0);
		} else {
			lp_yaml_print_item(
			    out, value, 2, section->kind == LP_OBJECT_RULE);
		}
		json_decref(value);
		if (err)
			return -ENOMEM;
		count++;
	}
	if (printer->json && count > 0)
		fputs("\n  ]", out);
	return 0;
}

static bool
is_shown(const struct printer *printer, const struct lp_declared *declared)
{
	return !printer->only ||
	    strcmp(declared->object.owner, printer->only) == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check of files that declare a configuration, whatever they are: there is
 * an error, or lp-controld's model takes what is declared.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/declaration_check.h"
#include "cli/declaration_operation.h"
#include "controld/model.h"
#include "tests/fuzz/fuzz.h"

/* As a file; a path leads to it. */
static int
open_file(char path[64], const void *data, size_t size)
{
	int fd = memfd_create("declaration", MFD_CLOEXEC);

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static void
load(struct lp_declaration *out, struct lp_report **report, const void *data,
    size_t size)
{
	char path[64];
	const char *const paths[] = {path};
	int fd = open_file(path, data, size);

	assert(lp_report_new(report) == 0);
	assert(lp_declaration_load(out, *report, paths, 1) == 0);
	close(fd);
}

/* Of a file without an owner: others may name what is not there. */
static void
apply(const struct lp_declaration *declaration)
{
	struct lp_declaration_operation operations = {0};
	struct lp_model_change change;
	struct lp_config none;

	lp_config_init(&none);
	for (size_t i = 0; i < declaration->count; i++)
		assert(lp_declaration_operation_add(
			   &operations, &declaration->list[i]) == 0);
	assert(lp_model_apply(
		   &change, &none, 1, operations.list, operations.count) == 0);
	lp_model_change_fini(&change);
	lp_declaration_operation_fini(&operations);
}

static bool
has_names(const struct lp_declaration *declaration)
{
	for (size_t i = 0; i < declaration->count; i++)
		if (declaration->list[i].object.kind == LP_OBJECT_BROKER &&
		    lp_ip_is_none(&declaration->list[i].object.broker.real.ip))
			return true;
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lp_declaration declaration;
	struct lp_report *report;
	bool owned, named;

	load(&declaration, &report, data, size);
	owned = declaration.owner_count > 0 && declaration.owners[0][0] != '\0';
	named = has_names(&declaration);
	assert(lp_declaration_check(&declaration, report) == 0);
	if (lp_report_count(report, LP_SEVERITY_ERROR) == 0 && !owned && !named)
		apply(&declaration);
	lp_declaration_fini(&declaration);
	lp_report_free(report);
	return 0;
}

static size_t
read_seed(const char *name, uint8_t *data, size_t max)
{
	char path[512];
	ssize_t size;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", EXAMPLES, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, data, max);
	close(fd);
	return size < 0 ? 0 : (size_t)size;
}

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	static const char *const names[] = {
	    "minimal.yaml",
	    "payments.yaml",
	    "inline.yaml",
	    "tls-per-broker.yaml",
	    "dpdk.yaml",
	    "rules.yaml",
	    "owners/network.yaml",
	    "owners/team-a.yaml",
	};

	return index < sizeof(names) / sizeof(names[0])
	    ? read_seed(names[index], data, max)
	    : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that declare a configuration, whatever they are.
 *
 * What is not refused is printed, and that reads as the very same objects and
 * prints as the very same text.  What is refused is told of.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/declaration.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_MAX = 1 << 16 };

/* Whether it was read, and nothing of it refused. */
static bool
load(struct lp_declaration *out, struct lp_report **report, const void *text,
    size_t size)
{
	char path[32];
	const char *paths[] = {path};
	int fd = memfd_create("declaration", 0);
	size_t count;

	assert(fd >= 0 && write(fd, text, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert(lp_report_new(report) == 0);
	assert(lp_declaration_load(out, *report, paths, 1) == 0);
	close(fd);
	(void)lp_report_problems(*report, &count);
	for (size_t i = 0; i < out->count; i++)
		(void)lp_declaration_place(&out->list[i], "name");
	return lp_report_count(*report, LP_SEVERITY_ERROR) == 0;
}

static char *
print(const struct lp_declaration *declaration)
{
	const char *owner =
	    declaration->owner_count > 0 && declaration->owners[0][0] != '\0'
	    ? declaration->owners[0]
	    : NULL;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert(out && lp_declaration_print(out, declaration, owner) == 0);
	fclose(out);
	return text;
}

/* Of any order, as what is printed is in the order of the sections. */
static const struct lp_declared *
find(const struct lp_declaration *in, const struct lp_declared *wanted)
{
	for (size_t i = 0; i < in->count; i++)
		if (memcmp(&in->list[i].object, &wanted->object,
			sizeof(wanted->object)) == 0 &&
		    strcmp(in->list[i].cluster, wanted->cluster) == 0 &&
		    strcmp(in->list[i].same_as, wanted->same_as) == 0 &&
		    in->list[i].choice_count == wanted->choice_count)
			return &in->list[i];
	return NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lp_declaration declaration, again;
	struct lp_report *report, *other;
	char *text, *twice;

	if (size > TEXT_MAX)
		return 0;
	if (load(&declaration, &report, data, size)) {
		text = print(&declaration);
		if (!load(&again, &other, text, strlen(text))) {
			lp_report_print(other, stderr, false);
			abort();
		}
		assert(again.count == declaration.count);
		for (size_t i = 0; i < again.count; i++)
			assert(find(&declaration, &again.list[i]));
		twice = print(&again);
		assert(strcmp(text, twice) == 0);
		free(twice);
		free(text);
		lp_declaration_fini(&again);
		lp_report_free(other);
	}
	lp_declaration_fini(&declaration);
	lp_report_free(report);
	return 0;
}

static const char *const seeds[] = {
    "lightpath: 1\ncluster: c\n"
    "ports:\n  - {name: front, device: eth1, addresses: [10.9.0.10/24, "
    "'fd00::1/64'], gateway: [10.9.0.1, 'fd00::2'], side: client, "
    "allow_default_route: true}\n"
    "  - {name: l, device: e, peer: r, on_loss: wire}\n"
    "  - {name: r, device: f, peer: l, on_loss: wire}\n",
    "lightpath: 1\nports:\n"
    "  - {name: d, backend: dpdk, device: '0000:03:00.0', mtu: 9000, "
    "addresses: [10.8.0.1/24]}\n",
    "lightpath: 1\nclusters: [{name: a, discover: true}, {name: b, same_as: a, "
    "owner: x}]\n"
    "brokers:\n  - {id: 1, cluster: a, endpoint: 10.0.2.11:9092}\n"
    "  - {id: 7, cluster: b, endpoint: host:9092, endpoints: {p: "
    "10.9.0.7:9}}\n"
    "listeners:\n  - {name: p, cluster: b, vip: 10.9.0.100, port: 9092, "
    "broker_base: 9200, source_address: preserve, kafka: off, rewrite: off, "
    "advertise: '*.k.x', unjudged: pass}\n"
    "  - {name: w, cluster: a, mode: inline}\n",
    "lightpath: 1\nowner: team-a\nrules:\n"
    "  - name: one\n    priority: 100\n    shadow: true\n"
    "    match: {client_id: [batch-*, \"a \\\" b\", '\"x*\"'], api: Produce}\n"
    "    action: {limit: {bytes_per_second: 50MB, burst: 6MB, "
    "per: client_id}}\n",
    "lightpath: 1\nrules: [{name: two, priority: 1, match: api=Fetch "
    "topic=pay*, action: deny}, {name: three, priority: 0, match: {src: "
    "[10.0.0.0/8, '::/0'], src_port: 3-7}, action: {route: {broker: 3}, dscp: "
    "8, priority: 2}}, {name: f, priority: 1, match: {version: 3-7, acks: all, "
    "frame_size: 1MB-}, action: observe}]\n",
};

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	size_t len;

	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	len = strlen(seeds[index]);
	assert(len <= max);
	memcpy(data, seeds[index], len);
	return len;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/plane_region.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dataplane/kafka/kafka_stats.h"
#include "tests/support/ensure.h"

/* Of the one region that there is. */
static size_t kafka_bytes;

static void *
table(size_t count, size_t size)
{
	size_t bytes = (count * size + 63) / 64 * 64;
	void *memory = aligned_alloc(64, bytes);

	ensure(memory != NULL, "no memory");
	memset(memory, 0, bytes);
	return memory;
}

/* Mostly address space: not to be touched by a memset(). */
static void *
space(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ensure(memory != MAP_FAILED, "no memory");
	return memory;
}

void
plane_region_open(
    struct lp_region *region, uint32_t connections, uint32_t buffers)
{
	struct lp_arena arena = {.base = NULL};

	region->header = table(1, sizeof(*region->header));
	*region->header = (struct lp_region_header){.magic = LP_REGION_MAGIC,
	    .layout = LP_REGION_LAYOUT,
	    .connection_count = connections,
	    .buffer_count = buffers,
	    .ready = 1};
	region->stats = table(1, sizeof(*region->stats));
	region->endpoints = table(LP_ENDPOINTS_MAX, sizeof(*region->endpoints));
	region->undo = table(1, sizeof(*region->undo));
	region->connections = table(connections, sizeof(*region->connections));
	region->ledger = table(buffers, 1);
	region->rules = space(LP_RULE_SLOTS * sizeof(*region->rules));
	region->kafka_stats = space(sizeof(*region->kafka_stats));
	lp_kafka_state_carve(&region->kafka, &arena, connections);
	kafka_bytes = arena.used;
	arena = (struct lp_arena){.base = space(kafka_bytes)};
	lp_kafka_state_carve(&region->kafka, &arena, connections);
}

void
plane_region_close(struct lp_region *region)
{
	free(region->header);
	free(region->stats);
	free(region->endpoints);
	free(region->undo);
	free(region->connections);
	free(region->ledger);
	munmap(region->kafka.conns, kafka_bytes);
	munmap(region->rules, LP_RULE_SLOTS * sizeof(*region->rules));
	munmap(region->kafka_stats, sizeof(*region->kafka_stats));
}

void
plane_region_reset(struct lp_region *region)
{
	struct lp_kafka_state *kafka = &region->kafka;

	memset(region->connections, 0,
	    region->header->connection_count * sizeof(*region->connections));
	memset(kafka->conns, 0, kafka->conn_count * sizeof(*kafka->conns));
	/* Of connections whose end nobody has seen. */
	for (uint32_t i = 0; i < kafka->message_count; i++)
		if (kafka->messages[i].used != 0)
			kafka->messages[i].used = 0;
	for (uint32_t i = 0; i < kafka->inflight_count; i++)
		if (kafka->inflight[i].used != 0)
			kafka->inflight[i].used = 0;
	for (uint32_t i = 0; i < kafka->edit_count; i++)
		if (kafka->edits[i].kind != LP_EDIT_NONE)
			kafka->edits[i].kind = LP_EDIT_NONE;
	/* Anonymous memory reads as zero again. */
	ensure(madvise(region->kafka_stats, sizeof(*region->kafka_stats),
		   MADV_DONTNEED) == 0,
	    "madvise");
}

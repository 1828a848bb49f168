/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/telemetry.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "tests/support/ensure.h"

struct opened {
	struct lp_telemetry telemetry;
	struct lp_arena arena;
	struct lp_kafka_stats *own;
};

static void *
memory(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ensure(at != MAP_FAILED, "no memory");
	return at;
}

static void
start(struct opened *opened, struct lp_kafka_stats *stats,
    const struct lp_endpoint_stats *endpoints, uint64_t seed)
{
	struct lp_arena measure = {.base = NULL};

	lp_telemetry_carve(&opened->telemetry, &measure);
	opened->arena = (struct lp_arena){.base = memory(measure.used)};
	lp_telemetry_carve(&opened->telemetry, &opened->arena);
	lp_telemetry_init(&opened->telemetry, stats, endpoints, seed);
}

struct lp_telemetry *
telemetry_open(
    struct lp_kafka_stats *stats, const struct lp_endpoint_stats *endpoints)
{
	struct opened *opened = calloc(1, sizeof(*opened));

	ensure(opened != NULL, "no memory");
	if (stats == NULL)
		stats = opened->own = memory(sizeof(*stats));
	start(opened, stats, endpoints, 1);
	return &opened->telemetry;
}

void
telemetry_restart(struct lp_telemetry *telemetry)
{
	struct opened *opened = (struct opened *)telemetry;

	munmap(opened->arena.base, opened->arena.used);
	start(opened, telemetry->stats, telemetry->endpoints,
	    telemetry->seed + 1);
}

void
telemetry_close(struct lp_telemetry *telemetry)
{
	struct opened *opened = (struct opened *)telemetry;

	munmap(opened->arena.base, opened->arena.used);
	if (opened->own)
		munmap(opened->own, sizeof(*opened->own));
	free(opened);
}

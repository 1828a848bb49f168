/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/plane_conntrack.h"

#include <sys/mman.h>

#include "tests/support/ensure.h"
#include "tests/support/plane.h"

struct lp_conntrack conntrack;

static void *memory;
static size_t memory_size;

static void
release_memory(void)
{
	if (memory != NULL)
		munmap(memory, memory_size);
	memory = NULL;
}

void
conntrack_open(uint32_t connections, uint32_t now_s)
{
	plane_open(connections);
	conntrack_anew(1, now_s);
}

void
conntrack_close(void)
{
	plane_close();
	release_memory();
}

/* Much of the memory is for source ports, and is never touched. */
void
conntrack_anew(uint64_t seed, uint32_t now_s)
{
	uint32_t count = plane.region.header->connection_count;
	struct lp_arena arena = {.base = NULL};

	release_memory();
	lp_conntrack_carve(&conntrack, &arena, count);
	memory_size = arena.used;
	memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ensure(memory != MAP_FAILED, "no memory");
	arena = (struct lp_arena){.base = memory};
	lp_conntrack_carve(&conntrack, &arena, count);
	lp_conntrack_init(&conntrack, &plane.region, seed, now_s);
}

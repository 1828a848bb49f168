/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/plane_pipeline.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/ensure.h"

enum {
	PAGE = 4096,
	LOOK = 4096, /* pages at a time */
};

/* Present, or swapped out: Documentation/admin-guide/mm/pagemap.rst. */
static const uint64_t there = 3ull << 62;

static uint8_t *memory;
static size_t memory_size;
static bool in_use;

/* Only what was touched: the rest stays address space. */
static void
clear(void)
{
	static uint64_t map[LOOK];
	size_t pages = memory_size / PAGE;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	ensure(fd >= 0, "/proc/self/pagemap");
	for (size_t from = 0; from < pages; from += LOOK) {
		size_t count = pages - from < LOOK ? pages - from : LOOK;
		off_t at =
		    (off_t)(((uintptr_t)memory / PAGE + from) * sizeof(map[0]));

		ensure(pread(fd, map, count * sizeof(map[0]), at) ==
			(ssize_t)(count * sizeof(map[0])),
		    "/proc/self/pagemap is short");
		for (size_t i = 0; i < count; i++)
			if (map[i] & there)
				memset(memory + (from + i) * PAGE, 0, PAGE);
	}
	close(fd);
}

struct lp_pipeline *
plane_pipeline_open(const struct lp_pipeline_config *config)
{
	size_t size =
	    lp_pipeline_size(config->region->header->connection_count);

	ensure(!in_use, "one pipeline at a time");
	size = (size + PAGE - 1) / PAGE * PAGE;
	if (size != memory_size) {
		if (memory_size > 0)
			munmap(memory, memory_size);
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ensure(memory != MAP_FAILED, "no memory");
		memory_size = size;
	}
	in_use = true;
	return lp_pipeline_init(memory, config);
}

void
plane_pipeline_close(struct lp_pipeline *pipeline)
{
	if (pipeline == NULL)
		return;
	lp_pipeline_fini(pipeline);
	clear();
	in_use = false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for a packet path: cold, so that the packet path itself has no way
 * to allocate.  Mapped, since most of it is touched only when used.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "dataplane/pipeline/pipeline.h"

/* In front of the pipeline, in a cache line of its own. */
struct mapping {
	_Alignas(64) size_t size_bytes;
};

int
lp_pipeline_new(
    struct lp_pipeline **pipeline, const struct lp_pipeline_config *config)
{
	size_t size_bytes = sizeof(struct mapping) +
	    lp_pipeline_size(config->region->header->connection_count);
	struct mapping *mapping = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mapping == MAP_FAILED)
		return -ENOMEM;
	mapping->size_bytes = size_bytes;
	*pipeline = lp_pipeline_init(mapping + 1, config);
	assert((void *)*pipeline == (void *)(mapping + 1));
	return 0;
}

void
lp_pipeline_free(struct lp_pipeline *pipeline)
{
	struct mapping *mapping;

	if (pipeline == NULL)
		return;
	lp_pipeline_fini(pipeline);
	mapping = (struct mapping *)(void *)pipeline - 1;
	munmap(mapping, mapping->size_bytes);
}

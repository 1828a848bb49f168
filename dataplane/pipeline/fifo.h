/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues of indexes, oldest first, through two shared arrays of links.  An
 * index is in one queue at most; its owner knows which.
 */
#ifndef LP_PIPELINE_FIFO_H
#define LP_PIPELINE_FIFO_H

#include <assert.h>
#include <stdint.h>

enum { LP_FIFO_NONE = UINT32_MAX };

struct lp_fifo {
	uint32_t oldest;
	uint32_t newest;
	uint32_t count;
};

struct lp_fifo_links {
	uint32_t *older;
	uint32_t *newer;
};

static inline void
lp_fifo_init(struct lp_fifo *fifo)
{
	*fifo = (struct lp_fifo){LP_FIFO_NONE, LP_FIFO_NONE, 0};
}

static inline void
lp_fifo_add(struct lp_fifo *fifo, struct lp_fifo_links links, uint32_t index)
{
	links.older[index] = fifo->newest;
	links.newer[index] = LP_FIFO_NONE;
	if (fifo->newest == LP_FIFO_NONE)
		fifo->oldest = index;
	else
		links.newer[fifo->newest] = index;
	fifo->newest = index;
	fifo->count++;
}

static inline void
lp_fifo_remove(struct lp_fifo *fifo, struct lp_fifo_links links, uint32_t index)
{
	uint32_t older = links.older[index];
	uint32_t newer = links.newer[index];

	assert(fifo->count > 0);
	if (older == LP_FIFO_NONE)
		fifo->oldest = newer;
	else
		links.newer[older] = newer;
	if (newer == LP_FIFO_NONE)
		fifo->newest = older;
	else
		links.older[newer] = older;
	fifo->count--;
}

#endif

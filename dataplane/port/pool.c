/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool of packet buffers.
 *
 * Life-cycle: the memory is always new, because a socket of a predecessor that
 * is still being torn down may write into the old one.  It is offered to the
 * keeper, so that a successor which adopts bound sockets finds it.
 */
#include "dataplane/port/pool.h"

#include <errno.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/keep.h"

static uint64_t now_ns(void);
static int memory_open(struct lp_pool *pool, size_t size, unsigned flags);

int
lp_pool_open(struct lp_pool **out, const struct lp_pool_config *config,
    char why[LP_WHY_SIZE])
{
	uint32_t count = config->buffer_count;
	struct lp_pool *pool;
	int error;

	assert(count >= LP_BUFFERS_MIN && count <= LP_BUFFERS_MAX);
	assert(config->ledger != NULL);
	pool = aligned_alloc(_Alignof(struct lp_pool), sizeof(*pool));
	if (pool == NULL)
		goto no_memory;
	*pool = (struct lp_pool){.count = count,
	    .ledger = config->ledger,
	    .budget = {.count = count},
	    .fd = -1};
	pool->free = calloc(count, sizeof(pool->free[0]));
	if (pool->free == NULL)
		goto no_memory;
	error = memory_open(pool, (size_t)count * LP_BUFFER_SIZE, MFD_HUGETLB);
	if (error != 0)
		error = memory_open(pool, (size_t)count * LP_BUFFER_SIZE, 0);
	if (error != 0) {
		snprintf(why, LP_WHY_SIZE,
		    "no memory for %u packet buffers of %d bytes: %s", count,
		    LP_BUFFER_SIZE, strerror(-error));
		goto fail;
	}
	if (config->keep != NULL) {
		error = lp_keep_put(config->keep, "umem", pool->fd);
		if (error != 0) {
			snprintf(why, LP_WHY_SIZE,
			    "the keeper does not take the packet buffers: %s",
			    strerror(-error));
			goto fail;
		}
	}
	lp_pool_expect_busy(pool);
	/* A new memory has no owners; the lowest index is handed out first. */
	memset(pool->ledger, LP_BUFFER_FREE, count);
	while (pool->free_count < count) {
		pool->free[pool->free_count] = count - 1 - pool->free_count;
		pool->free_count++;
	}
	*out = pool;
	return 0;
no_memory:
	error = -ENOMEM;
	snprintf(why, LP_WHY_SIZE, "no memory for %u packet buffers", count);
fail:
	lp_pool_close(pool);
	return error;
}

void
lp_pool_close(struct lp_pool *pool)
{
	if (pool == NULL)
		return;
	assert(pool->budget.reserved == 0);
	if (pool->memory != NULL)
		munmap(pool->memory, pool->size);
	if (pool->fd >= 0)
		close(pool->fd);
	free(pool->free);
	free(pool);
}

bool
lp_pool_alloc(struct lp_pool *pool, struct lp_pkt *pkt)
{
	uint32_t index;

	if (pool->free_count == 0)
		return false;
	index = lp_pool_pop(pool, LP_BUFFER_WORKER);
	lp_pool_pkt_init(
	    pkt, lp_pool_buffer(pool, index) + LP_BUFFER_HEADROOM, index, 0);
	return true;
}

void
lp_pool_release(struct lp_pool *pool, struct lp_pkt *pkts[], unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++)
		lp_pool_push(pool, (uint32_t)pkts[i]->buf, LP_BUFFER_WORKER);
}

void
lp_pool_reclaim(struct lp_pool *pool, uint8_t slot)
{
	uint32_t i;

	assert(slot < LP_PORTS_MAX);
	for (i = 0; i < pool->count; i++) {
		uint8_t owner = pool->ledger[i];

		if (owner == LP_BUFFER_RX + slot ||
		    owner == LP_BUFFER_TX + slot)
			lp_pool_push(pool, i, owner);
	}
}

uint32_t
lp_pool_free_count(const struct lp_pool *pool)
{
	return pool->free_count;
}

void
lp_pool_expect_busy(struct lp_pool *pool)
{
	const uint64_t second_ns = 1000000000;

	pool->busy_until_ns = now_ns() + second_ns;
}

bool
lp_pool_pause_busy(const struct lp_pool *pool)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	if (now_ns() >= pool->busy_until_ns)
		return false;
	nanosleep(&pause, NULL);
	return true;
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int
memory_open(struct lp_pool *pool, size_t size, unsigned flags)
{
	enum { HUGE_PAGE = 2 << 20 };
	void *memory;
	int error, fd;

	if (flags & MFD_HUGETLB) {
		flags |= MFD_HUGE_2MB;
		size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	}
	fd = memfd_create("lightpath-packets", flags | MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) != 0)
		goto fail;
	/* Hugepages are reserved here: it fails now or not at all. */
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_POPULATE, fd, 0);
	if (memory == MAP_FAILED)
		goto fail;
	/* Other people's records do not belong into a core dump. */
	(void)madvise(memory, size, MADV_DONTDUMP);
	pool->memory = memory;
	pool->size = size;
	pool->fd = fd;
	return 0;
fail:
	error = -errno;
	close(fd);
	return error;
}

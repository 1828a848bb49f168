/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/region.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/kafka/kafka_stats.h"
#include "proto/log.h"

enum { ALIGN = 4096 };

static const char keep_name[] = "region";

static void lay_out(struct lp_region_header *header, uint32_t connection_count,
    uint32_t buffer_count);
static int attach(
    struct lp_region *region, int fd, const struct lp_region_header *wanted);
static const char *mismatch(const struct lp_region_header *found,
    const struct lp_region_header *wanted, uint64_t file_size);
static int create(struct lp_region *region, struct lp_keep *keep,
    struct lp_region_header *wanted);
static int map(struct lp_region *region, int fd, uint64_t size);
static uint64_t place(uint64_t *end, uint64_t size);
static void set_pointers(struct lp_region *region);

int
lp_region_open(struct lp_region *region, struct lp_keep *keep,
    uint32_t connection_count, uint32_t buffer_count)
{
	struct lp_region_header wanted;
	int fd = keep ? lp_keep_get(keep, keep_name) : -ENOENT;
	int error = fd;

	memset(region, 0, sizeof(*region));
	lay_out(&wanted, connection_count, buffer_count);
	if (fd >= 0) {
		error = attach(region, fd, &wanted);
		close(fd);
	}
	/* No region yet, or one that is of no use: -EUCLEAN, logged. */
	if (error == -ENOENT || error == -EUCLEAN)
		error = create(region, keep, &wanted);
	return error;
}

void
lp_region_close(struct lp_region *region)
{
	if (region->header)
		munmap(region->header, region->header->size_bytes);
	memset(region, 0, sizeof(*region));
}

static void
lay_out(struct lp_region_header *header, uint32_t connection_count,
    uint32_t buffer_count)
{
	struct lp_kafka_state kafka;
	struct lp_arena arena = {.base = NULL};
	uint64_t end = 0;

	*header = (struct lp_region_header){
	    .magic = LP_REGION_MAGIC,
	    .layout = LP_REGION_LAYOUT,
	    .connection_count = connection_count,
	    .buffer_count = buffer_count,
	};
	place(&end, sizeof(*header));
	header->stats_off = place(&end, sizeof(struct lp_stats));
	header->endpoints_off =
	    place(&end, LP_ENDPOINTS_MAX * sizeof(struct lp_endpoint_stats));
	header->rules_off =
	    place(&end, LP_RULE_SLOTS * sizeof(struct lp_rule_stats));
	header->undo_off = place(&end, sizeof(struct lp_undo));
	header->connections_off =
	    place(&end, (uint64_t)connection_count * sizeof(struct lp_conn));
	header->ledger_off = place(&end, buffer_count);
	header->kafka_stats_off = place(&end, sizeof(struct lp_kafka_stats));
	lp_kafka_state_carve(&kafka, &arena, connection_count);
	header->kafka_off = place(&end, arena.used);
	header->size_bytes = end;
}

static uint64_t
place(uint64_t *end, uint64_t size)
{
	uint64_t offset = *end;

	*end = (offset + size + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
	return offset;
}

static int
attach(struct lp_region *region, int fd, const struct lp_region_header *wanted)
{
	struct lp_region_header found;
	struct stat stat;
	const char *why;
	int error;

	if (fstat(fd, &stat) != 0)
		return -errno;
	/* Read, not mapped: a file that was cut short must not be touched. */
	if (pread(fd, &found, sizeof(found), 0) != sizeof(found))
		memset(&found, 0, sizeof(found));
	why = mismatch(&found, wanted, (uint64_t)stat.st_size);
	if (why) {
		lp_log_warn("connections are lost because %s", why);
		return -EUCLEAN;
	}
	error = map(region, fd, found.size_bytes);
	if (error)
		return error;
	region->header->restarts++;
	return 0;
}

static const char *
mismatch(const struct lp_region_header *found,
    const struct lp_region_header *wanted, uint64_t file_size)
{
	if (found->magic != wanted->magic || found->ready != 1)
		return "the state region is not one of ours, or not complete";
	if (found->layout != wanted->layout)
		return "the state region has another layout: it was made by "
		       "another version";
	if (found->connection_count != wanted->connection_count)
		return "--connections has changed";
	if (found->buffer_count != wanted->buffer_count)
		return "--buffers has changed";
	if (found->size_bytes != wanted->size_bytes ||
	    found->stats_off != wanted->stats_off ||
	    found->endpoints_off != wanted->endpoints_off ||
	    found->rules_off != wanted->rules_off ||
	    found->undo_off != wanted->undo_off ||
	    found->connections_off != wanted->connections_off ||
	    found->ledger_off != wanted->ledger_off ||
	    found->kafka_stats_off != wanted->kafka_stats_off ||
	    found->kafka_off != wanted->kafka_off ||
	    file_size != wanted->size_bytes)
		return "the state region has another size";
	return NULL;
}

static int
create(struct lp_region *region, struct lp_keep *keep,
    struct lp_region_header *wanted)
{
	int fd = memfd_create("lp-region", MFD_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (getrandom(&wanted->boot_id, sizeof(wanted->boot_id), 0) !=
	    sizeof(wanted->boot_id))
		error = -EIO;
	if (!error && ftruncate(fd, (off_t)wanted->size_bytes) != 0)
		error = -errno;
	if (!error)
		error = map(region, fd, wanted->size_bytes);
	if (!error) {
		*region->header = *wanted;
		set_pointers(region);
		region->header->ready = 1;
		if (keep)
			error = lp_keep_put(keep, keep_name, fd);
	}
	if (error)
		lp_region_close(region);
	close(fd);
	return error;
}

static int
map(struct lp_region *region, int fd, uint64_t size)
{
	void *memory =
	    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	region->header = memory;
	if (region->header->ready == 1)
		set_pointers(region);
	return 0;
}

static void
set_pointers(struct lp_region *region)
{
	const struct lp_region_header *header = region->header;
	uint8_t *base = (uint8_t *)region->header;
	struct lp_arena arena = {.base = base + header->kafka_off};

	region->stats = (struct lp_stats *)(base + header->stats_off);
	region->endpoints =
	    (struct lp_endpoint_stats *)(base + header->endpoints_off);
	region->rules = (struct lp_rule_stats *)(base + header->rules_off);
	region->undo = (struct lp_undo *)(base + header->undo_off);
	region->connections =
	    (struct lp_conn *)(base + header->connections_off);
	region->ledger = base + header->ledger_off;
	region->kafka_stats =
	    (struct lp_kafka_stats *)(base + header->kafka_stats_off);
	lp_kafka_state_carve(&region->kafka, &arena, header->connection_count);
}

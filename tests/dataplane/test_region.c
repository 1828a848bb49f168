/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/region.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/keep_store.h"
#include "tests/dataplane/cold.h"

enum { CONNECTIONS = 256, BUFFERS = 4096 };

/* A keeper in a thread of the test. */
struct shelf {
	struct lp_keep_store store;
	struct lp_keep *keep;
	int socket;
	pthread_t thread;
};

static void *
serve(void *arg)
{
	struct shelf *shelf = arg;
	bool ready = false;

	while (lp_keep_store_serve(&shelf->store, shelf->socket, &ready) == 0)
		;
	return NULL;
}

static void
shelf_open(struct shelf *shelf)
{
	int pair[2];

	lp_keep_store_init(&shelf->store);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	shelf->socket = pair[0];
	ck_assert_int_eq(lp_keep_new(&shelf->keep, pair[1]), 0);
	ck_assert_int_eq(pthread_create(&shelf->thread, NULL, serve, shelf), 0);
}

static void
shelf_close(struct shelf *shelf)
{
	lp_keep_free(shelf->keep);
	pthread_join(shelf->thread, NULL);
	close(shelf->socket);
	lp_keep_store_fini(&shelf->store);
}

static void
open_region(struct lp_region *region, struct shelf *shelf)
{
	ck_assert_int_eq(
	    lp_region_open(region, shelf->keep, CONNECTIONS, BUFFERS), 0);
}

START_TEST(new_region_is_laid_out)
{
	struct lp_region region;
	const struct lp_region_header *header;

	ck_assert_int_eq(
	    lp_region_open(&region, NULL, CONNECTIONS, BUFFERS), 0);
	header = region.header;
	ck_assert_uint_eq(header->ready, 1);
	ck_assert_uint_ne(header->boot_id, 0);
	ck_assert_uint_eq(header->stats_off % 4096, 0);
	ck_assert_uint_eq(header->connections_off % 4096, 0);
	ck_assert_uint_le(
	    header->stats_off + sizeof(struct lp_stats), header->endpoints_off);
	ck_assert_uint_le(
	    header->rules_off + LP_RULE_SLOTS * sizeof(struct lp_rule_stats),
	    header->undo_off);
	ck_assert_uint_le(
	    header->connections_off + CONNECTIONS * sizeof(struct lp_conn),
	    header->ledger_off);
	ck_assert_uint_le(header->ledger_off + BUFFERS, header->size_bytes);
	/* All of it is there. */
	region.ledger[BUFFERS - 1] = 1;
	region.connections[CONNECTIONS - 1].use = LP_CONN_USED;
	region.rules[LP_RULE_SLOTS - 1].rule_id = 1;
	lp_region_close(&region);
}
END_TEST

START_TEST(successor_finds_what_was_there)
{
	struct shelf shelf;
	struct lp_region region;
	uint64_t boot_id;

	shelf_open(&shelf);
	open_region(&region, &shelf);
	boot_id = region.header->boot_id;
	region.connections[17].listener_id = 4711;
	lp_count_add(&region.stats->loops, 5);
	lp_region_close(&region);
	open_region(&region, &shelf);
	ck_assert_uint_eq(region.header->boot_id, boot_id);
	ck_assert_uint_eq(region.header->restarts, 1);
	ck_assert_uint_eq(region.connections[17].listener_id, 4711);
	ck_assert_uint_eq(lp_count_get(&region.stats->loops), 5);
	lp_region_close(&region);
	shelf_close(&shelf);
}
END_TEST

/* Opens a region, spoils it, and expects that the next one is new. */
static void
expect_replaced(void (*spoil)(struct shelf *, struct lp_region *))
{
	struct shelf shelf;
	struct lp_region region;
	uint64_t boot_id;

	shelf_open(&shelf);
	open_region(&region, &shelf);
	boot_id = region.header->boot_id;
	spoil(&shelf, &region);
	lp_region_close(&region);
	open_region(&region, &shelf);
	ck_assert_uint_ne(region.header->boot_id, boot_id);
	ck_assert_uint_eq(region.header->restarts, 0);
	lp_region_close(&region);
	/* And that one stays. */
	open_region(&region, &shelf);
	ck_assert_uint_eq(region.header->restarts, 1);
	lp_region_close(&region);
	shelf_close(&shelf);
}

static void
other_layout(struct shelf *shelf, struct lp_region *region)
{
	(void)shelf;
	region->header->layout++;
}

static void
other_magic(struct shelf *shelf, struct lp_region *region)
{
	(void)shelf;
	region->header->magic++;
}

static void
not_ready(struct shelf *shelf, struct lp_region *region)
{
	(void)shelf;
	region->header->ready = 0;
}

static void
other_limit(struct shelf *shelf, struct lp_region *region)
{
	(void)shelf;
	region->header->connection_count++;
}

static void
other_offset(struct shelf *shelf, struct lp_region *region)
{
	(void)shelf;
	region->header->undo_off += 64;
}

static void
cut_short(struct shelf *shelf, struct lp_region *region)
{
	int fd = lp_keep_get(shelf->keep, "region");

	(void)region;
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, 8192), 0);
	close(fd);
}

static void
empty(struct shelf *shelf, struct lp_region *region)
{
	int fd = memfd_create("empty", MFD_CLOEXEC);

	(void)region;
	ck_assert_int_eq(lp_keep_put(shelf->keep, "region", fd), 0);
	close(fd);
}

START_TEST(region_that_does_not_fit_is_replaced)
{
	expect_replaced(other_layout);
	expect_replaced(other_magic);
	expect_replaced(not_ready);
	expect_replaced(other_limit);
	expect_replaced(other_offset);
	expect_replaced(cut_short);
	expect_replaced(empty);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    new_region_is_laid_out,
	    successor_finds_what_was_there,
	    region_that_does_not_fit_is_replaced,
	    NULL,
	};

	return cold_run("region", tests);
}

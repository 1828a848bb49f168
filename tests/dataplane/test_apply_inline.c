/* SPDX-License-Identifier: Apache-2.0 */
/* What applying a configuration makes of a pair of inline ports. */
#include "dataplane/apply.h"

#include <errno.h>
#include <string.h>

#include "dataplane/port/port_memory.h"
#include "tests/dataplane/cold.h"

enum { LEFT = 50, RIGHT, SEEN, SEEN_1 };

static char directory[PATH_MAX];
static char path[PATH_MAX];
static struct lp_options options = {.id = "test",
    .snapshot_path = path,
    .connections = 64,
    .buffers = 4096,
    .spin_us = 50,
    .cpu = -1};
static struct lp_dataplane dataplane;
static struct lp_config config;
static struct lp_applied applied;
static struct lp_refusal refusal;

static void
put_half(uint32_t id, const char *name, const char *peer, const char *device)
{
	struct lp_object port = make_peer(id, name, peer);

	port.port.backend = LP_BACKEND_MEMORY;
	strcpy(port.port.device, device);
	put(&config, port);
}

static void
begin(void)
{
	cold_mkdir(directory);
	cold_path(path, directory, "snapshot");
	cold_config(&config);
	put_half(LEFT, "left", "right", "m-left");
	put_half(RIGHT, "right", "left", "m-right");
	put(&config, make_inline(SEEN, ORDERS, "seen"));
	put(&config,
	    make_endpoint(SEEN_1, SEEN, ORDERS_1, "[2001:db8:8::21]:9092"));
	ck_assert_int_eq(lp_dataplane_init(&dataplane, &options, NULL), 0);
}

static void
end(void)
{
	lp_dataplane_fini(&dataplane);
	lp_config_fini(&config);
	cold_rmdir(directory);
}

static int
apply(uint64_t generation)
{
	struct lp_candidate candidate;
	int error;

	lp_candidate_init(&candidate);
	ck_assert_int_eq(lp_config_copy(&candidate.config, &config), 0);
	candidate.epoch = 1;
	candidate.generation = generation;
	candidate.digest = lp_config_digest(&config);
	error = lp_apply_candidate(&dataplane, &candidate, &applied, &refusal);
	lp_candidate_fini(&candidate);
	return error;
}

static uint8_t
slot_of(uint32_t id)
{
	for (uint8_t i = 0; i < LP_PORTS_MAX; i++)
		if (dataplane.ports.slots[i].id == id)
			return i;
	ck_abort_msg("no slot of %u", id);
	return 0;
}

static const struct lp_snapshot_port *
published(uint32_t id)
{
	return &lp_snapshot_get(&dataplane.cell)->ports[slot_of(id)];
}

START_TEST(each_of_a_pair_leads_to_the_other)
{
	begin();
	ck_assert_int_eq(apply(1), 0);
	ck_assert(published(LEFT)->is_inline && published(RIGHT)->is_inline);
	ck_assert_uint_eq(published(LEFT)->peer, slot_of(RIGHT));
	ck_assert_uint_eq(published(RIGHT)->peer, slot_of(LEFT));
	ck_assert(!published(FRONT)->is_inline);
	ck_assert_uint_eq(published(FRONT)->peer, LP_PORT_NONE);
	/* Another device on the one side, under another name. */
	lp_config_remove(&config, LP_OBJECT_PORT, RIGHT);
	put_half(RIGHT + 10, "new", "left", "m-new");
	put_half(LEFT, "left", "new", "m-left");
	ck_assert_int_eq(apply(2), 0);
	ck_assert_uint_eq(published(LEFT)->peer, slot_of(RIGHT + 10));
	ck_assert_uint_eq(published(RIGHT + 10)->peer, slot_of(LEFT));
	end();
}
END_TEST

START_TEST(what_fits_one_of_a_pair_must_fit_the_other)
{
	begin();
	put_half(RIGHT, "right", "left", "m-right,mtu=1400");
	ck_assert_int_eq(apply(1), -EINVAL);
	ck_assert_str_eq(refusal.field, "device");
	ck_assert_ptr_nonnull(strstr(refusal.why, "an MTU of 1500"));
	ck_assert_ptr_nonnull(strstr(refusal.why, "of its peer has 1400"));
	put_half(LEFT, "left", "right", "m-left,mtu=1400");
	ck_assert_int_eq(apply(2), 0);
	end();
}
END_TEST

START_TEST(mtus_that_part_are_told_of)
{
	struct lp_port_slot *left, *right;

	begin();
	ck_assert_int_eq(apply(1), 0);
	left = &dataplane.ports.slots[slot_of(LEFT)];
	right = &dataplane.ports.slots[slot_of(RIGHT)];
	lp_apply_watch(&dataplane);
	ck_assert_str_eq(left->why, "");
	right->port->mtu = 1400;
	lp_apply_watch(&dataplane);
	ck_assert_str_eq(left->why,
	    "MTU 1500, but 1400 on m-right of its peer: what does not fit both "
	    "is lost");
	ck_assert_ptr_nonnull(strstr(right->why, "MTU 1400, but 1500"));
	ck_assert_ptr_nonnull(published(LEFT)->port);
	right->port->mtu = 1500;
	lp_apply_watch(&dataplane);
	ck_assert_str_eq(left->why, "");
	ck_assert_str_eq(right->why, "");
	end();
}
END_TEST

START_TEST(an_open_port_stays_what_it_is)
{
	begin();
	ck_assert_int_eq(apply(1), 0);
	lp_config_remove(&config, LP_OBJECT_PORT, FRONT);
	lp_config_remove(&config, LP_OBJECT_PORT, RIGHT);
	put_half(LEFT, "left", "front", "m-left");
	put_half(RIGHT + 10, "front", "left", "m-front");
	ck_assert_int_eq(apply(2), -EINVAL);
	ck_assert_str_eq(refusal.object, "port front");
	ck_assert_str_eq(refusal.field, "peer");
	ck_assert_str_eq(refusal.why,
	    "m-front is open and cannot become an inline port, or cease to be "
	    "one: delete its port first, in a change of its own");
	ck_assert_uint_eq(published(LEFT)->peer, slot_of(RIGHT));
	/* In a change of its own. */
	lp_config_remove(&config, LP_OBJECT_PORT, LEFT);
	lp_config_remove(&config, LP_OBJECT_PORT, RIGHT + 10);
	ck_assert_int_eq(apply(3), 0);
	put_half(LEFT, "left", "front", "m-left");
	put_half(RIGHT + 10, "front", "left", "m-front");
	ck_assert_int_eq(apply(4), 0);
	ck_assert_uint_eq(published(LEFT)->peer, slot_of(RIGHT + 10));
	end();
}
END_TEST

/* It is waited for, and nobody else gets its frames. */
START_TEST(a_peer_whose_device_is_away_is_still_the_peer)
{
	struct lp_port *right;

	begin();
	ck_assert_int_eq(apply(1), 0);
	right = dataplane.ports.slots[slot_of(RIGHT)].port;
	lp_port_memory_link(right, false, false);
	lp_apply_watch(&dataplane);
	ck_assert_uint_eq(published(LEFT)->peer, slot_of(RIGHT));
	ck_assert_ptr_null(published(RIGHT)->port);
	/* It is opened again. */
	for (int i = 0; i < 100 && published(RIGHT)->port == NULL; i++)
		lp_apply_watch(&dataplane);
	ck_assert_ptr_nonnull(published(RIGHT)->port);
	ck_assert_uint_eq(published(RIGHT)->peer, slot_of(LEFT));
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    each_of_a_pair_leads_to_the_other,
	    what_fits_one_of_a_pair_must_fit_the_other,
	    mtus_that_part_are_told_of,
	    an_open_port_stays_what_it_is,
	    a_peer_whose_device_is_away_is_still_the_peer,
	    NULL,
	};

	return cold_run("apply_inline", tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sequence map against a plain model: an array with an entry for each
 * byte of the sender's, that says how many bytes the receiver gets for it.
 *
 * Each seed is another stream of edits that are added, closed, acknowledged in
 * part and melt away, near where sequence numbers wrap around or anywhere.
 * After every step the map must be the model's at every position, in both
 * directions.  LP_TEST_SEED=N runs one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/pipeline/seqmap.h"
#include "tests/support/ensure.h"
#include "tests/support/random.h"

enum {
	SEEDS = 4000,
	STEPS = 60,
	BYTES_MAX = 3000,
	EDITS_MAX = 12,
	LEN_MAX = 40,
	BELOW = 50, /* positions under the floor that are looked at */
};

struct model {
	uint64_t random;
	uint32_t sender, receiver; /* numbers of position 0 */
	uint32_t gets[BYTES_MAX]; /* bytes for that one of the sender's */
	uint32_t out[BYTES_MAX + 1]; /* where a position is: sums of gets */
	uint32_t size; /* the sender has sent so many */
	uint32_t open_at; /* what is held begins there; BYTES_MAX: nothing */
	uint32_t floor; /* acknowledged */
	uint32_t below; /* what the receiver has got up to the floor */

	struct lp_seqmap map;
	struct lp_edit edits[EDITS_MAX];
	bool used[EDITS_MAX];
};

/* What has happened in all seeds. */
struct sums {
	unsigned added, inserted, melted, opened, vanished, grown, wrapped;
};

static uint32_t
between(struct model *model, uint32_t low, uint32_t high)
{
	return random_between(&model->random, low, high);
}

static void
sum_up(struct model *model)
{
	model->out[0] = 0;
	for (uint32_t i = 0; i < model->size; i++)
		model->out[i + 1] = model->out[i] + model->gets[i];
}

/* Bytes that are what they were. */
static void
send_plain(struct model *model, uint32_t len)
{
	for (uint32_t i = 0; i < len && model->size < BYTES_MAX; i++)
		model->gets[model->size++] = 1;
}

static uint32_t
free_edit(const struct model *model)
{
	uint32_t i = 0;

	while (i < EDITS_MAX && model->used[i])
		i++;
	return i;
}

/* The bytes from `start` on get `new_len`: all belong to the last one. */
static void
resize(struct model *model, uint32_t start, uint32_t new_len)
{
	for (uint32_t i = start; i < model->size; i++)
		model->gets[i] = i + 1 == model->size ? new_len : 0;
}

static uint32_t
draw_new_len(struct model *model, uint32_t old_len)
{
	switch (between(model, 0, 4)) {
	case 0:
		return 0;
	case 1:
		return 1;
	case 2:
		return between(model, 0, old_len);
	case 3:
		return old_len;
	default:
		return old_len + between(model, 0, 5 * LEN_MAX);
	}
}

static void
count_kind(const struct lp_edit *edit, struct sums *sums)
{
	sums->vanished += edit->new_len == 0;
	sums->grown += edit->new_len > edit->old_len;
	sums->wrapped += lp_edit_end(edit) < edit->start;
}

static void
close_open(struct model *model, struct sums *sums)
{
	struct lp_edit *edit = &model->edits[model->map.last - 1];

	edit->kind = LP_EDIT_RESIZE;
	edit->new_len = draw_new_len(model, edit->old_len);
	resize(model, model->open_at, edit->new_len);
	model->open_at = BYTES_MAX;
	count_kind(edit, sums);
}

static void
hold_more(struct model *model)
{
	struct lp_edit *edit = &model->edits[model->map.last - 1];
	uint32_t len = between(model, 1, LEN_MAX);

	if (model->size + len > BYTES_MAX)
		return;
	send_plain(model, len);
	edit->old_len += len;
	resize(model, model->open_at, 0);
}

static void
add(struct model *model, struct sums *sums)
{
	static const uint8_t kinds[] = {
	    LP_EDIT_OPEN, LP_EDIT_RESIZE, LP_EDIT_RESIZE, LP_EDIT_OVER};
	uint32_t index = free_edit(model);
	uint32_t len = between(model, 1, LEN_MAX);
	uint32_t start = model->size;
	struct lp_edit *edit = &model->edits[index];

	if (index == EDITS_MAX || model->size + len > BYTES_MAX)
		return;
	memset(edit, 0xee, sizeof(*edit));
	edit->kind = kinds[between(model, 0, 3)];
	edit->start = model->sender + start;
	edit->old_len = edit->new_len = len;
	send_plain(model, len);
	if (edit->kind == LP_EDIT_OPEN) {
		edit->new_len = 0;
		model->open_at = start;
		sums->opened++;
	} else if (edit->kind == LP_EDIT_RESIZE) {
		edit->new_len = draw_new_len(model, len);
	}
	if (edit->kind != LP_EDIT_OVER)
		resize(model, start, edit->new_len);
	if (edit->kind == LP_EDIT_RESIZE)
		count_kind(edit, sums);
	lp_seqmap_insert(&model->map, model->edits, model->map.last, index);
	model->used[index] = true;
	sums->added++;
}

/* Ends of edits are known to the model only as numbers of the map. */
static uint32_t
place_of(const struct model *model, uint32_t number)
{
	return number - model->sender;
}

/* No edit lies between these positions. */
static bool
is_bare(const struct model *model, uint32_t start, uint32_t end)
{
	for (uint32_t i = 0; i < EDITS_MAX; i++) {
		uint32_t at = place_of(model, model->edits[i].start);

		if (model->used[i] && at < end &&
		    (at + model->edits[i].old_len > start || at >= start))
			return false;
	}
	return true;
}

/* Bytes that stay as they are become an edit, perhaps in front of others. */
static void
insert(struct model *model, struct sums *sums)
{
	uint32_t index = free_edit(model);
	uint32_t len = between(model, 1, LEN_MAX);
	uint32_t start = between(model, model->floor, model->size);
	struct lp_edit *edit = &model->edits[index];
	uint32_t before = 0, next;

	if (index == EDITS_MAX || start + len > model->size ||
	    !is_bare(model, start, start + len))
		return;
	while ((next = before != 0 ? model->edits[before - 1].next
				   : model->map.first) != 0 &&
	    place_of(model, model->edits[next - 1].start) < start)
		before = next;
	memset(edit, 0xee, sizeof(*edit));
	edit->kind = LP_EDIT_KEEP;
	edit->start = model->sender + start;
	edit->old_len = edit->new_len = len;
	lp_seqmap_insert(&model->map, model->edits, before, index);
	model->used[index] = true;
	sums->added++;
	sums->inserted += next != 0;
}

/* The largest position of the sender's that is not behind that one. */
static uint32_t
largest(const struct model *model, uint32_t received)
{
	uint32_t at = model->size;

	while (at > 0 && model->out[at] > received)
		at--;
	return at;
}

/* The receiver acknowledges something, which may be nothing new. */
static void
acknowledge(struct model *model, struct sums *sums)
{
	uint32_t least = model->out[model->floor];
	uint32_t to = between(model, least, model->out[model->size]);
	uint32_t link, count = model->map.count;
	uint32_t floor;

	if (random_percent(&model->random, 30))
		to = model->out[model->size];
	while ((link = lp_seqmap_melt(
		    &model->map, model->edits, model->receiver + to)) != 0) {
		const struct lp_edit *edit = &model->edits[link - 1];

		ensure(model->used[link - 1], "one that is not there melted");
		ensure(model->out[place_of(model, lp_edit_end(edit))] <= to,
		    "one that is not acknowledged melted");
		model->used[link - 1] = false;
		sums->melted++;
		count--;
	}
	ensure(model->map.count == count, "the count is wrong");
	floor = place_of(model, model->map.floor);
	ensure(floor >= model->floor && floor <= model->size,
	    "the floor moved back, or beyond what was sent");
	ensure(model->out[floor] <= to, "a floor that is not acknowledged");
	for (uint32_t i = 0; i < EDITS_MAX; i++)
		ensure(!model->used[i] ||
			floor <= place_of(model, model->edits[i].start),
		    "a floor in an edit that lives");
	/* All that is acknowledged, but for what lies in an edit. */
	link = model->map.first;
	ensure(link != 0 ? model->edits[link - 1].start == model->map.floor ||
		    model->out[floor] == to
			 : model->out[floor] == to,
	    "a floor that lags");
	model->floor = floor;
}

static void
check_out(const struct model *model)
{
	uint32_t before = model->receiver + model->out[model->floor] - BELOW;

	/* Below the floor it goes on as it is there, and so is monotone. */
	for (uint32_t i = 0; i < BELOW; i++) {
		uint32_t at = model->sender + model->floor - BELOW + i;

		ensure(
		    lp_seqmap_out(&model->map, model->edits, at) == before + i,
		    "%u below the floor", BELOW - i);
	}
	for (uint32_t at = model->floor; at <= model->size; at++)
		ensure(
		    lp_seqmap_out(&model->map, model->edits,
			model->sender + at) == model->receiver + model->out[at],
		    "position %u of %u", at, model->size);
	/* What is not sent yet has its place, too; behind what is held, none */
	for (uint32_t more = 1; more < BELOW; more++)
		ensure(lp_seqmap_out(&model->map, model->edits,
			   model->sender + model->size + more) ==
			model->receiver + model->out[model->size] +
			    (model->open_at == BYTES_MAX ? more : 0),
		    "%u ahead", more);
}

static void
check_back(const struct model *model)
{
	uint32_t limit = model->sender + model->size;
	uint32_t end = model->out[model->size];

	for (uint32_t i = 1; i < BELOW; i++)
		ensure(lp_seqmap_back(&model->map, model->edits,
			   model->receiver + model->out[model->floor] - i,
			   limit) == model->sender + model->floor - i,
		    "back to %u below the floor", i);
	for (uint32_t at = model->out[model->floor]; at <= end + BELOW; at++)
		ensure(lp_seqmap_back(&model->map, model->edits,
			   model->receiver + at,
			   limit) == model->sender + largest(model, at),
		    "back from %u of %u", at, end);
}

/* By hand, from the edits themselves. */
static uint32_t
first_behind(const struct model *model, uint32_t at)
{
	uint32_t found = 0, best = UINT32_MAX;

	for (uint32_t i = 0; i < EDITS_MAX; i++) {
		const struct lp_edit *edit = &model->edits[i];
		uint32_t start = place_of(model, edit->start);

		if (model->used[i] && start < best &&
		    (edit->kind == LP_EDIT_OPEN ||
			start + edit->old_len > at)) {
			best = start;
			found = i + 1;
		}
	}
	return found;
}

static void
check_find(const struct model *model)
{
	for (uint32_t at = model->floor; at <= model->size; at++)
		ensure(lp_seqmap_find(&model->map, model->edits,
			   model->sender + at) == first_behind(model, at),
		    "the edit behind %u", at);
}

static void
step(struct model *model, struct sums *sums)
{
	bool open = model->open_at != BYTES_MAX;

	switch (between(model, 0, 4)) {
	case 0:
		if (!open)
			send_plain(model, between(model, 0, LEN_MAX));
		break;
	case 1:
		if (!open)
			add(model, sums);
		else if (random_percent(&model->random, 50))
			hold_more(model);
		else
			close_open(model, sums);
		break;
	case 2:
		acknowledge(model, sums);
		break;
	case 3:
		insert(model, sums);
		break;
	default:
		if (!open)
			add(model, sums);
	}
	sum_up(model);
}

static void
open_model(struct model *model, uint64_t seed)
{
	memset(model, 0, sizeof(*model));
	model->random = seed;
	model->sender = random_percent(&model->random, 50)
	    ? 0u - between(model, 0, BYTES_MAX)
	    : (uint32_t)random_next(&model->random);
	model->receiver = random_percent(&model->random, 50)
	    ? 0u - between(model, 0, BYTES_MAX)
	    : (uint32_t)random_next(&model->random);
	model->open_at = BYTES_MAX;
	model->map.floor = model->sender;
	model->map.delta = model->receiver - model->sender;
}

static void
run(uint64_t seed, struct sums *sums)
{
	static struct model model;

	ensure_at("LP_TEST_SEED=%lu", seed);
	open_model(&model, seed);
	for (unsigned i = 0; i < STEPS; i++) {
		step(&model, sums);
		check_out(&model);
		check_back(&model);
		check_find(&model);
	}
	if (model.open_at != BYTES_MAX)
		close_open(&model, sums);
	sum_up(&model);
	while (lp_seqmap_melt(&model.map, model.edits,
		   model.receiver + model.out[model.size]) != 0)
		sums->melted++;
	ensure(model.map.count == 0 && model.map.first == 0 &&
		model.map.last == 0 &&
		model.map.floor == model.sender + model.size &&
		model.map.floor + model.map.delta ==
		    model.receiver + model.out[model.size],
	    "what is acknowledged whole leaves something behind");
}

int
main(void)
{
	struct sums sums = {0};
	unsigned seeds = random_seeds(SEEDS);
	uint64_t seed;

	if (random_seed_given(&seed)) {
		run(seed, &sums);
		return EXIT_SUCCESS;
	}
	for (seed = 1; seed <= seeds; seed++)
		run(seed, &sums);
	printf("%u seeds: %u edits, %u of them opened, %u in front of others, "
	       "%u melted, %u of nothing, %u that grow, %u that wrap around\n",
	    seeds, sums.added, sums.opened, sums.inserted, sums.melted,
	    sums.vanished, sums.grown, sums.wrapped);
	ensure(sums.opened > 0 && sums.inserted > 0 &&
		sums.melted == sums.added && sums.vanished > 0 &&
		sums.grown > 0 && sums.wrapped > 0,
	    "this shows nothing");
	return EXIT_SUCCESS;
}

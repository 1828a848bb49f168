/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments of both ends of a connection whose answers are edited in passing.
 *
 * An input is a byte that says what is asked, and steps of three bytes each:
 * what comes, and a number.  Ends lose, repeat and reorder what they send, and
 * strangers send what they like; but each says only one thing at a place.  Then
 * all of it is said again until both have all of it, as it should be; what must
 * hold of each frame that leaves is in spliced.h.
 */
#include <assert.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"
#include "tests/support/ensure.h"
#include "tests/support/plane.h"
#include "tests/support/spliced.h"

enum {
	HEAD = 1,
	STEP = 3,
	QUESTIONS = 9,
	STEPS_MAX = 200,
	WINDOW = 60000,
};

enum step {
	STEP_ASK,
	STEP_ASK_AGAIN,
	STEP_ASK_AHEAD,
	STEP_ANSWER,
	STEP_ANSWER_MORE,
	STEP_ANSWER_WHOLE,
	STEP_ANSWER_AGAIN,
	STEP_ANSWER_AHEAD,
	STEP_ANSWER_ANYWHERE,
	STEP_ACKNOWLEDGE,
	STEP_ACKNOWLEDGE_PART,
	STEP_ACKNOWLEDGE_WRONG,
	STEP_KEEP_ALIVE,
	STEP_BARE,
	STEP_STRANGE,
	STEP_LOSE,
	STEPS,
};

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void
write_conversation(uint8_t seed)
{
	uint64_t random = fuzz_random(seed);

	for (unsigned i = 0; i < QUESTIONS; i++) {
		uint32_t drawn = fuzz_draw(&random);

		switch (drawn % 5) {
		case 0:
			spliced_fetch(drawn / 5 % 4000);
			break;
		case 1:
			spliced_versions();
			break;
		case 2:
			spliced_metadata(drawn / 5 % 100);
			break;
		default:
			spliced_metadata(drawn / 5 % 4);
			break;
		}
	}
}

/* The client's bytes from there on. */
static void
ask(uint32_t at, uint32_t len)
{
	if (at >= spliced.asked_len)
		return;
	len = least(len, spliced.asked_len - at);
	spliced_queue(LP_TO_BROKER, at, spliced.acked, "PA", WINDOW,
	    spliced.asked + at, len);
	if (at + len > spliced.asked_sent && at <= spliced.asked_sent)
		spliced.asked_sent = at + len;
}

/* The broker's, of what it may say. */
static void
answer(uint32_t at, uint32_t len)
{
	uint32_t end = spliced_answered();

	if (at < end)
		spliced_answer(at, least(len, end - at));
}

static uint32_t
before(uint32_t at, uint32_t back)
{
	return back < at ? at - back : 0;
}

/* An acknowledgement with a number that is not the client's. */
static void
acknowledge_wrongly(uint16_t number)
{
	uint32_t at = number & 1 ? spliced.end + 1 + number
				 : before(spliced.acked, number);

	if (number & 2)
		at += (uint32_t)number << 16;
	/* What was sent may be acknowledged, received or not. */
	if (at <= spliced.end)
		at = least(at, spliced.acked);
	spliced_queue(LP_TO_BROKER, spliced.asked_sent, at,
	    number & 4 ? "PA" : "A", number, spliced.asked + spliced.asked_sent,
	    number & 4 && spliced.asked_sent < spliced.asked_len ? 1 : 0);
	spliced_run();
}

/* In the place of the last byte; with one, or without. */
static void
keep_alive(uint16_t number)
{
	bool byte = number & 1;

	if (number & 2)
		spliced_queue(LP_TO_CLIENT, spliced.broker_acked - 1,
		    spliced.asked_got, "A", number, "", byte);
	else
		spliced_queue(LP_TO_BROKER, spliced.asked_got - 1,
		    spliced.acked, "A", WINDOW, "", byte);
	spliced_run();
}

/* Who knows the ports alone: far out of the window, or not exact. */
static void
be_strange(uint16_t number)
{
	static const char *const flags[] = {"A", "PA", "FA", "R", "FPA", "RA"};
	uint32_t seq = ((uint32_t)number << 12) + (1u << 24);

	spliced_queue(LP_TO_CLIENT, seq, spliced.asked_got, flags[number % 6],
	    number, "secret-9", number % 6 < 2 ? 8 : number % 3);
	spliced_queue(LP_TO_BROKER, seq, seq, flags[number % 6], number,
	    "anything", number % 6 < 2 ? 8 : number % 3);
	spliced.fin = false;
	spliced_run();
	spliced.reset = false;
}

static void
take_step(enum step step, uint16_t number)
{
	uint32_t len = number % SPLICED_MSS + 1;

	switch (step) {
	case STEP_ASK:
		ask(spliced.asked_sent, len);
		break;
	case STEP_ASK_AGAIN:
		ask(before(spliced.asked_sent, number % 300), len);
		break;
	case STEP_ASK_AHEAD:
		ask(spliced.asked_sent + number % 200, len % 100);
		break;
	case STEP_ANSWER:
	case STEP_ANSWER_MORE:
		answer(spliced.sent, len);
		break;
	case STEP_ANSWER_WHOLE:
		answer(spliced.sent, SPLICED_MSS);
		break;
	case STEP_ANSWER_AGAIN:
		answer(spliced.broker_acked, len);
		break;
	case STEP_ANSWER_AHEAD:
		answer(spliced.sent + number % 3000, len);
		break;
	case STEP_ANSWER_ANYWHERE:
		answer(before(spliced.sent, number % 8000), len);
		break;
	case STEP_ACKNOWLEDGE:
		spliced_acknowledge_at(spliced.got, number);
		break;
	case STEP_ACKNOWLEDGE_PART:
		spliced_acknowledge_at(
		    spliced.acked + number % (spliced.got - spliced.acked + 1),
		    number);
		break;
	case STEP_ACKNOWLEDGE_WRONG:
		acknowledge_wrongly(number);
		break;
	case STEP_KEEP_ALIVE:
		keep_alive(number);
		break;
	case STEP_BARE:
		spliced_queue(LP_TO_CLIENT, spliced.sent, spliced.asked_got,
		    "A", number, NULL, 0);
		break;
	case STEP_STRANGE:
		be_strange(number);
		break;
	case STEP_LOSE:
		spliced.lost = number % 4 == 0;
		break;
	case STEPS:
		break;
	}
	spliced_run();
}

/* What is not there yet is asked for again, and answered again. */
static void
finish(void)
{
	spliced.lost = 0;
	for (unsigned i = 0; spliced.asked_got < spliced.asked_len; i++) {
		ensure(i < 4 * QUESTIONS, "the broker has %u of %u",
		    spliced.asked_got, spliced.asked_len);
		spliced.asked_sent = spliced.asked_got;
		spliced_ask();
	}
	spliced_finish();
	ensure(KAFKA_COUNTER(rewrite_unreadable) == 0 &&
		KAFKA_COUNTER(streams_lost) == 0,
	    "it was not followed");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool open;

	if (size < HEAD)
		return 0;
	if (!open) {
		spliced_open();
		open = true;
	} else {
		plane_reset();
		spliced_connect();
	}
	write_conversation(data[0]);
	data += HEAD;
	size -= HEAD;
	for (unsigned i = 0; size >= STEP && i < STEPS_MAX; i++) {
		take_step(data[0] % STEPS, (uint16_t)(data[1] << 8 | data[2]));
		data += STEP;
		size -= STEP;
	}
	finish();
	spliced_reset();
	return 0;
}

static const struct {
	uint8_t conversation;
	const char *steps; /* one a letter, from 'a' on */
} seeds[] = {
    {0, "aaaaaadefjdefjdefj"},
    {1, "aaaafhfffjjgfkkgjffj"},
    {2, "abacadeffhhfgjklmnojklmno"},
    {3, "aaaaaaffhhhffpffpgggkjjggj"},
    {4, "aaffffkkkkggggmmmmoooollll"},
};

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	uint64_t random = fuzz_random(index);
	size_t size = HEAD;

	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	data[0] = seeds[index].conversation;
	for (const char *at = seeds[index].steps; *at != '\0'; at++) {
		assert(size + STEP <= max);
		data[size++] = (uint8_t)(*at - 'a');
		data[size++] = (uint8_t)fuzz_draw(&random);
		data[size++] = (uint8_t)fuzz_draw(&random);
	}
	return size;
}

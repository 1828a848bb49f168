/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is begun by the first thing there is to say of its frame in this
 * segment; that of a frame that began in an earlier one says so.  Bytes of the
 * wire are shown as they are if they are ASCII text, else as "?".  A note that
 * is full ends with "…", and nothing more is computed for it.
 */
#include "dataplane/kafka/note.h"

#include <string.h>

#include "dataplane/kafka/account.h"
#include "dataplane/kafka/frame.h"
#include "dataplane/kafka/inflight.h"
#include "dataplane/kafka/names.h"
#include "dataplane/kafka/request.h"
#include "dataplane/pipeline/capture.h"
#include "dataplane/pipeline/wire.h"

enum {
	/* Of one name: the others want to be seen, too. */
	NAME_MAX = 96,
	/* A secret that is farther behind than any window is forgotten. */
	FAR = 1 << 30,
};

static const char ellipsis[] = "…";

static void hide(const struct lp_kafka_at *, uint32_t, uint32_t);
static bool is_secret(const struct lp_kafka_at *, enum lp_direction);
static void line(const struct lp_kafka_at *, enum lp_direction, bool);
static void latency(const struct lp_kafka_at *, const struct lp_inflight *);
static void topic(const struct lp_kafka_at *, enum lp_direction,
    const struct lp_message *, const struct lp_fact *);
static void error(const struct lp_kafka_at *, enum lp_direction, int64_t);
static void acks(const struct lp_kafka_at *, int64_t);
static void list(const struct lp_kafka_at *, enum lp_note_list, const char *);
static void put(const struct lp_kafka_at *, const char *, size_t);
static void word(const struct lp_kafka_at *, const char *);
static void number(const struct lp_kafka_at *, int64_t);
static void name(const struct lp_kafka_at *, const uint8_t *, size_t);

void
lp_note_begin(const struct lp_kafka_at *at, const struct lp_batch *batch,
    const struct lp_pkt *pkt, const struct lp_tcp_segment *segment)
{
	struct lp_note *note = &at->kafka->note;
	struct lp_kafka_conn *conn = at->conn;
	const struct lp_stream *stream = &conn->sides[pkt->dir].stream;

	*note = (struct lp_note){.to = lp_capture_note(batch, pkt),
	    .seq = segment->seq,
	    .len = pkt->payload_len};
	if (note->to == NULL || segment->len == 0)
		return;
	lp_capture_show(note->to);
	if ((segment->flags & (LP_TCP_SYN | LP_TCP_RST)) ||
	    conn->mode != LP_KAFKA_LIVE || stream->state != LP_STREAM_LIVE ||
	    lp_stream_len(stream, segment->seq, segment->len) < segment->len) {
		lp_note_unread(at);
		return;
	}
	if (!(conn->secrets & 1u << pkt->dir))
		return;
	if ((int32_t)(stream->need - conn->secret_end[pkt->dir]) > FAR)
		conn->secrets &= (uint8_t) ~(1u << pkt->dir);
	else
		hide(at, segment->seq, conn->secret_end[pkt->dir]);
}

void
lp_note_end(const struct lp_kafka_at *at, enum lp_direction dir)
{
	struct lp_note *note = &at->kafka->note;
	const struct lp_kafka_side *side = &at->conn->sides[dir];

	if (note->len == 0)
		return;
	if (at->conn->mode == LP_KAFKA_LOST) {
		lp_note_unread(at);
		word(at, note->to->len == 0 ? "" : "; ");
		word(at, "frames cannot be told apart");
	}
	/* Whose head has not come whole: nobody knows yet what it is. */
	if (at->conn->mode == LP_KAFKA_LIVE && side->place == LP_AT_HEAD &&
	    side->head_len > 0 && lp_note_doubtful(at->conn))
		hide(at, side->stream.need - side->head_len, side->stream.need);
	if (note->whole) {
		word(at, note->to->len == 0 ? "" : "; ");
		word(at, "payload hidden: it may be a token of SASL");
	}
}

void
lp_note_unread(const struct lp_kafka_at *at)
{
	struct lp_note *note = &at->kafka->note;

	if (!lp_note_doubtful(at->conn) || note->len == 0)
		return;
	lp_capture_hide(note->to, 0, note->len);
	note->whole = true;
}

void
lp_note_secret(
    const struct lp_kafka_at *at, enum lp_direction dir, const uint8_t *next)
{
	struct lp_kafka_conn *conn = at->conn;
	const struct lp_kafka_side *side = &conn->sides[dir];
	uint32_t size = lp_get32(side->head);
	uint32_t border = at->chunk_seq + (uint32_t)(next - at->chunk);
	uint32_t from = border - side->head_len;

	if (!is_secret(at, dir))
		return;
	/* No token is so long; and so all of them can be compared. */
	conn->secret_end[dir] =
	    from + (size < FAR ? size : FAR) + LP_FRAME_SIZE_FIELD;
	conn->secrets |= (uint8_t)(1u << dir);
	if (!lp_note_wanted(at))
		return;
	/* Without a header it begins right behind the size. */
	if (dir == LP_TO_BROKER && lp_request_is_raw_token(at))
		border = from + LP_FRAME_SIZE_FIELD;
	hide(at, border, conn->secret_end[dir]);
}

void
lp_note_frame(const struct lp_kafka_at *at, enum lp_direction dir)
{
	at->kafka->note.begun = false;
	line(at, dir, false);
}

void
lp_note_fact(const struct lp_kafka_at *at, enum lp_direction dir,
    const struct lp_message *message, const struct lp_fact *fact)
{
	if (at->kafka->note.full)
		return;
	switch (fact->kind) {
	case LP_FACT_CLIENT_ID:
		line(at, dir, true);
		word(at, fact->null ? " no client id" : " client ");
		if (!fact->null)
			name(at, fact->bytes, fact->len);
		break;
	case LP_FACT_ACKS:
		line(at, dir, true);
		acks(at, fact->value);
		break;
	case LP_FACT_GROUP_ID:
		line(at, dir, true);
		word(at, " group ");
		name(at, fact->bytes, fact->len);
		break;
	case LP_FACT_SASL_MECHANISM:
		list(at, LP_NOTE_MECHANISMS, " mechanism ");
		name(at, fact->bytes, fact->len);
		break;
	case LP_FACT_THROTTLE_TIME:
		line(at, dir, true);
		word(at, " throttle ");
		number(at, fact->value);
		word(at, " ms");
		break;
	case LP_FACT_TOPIC_BEGIN:
	case LP_FACT_TOPIC_NAME:
	case LP_FACT_TOPIC_ID:
	case LP_FACT_TOPIC_END:
		topic(at, dir, message, fact);
		break;
	case LP_FACT_ERROR_CODE:
		error(at, dir, fact->value);
		break;
	default:
		return;
	}
}

void
lp_note_frame_end(const struct lp_kafka_at *at, enum lp_direction dir,
    const struct lp_message *message)
{
	if (message == NULL)
		return;
	if (message->bad && !message->foreign) {
		line(at, dir, true);
		word(at, " malformed");
	}
	if (message->record_bytes == 0)
		return;
	line(at, dir, true);
	word(at, " records ");
	number(at, (int64_t)message->record_bytes);
}

/* Those bytes of the stream, as far as they are in the segment at hand. */
static void
hide(const struct lp_kafka_at *at, uint32_t from, uint32_t end)
{
	const struct lp_note *note = &at->kafka->note;
	int32_t first = (int32_t)(from - note->seq);
	int32_t last = (int32_t)(end - note->seq);

	if (first < 0)
		first = 0;
	if (last > note->len)
		last = note->len;
	if (first < last)
		lp_capture_hide(
		    note->to, (uint16_t)first, (uint16_t)(last - first));
}

/* The frame whose head is complete. */
static bool
is_secret(const struct lp_kafka_at *at, enum lp_direction dir)
{
	const struct lp_inflight *oldest;

	if (dir == LP_TO_BROKER)
		return lp_request_is_raw_token(at) ||
		    lp_get16(at->conn->sides[dir].head + LP_REQUEST_KEY) ==
		    LP_KEY_SASL_AUTHENTICATE;
	oldest = lp_inflight_oldest(at);
	return oldest != NULL &&
	    (oldest->key == LP_INFLIGHT_RAW ||
		oldest->key == LP_KEY_SASL_AUTHENTICATE);
}

/* "request Produce v9 correlation 7", if it does not stand there yet. */
static void
line(const struct lp_kafka_at *at, enum lp_direction dir, bool continued)
{
	struct lp_note *note = &at->kafka->note;
	const uint8_t *head = at->conn->sides[dir].head;
	const struct lp_inflight *oldest = NULL;
	int16_t key = (int16_t)lp_get16(head + LP_REQUEST_KEY);
	int16_t version = (int16_t)lp_get16(head + LP_REQUEST_VERSION);
	const char *api;

	if (note->begun)
		return;
	note->begun = true;
	note->list = LP_NOTE_NO_LIST;
	note->error = 0;
	if (note->to->len > 0)
		word(at, "; ");
	if (dir == LP_TO_CLIENT) {
		oldest = lp_inflight_oldest(at);
		key = oldest->key;
		version = oldest->version;
	} else if (lp_request_is_raw_token(at)) {
		key = LP_INFLIGHT_RAW;
	}
	word(at, dir == LP_TO_BROKER ? "request " : "response ");
	if (key == LP_INFLIGHT_RAW) {
		word(at, "token of SASL without a header");
		return;
	}
	api = lp_kafka_api_name(key);
	word(at, api != NULL ? api : "of key ");
	if (api == NULL)
		number(at, key);
	word(at, " v");
	number(at, version);
	word(at, " correlation ");
	number(at,
	    oldest != NULL ? oldest->correlation_id
			   : (int32_t)lp_get32(head + LP_REQUEST_CORRELATION));
	if (continued)
		word(at, " goes on:");
	else if (oldest != NULL)
		latency(at, oldest);
}

/* From the last byte of the request to the first of the response. */
static void
latency(const struct lp_kafka_at *at, const struct lp_inflight *entry)
{
	uint64_t us = entry->answered_ns > entry->sent_ns
	    ? (entry->answered_ns - entry->sent_ns) / 1000
	    : 0;
	const char fraction[] = {'.', (char)('0' + us / 100 % 10),
	    (char)('0' + us / 10 % 10), (char)('0' + us % 10)};

	word(at, " latency ");
	number(at, (int64_t)(us / 1000));
	put(at, fraction, sizeof(fraction));
	word(at, " ms");
}

/*
 * As soon as its name is known: what follows may come in many segments.  An id
 * whose name nobody has told is "?".
 */
static void
topic(const struct lp_kafka_at *at, enum lp_direction dir,
    const struct lp_message *message, const struct lp_fact *fact)
{
	struct lp_note *note = &at->kafka->note;
	const uint8_t *text = (const uint8_t *)message->topic_name;
	uint16_t len = message->topic_name_len;

	if (fact->kind == LP_FACT_TOPIC_BEGIN)
		note->topic_told = false;
	if (fact->kind == LP_FACT_TOPIC_BEGIN || note->topic_told)
		return;
	if (len == 0 &&
	    (!message->topic_has_id ||
		!lp_topic_ids_peek(&at->kafka->telemetry.topic_ids,
		    at->tcp->cluster_id, message->topic_id, &text, &len))) {
		if (fact->kind != LP_FACT_TOPIC_END)
			return;
		text = (const uint8_t *)"?";
		len = 1;
	}
	note->topic_told = true;
	line(at, dir, true);
	list(at, LP_NOTE_TOPICS, " topics ");
	name(at, text, len);
}

/* Each once, if they come in a row. */
static void
error(const struct lp_kafka_at *at, enum lp_direction dir, int64_t code)
{
	struct lp_note *note = &at->kafka->note;
	const char *text = lp_kafka_error_name((int16_t)code);

	if (code == 0)
		return;
	line(at, dir, true);
	if (note->error == code)
		return;
	note->error = (int16_t)code;
	list(at, LP_NOTE_ERRORS, " errors ");
	if (text != NULL)
		word(at, text);
	else
		number(at, code);
}

static void
acks(const struct lp_kafka_at *at, int64_t value)
{
	word(at, " acks ");
	if (value == -1)
		word(at, "all");
	else
		number(at, value);
}

/* Its title, or a comma behind the one before. */
static void
list(const struct lp_kafka_at *at, enum lp_note_list which, const char *title)
{
	struct lp_note *note = &at->kafka->note;

	word(at, note->list == which ? "," : title);
	note->list = (uint8_t)which;
}

/* All of it, or the note ends here. */
static void
put(const struct lp_kafka_at *at, const char *text, size_t len)
{
	struct lp_note *note = &at->kafka->note;
	size_t room =
	    LP_CAPTURE_NOTE_SIZE - (sizeof(ellipsis) - 1) - note->to->len;

	if (note->full)
		return;
	if (len > room) {
		text = ellipsis;
		len = sizeof(ellipsis) - 1;
		note->full = true;
	}
	lp_capture_text(note->to, text, len);
}

static void
word(const struct lp_kafka_at *at, const char *text)
{
	put(at, text, strlen(text));
}

static void
number(const struct lp_kafka_at *at, int64_t value)
{
	struct lp_capture_note digits;

	digits.len = 0;
	lp_capture_number(&digits, value);
	put(at, digits.text, digits.len);
}

static void
name(const struct lp_kafka_at *at, const uint8_t *bytes, size_t len)
{
	char text[NAME_MAX] = {0};
	size_t show = len < sizeof(text) ? len : sizeof(text);

	for (size_t i = 0; i < show; i++)
		text[i] =
		    bytes[i] >= ' ' && bytes[i] <= '~' ? (char)bytes[i] : '?';
	put(at, text, show);
	if (show < len)
		word(at, ellipsis);
}

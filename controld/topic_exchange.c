/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	connecting ▸ asked versions ▸ asked topics ▸ ended
 *
 * Whatever happens leads to end(), at most once, from the event loop.  What
 * comes is read at once, so no more than one read of it is ever kept; of the
 * answer only ids and names are.
 */
#include "controld/topic_exchange.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controld/clock.h"
#include "controld/stream.h"
#include "proto/tcp.h"

enum { READ_MAX = 256 << 10, FIRST_SIZE = 64 };

enum state { CONNECTING, VERSIONS, TOPICS, ENDED };

struct lp_topic_exchange {
	struct lp_topic_exchange_options options;
	struct bufferevent *bev;
	struct event *deadline;
	enum state state;
	int32_t correlation_id;
	struct lp_topic_wire wire;
	struct lp_topic_id_pair *pairs;
	size_t count, size;
	bool no_memory;
};

static int start(struct lp_topic_exchange *exchange);
static void on_event(struct bufferevent *bev, short what, void *arg);
static void on_read(struct bufferevent *bev, void *arg);
static void on_deadline(evutil_socket_t fd, short what, void *arg);
static void on_topic(void *arg, const struct lp_topic_id_pair *pair);
static void closed(struct lp_topic_exchange *exchange, const char *how);
static void ask_versions(struct lp_topic_exchange *exchange);
static void answered(struct lp_topic_exchange *exchange);
static void ask_topics(struct lp_topic_exchange *exchange);
static void refuse(
    struct lp_topic_exchange *exchange, enum lp_topic_wire_result result);
static void end(struct lp_topic_exchange *exchange,
    enum lp_topic_exchange_result result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int
lp_topic_exchange_new(struct lp_topic_exchange **out,
    const struct lp_topic_exchange_options *options)
{
	struct lp_topic_exchange *exchange = calloc(1, sizeof(*exchange));
	int err;

	if (exchange == NULL)
		return -ENOMEM;
	exchange->options = *options;
	exchange->correlation_id =
	    (int32_t)(arc4random_uniform(INT32_MAX - 1) + 1);
	err = start(exchange);
	if (err != 0) {
		lp_topic_exchange_free(exchange);
		return err;
	}
	*out = exchange;
	return 0;
}

void
lp_topic_exchange_free(struct lp_topic_exchange *exchange)
{
	if (exchange == NULL)
		return;
	if (exchange->bev != NULL)
		bufferevent_free(exchange->bev);
	if (exchange->deadline != NULL)
		event_free(exchange->deadline);
	free(exchange->pairs);
	free(exchange);
}

static int
start(struct lp_topic_exchange *exchange)
{
	const struct lp_topic_exchange_options *options = &exchange->options;
	const struct timeval time = lp_clock_timeval(options->time_ms);
	struct sockaddr_storage address;
	socklen_t len = lp_tcp_address(&address, &options->broker);

	exchange->deadline = evtimer_new(options->base, on_deadline, exchange);
	/* Deferred: a connection that fails at once must not call back. */
	exchange->bev = bufferevent_socket_new(
	    options->base, -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (exchange->deadline == NULL || exchange->bev == NULL ||
	    evtimer_add(exchange->deadline, &time) != 0)
		return -ENOMEM;
	bufferevent_setcb(exchange->bev, on_read, NULL, on_event, exchange);
	bufferevent_setwatermark(exchange->bev, EV_READ, 0, READ_MAX);
	bufferevent_enable(exchange->bev, EV_READ | EV_WRITE);
	/* A socket that cannot be had says so like one that is refused. */
	if (bufferevent_socket_connect(
		exchange->bev, (struct sockaddr *)&address, (int)len) != 0)
		event_active(exchange->deadline, EV_TIMEOUT, 0);
	return 0;
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct lp_topic_exchange *exchange = arg;

	(void)bev;
	if (exchange->state == ENDED)
		return;
	if (what & BEV_EVENT_CONNECTED)
		ask_versions(exchange);
	else if (what & BEV_EVENT_EOF)
		closed(exchange, "it closed the connection");
	else if (what & BEV_EVENT_ERROR)
		closed(exchange, strerror(EVUTIL_SOCKET_ERROR()));
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct lp_topic_exchange *exchange = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	enum lp_topic_wire_result result = LP_TOPIC_WIRE_MORE;
	struct evbuffer_iovec piece;

	if (exchange->state != VERSIONS && exchange->state != TOPICS)
		return;
	while (result == LP_TOPIC_WIRE_MORE &&
	    evbuffer_peek(input, -1, NULL, &piece, 1) > 0) {
		result = lp_topic_wire_read(
		    &exchange->wire, piece.iov_base, piece.iov_len);
		evbuffer_drain(input, piece.iov_len);
	}
	if (exchange->no_memory)
		end(exchange, LP_TOPIC_EXCHANGE_FAILED,
		    "no memory for its answer");
	else if (result == LP_TOPIC_WIRE_DONE)
		answered(exchange);
	else if (result != LP_TOPIC_WIRE_MORE)
		refuse(exchange, result);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct lp_topic_exchange *exchange = arg;

	(void)fd;
	(void)what;
	if (exchange->state == CONNECTING)
		end(exchange, LP_TOPIC_EXCHANGE_FAILED,
		    "no connection within %u ms", exchange->options.time_ms);
	else
		end(exchange, LP_TOPIC_EXCHANGE_FAILED,
		    "no whole answer within %u ms", exchange->options.time_ms);
}

static void
on_topic(void *arg, const struct lp_topic_id_pair *pair)
{
	struct lp_topic_exchange *exchange = arg;

	if (exchange->count == LP_TOPIC_IDS_MAX || exchange->no_memory)
		return;
	if (exchange->count == exchange->size) {
		size_t size =
		    exchange->size == 0 ? FIRST_SIZE : exchange->size * 2;
		struct lp_topic_id_pair *pairs =
		    reallocarray(exchange->pairs, size, sizeof(*pairs));

		if (pairs == NULL) {
			exchange->no_memory = true;
			return;
		}
		exchange->pairs = pairs;
		exchange->size = size;
	}
	exchange->pairs[exchange->count++] = *pair;
}

/* A broker closes what it does not understand, and says no word. */
static void
closed(struct lp_topic_exchange *exchange, const char *how)
{
	if (exchange->state == VERSIONS)
		end(exchange, LP_TOPIC_EXCHANGE_HOPELESS,
		    "%s when asked for its versions: this listener may want "
		    "TLS",
		    how);
	else if (exchange->state == TOPICS && exchange->wire.head_len == 0)
		end(exchange, LP_TOPIC_EXCHANGE_HOPELESS,
		    "%s when asked for topics: this listener may want SASL",
		    how);
	else if (exchange->state == TOPICS)
		end(exchange, LP_TOPIC_EXCHANGE_FAILED,
		    "%s in the middle of its answer", how);
	else
		end(exchange, LP_TOPIC_EXCHANGE_FAILED, "%s", how);
}

static void
ask_versions(struct lp_topic_exchange *exchange)
{
	uint8_t request[LP_TOPIC_WIRE_REQUEST_MAX];
	size_t len =
	    lp_topic_wire_ask_versions(request, exchange->correlation_id);

	exchange->state = VERSIONS;
	lp_topic_wire_versions(&exchange->wire, exchange->correlation_id);
	if (bufferevent_write(exchange->bev, request, len) != 0)
		end(exchange, LP_TOPIC_EXCHANGE_FAILED, "no memory to ask");
}

static void
answered(struct lp_topic_exchange *exchange)
{
	if (exchange->wire.error != 0)
		end(exchange, LP_TOPIC_EXCHANGE_FAILED,
		    "it answered with error %d", exchange->wire.error);
	else if (exchange->state == VERSIONS)
		ask_topics(exchange);
	else
		end(exchange, LP_TOPIC_EXCHANGE_DONE, "%s", "");
}

static void
ask_topics(struct lp_topic_exchange *exchange)
{
	int16_t version = lp_topic_wire_version(&exchange->wire);
	uint8_t request[LP_TOPIC_WIRE_REQUEST_MAX];
	size_t len;

	if (version < 0) {
		end(exchange, LP_TOPIC_EXCHANGE_HOPELESS,
		    "its Metadata has versions %d to %d, ids come with %d",
		    exchange->wire.metadata_min, exchange->wire.metadata_max,
		    LP_TOPIC_WIRE_METADATA_MIN);
		return;
	}
	exchange->state = TOPICS;
	exchange->correlation_id++;
	len = lp_topic_wire_ask_metadata(
	    request, exchange->correlation_id, version);
	lp_topic_wire_metadata(&exchange->wire, exchange->correlation_id,
	    version, exchange->options.size_max);
	exchange->wire.topic = on_topic;
	exchange->wire.arg = exchange;
	if (bufferevent_write(exchange->bev, request, len) != 0)
		end(exchange, LP_TOPIC_EXCHANGE_FAILED, "no memory to ask");
}

static void
refuse(struct lp_topic_exchange *exchange, enum lp_topic_wire_result result)
{
	if (result == LP_TOPIC_WIRE_TLS)
		end(exchange, LP_TOPIC_EXCHANGE_HOPELESS,
		    "this listener wants TLS");
	else if (result == LP_TOPIC_WIRE_LARGE)
		end(exchange, LP_TOPIC_EXCHANGE_HOPELESS,
		    "its answer is larger than %u bytes",
		    exchange->wire.size_max);
	else if (result == LP_TOPIC_WIRE_OTHER)
		end(exchange, LP_TOPIC_EXCHANGE_HOPELESS,
		    "it answered another request than was made");
	else
		end(exchange, LP_TOPIC_EXCHANGE_HOPELESS,
		    "it answered with what is no Kafka");
}

static void
end(struct lp_topic_exchange *exchange, enum lp_topic_exchange_result result,
    const char *format, ...)
{
	char why[LP_WHY_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	exchange->state = ENDED;
	bufferevent_disable(exchange->bev, EV_READ | EV_WRITE);
	evtimer_del(exchange->deadline);
	exchange->options.done(exchange->options.arg, result, why,
	    exchange->pairs, exchange->count);
}

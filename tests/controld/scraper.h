/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Prometheus endpoint between a daemon that the test plays, and clients
 * that it plays, too.
 */
#ifndef LP_TESTS_CONTROLD_SCRAPER_H
#define LP_TESTS_CONTROLD_SCRAPER_H

#include <event2/bufferevent.h>

#include "controld/export.h"
#include "world.h"

enum { CLIENTS_MAX = LP_EXPORT_CONNECTIONS_MAX + 1, ASKED_MAX = 64 };

struct client {
	struct bufferevent *bev;
	bool connected, closed;
	char *text; /* once it is closed */
};

extern struct scraper {
	struct world world; /* its loop only */
	struct lp_export *export;
	struct client clients[CLIENTS_MAX];
	/*
	 * Questions that wait for their answers; those for the status and for
	 * rules are answered, the latter with a failure if no_rules.
	 */
	Lp__Pb__ControlRequest *asked[ASKED_MAX];
	unsigned asked_count, status_count, cancelled;
	bool no_rules;
	unsigned dataplanes; /* "/run/a", "/run/b" */
} scraper;

/* Nothing is slow, nothing too large. */
extern const struct lp_export_options scraper_usual;

void scraper_start(const struct lp_export_options *wanted, unsigned dataplanes);
void scraper_stop(void);

/*
 * Answers to question `index`: an uptime of 5 s; so many clients, each in a
 * frame of its own; that there is no answer.
 */
void scraper_counters(unsigned index, bool more);
void scraper_kafka(unsigned index, unsigned rows, bool more);
void scraper_failure(unsigned index);
void scraper_answer_all(void);

/* Connects and sends; reads until it is closed. */
struct client *scraper_send(unsigned index, const char *text);
void scraper_hang_up(struct client *client);

/* Conditions for world_run(), of a client. */
bool scraper_is_closed(void *client);
bool scraper_is_connected(void *client);

/* Until there are so many connections, or at least so many questions. */
void scraper_wait_count(unsigned count);
void scraper_wait_asked(unsigned count);

/* Waits for its end: it begins with this status; the body. */
const char *scraper_response(struct client *client, const char *status);
/* The same of a page that can be read. */
const char *scraper_page(struct client *client);
/* The series has exactly this value. */
void scraper_value(const char *page, const char *series, const char *value);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

/* A transaction as it grows. */
struct draft {
	struct model *model;
	uint64_t *random;
	FILE *out;
	bool right; /* no command so far is to be refused */
};

static void
say_cluster(struct draft *draft, unsigned c)
{
	bool *there = &draft->model->clusters[c];

	if (random_percent(draft->random, 60)) {
		fprintf(draft->out, "add cluster c%u", c);
		draft->right &= !*there;
		*there = true;
		return;
	}
	fprintf(draft->out, "del cluster c%u", c);
	draft->right &= *there && draft->model->listeners[c] == 0;
	for (unsigned b = 0; b < MODEL_BROKERS; b++)
		draft->right &= draft->model->brokers[c][b] == 0;
	*there = false;
}

static void
say_broker(struct draft *draft, unsigned c)
{
	unsigned b = random_between(draft->random, 0, MODEL_BROKERS - 1);
	uint8_t *broker = &draft->model->brokers[c][b];
	/* All of a transaction's are different. */
	unsigned address = random_between(draft->random, 2, 250);
	bool add = random_percent(draft->random, 60);

	draft->right &= draft->model->clusters[c];
	if (add || random_percent(draft->random, 50)) {
		fprintf(draft->out, "%s broker c%u %u to=10.9.%u.%u:9092",
		    add ? "add" : "set", c, b + 1, 10 + c * 10 + b, address);
		draft->right &= add == (*broker == 0);
		*broker = (uint8_t)address;
		return;
	}
	fprintf(draft->out, "del broker c%u %u", c, b + 1);
	draft->right &= *broker != 0;
	*broker = 0;
}

static void
say_listener(struct draft *draft, unsigned c)
{
	uint8_t *listener = &draft->model->listeners[c];
	unsigned vip = random_between(draft->random, 2, 250);
	bool add = random_percent(draft->random, 60);

	draft->right &= draft->model->clusters[c];
	if (add || random_percent(draft->random, 50)) {
		fprintf(draft->out, "%s listener c%u l vip=10.9.%u.%u:9092",
		    add ? "add" : "set", c, 100 + c, vip);
		draft->right &= add == (*listener == 0);
		*listener = (uint8_t)vip;
		return;
	}
	fprintf(draft->out, "del listener c%u l", c);
	draft->right &= *listener != 0;
	*listener = 0;
}

static void
say_rule(struct draft *draft)
{
	unsigned r = random_between(draft->random, 0, MODEL_RULES - 1);
	uint8_t *rule = &draft->model->rules[r];
	unsigned priority = random_between(draft->random, 1, 200);
	bool add = random_percent(draft->random, 50);

	if (add || random_percent(draft->random, 60)) {
		fprintf(draft->out, "%s rule r%u priority=%u%s",
		    add ? "add" : "set", r, priority,
		    add ? " match=api=Fetch action=observe" : "");
		draft->right &= add == (*rule == 0);
		*rule = (uint8_t)priority;
		return;
	}
	fprintf(draft->out, "del rule r%u", r);
	draft->right &= *rule != 0;
	*rule = 0;
}

bool
model_draw(struct model *next, const struct model *model, uint64_t *random,
    char text[1024])
{
	struct draft draft = {.model = next,
	    .random = random,
	    .out = fmemopen(text, 1024, "w"),
	    .right = true};
	unsigned commands = random_percent(random, 50)
	    ? 1
	    : random_between(random, 2, MODEL_COMMANDS_MAX);

	*next = *model;
	if (!next->port) {
		fprintf(draft.out,
		    "add port front device=x backend=memory "
		    "address=10.9.0.1/16;");
		next->port = true;
	}
	for (unsigned i = 0; i < commands; i++) {
		unsigned c = random_between(random, 0, MODEL_CLUSTERS - 1);
		unsigned what = random_between(random, 0, 9);

		if (i > 0)
			fputc(';', draft.out);
		if (what < 2)
			say_cluster(&draft, c);
		else if (what < 6)
			say_broker(&draft, c);
		else if (what < 7)
			say_listener(&draft, c);
		else
			say_rule(&draft);
	}
	fclose(draft.out);
	if (!draft.right)
		*next = *model;
	return draft.right;
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

char *
model_show(const struct model *model)
{
	enum {
		LINES =
		    1 + MODEL_CLUSTERS * (2 + 2 * MODEL_BROKERS) + MODEL_RULES
	};
	char lines[LINES][64];
	unsigned n = 0;
	char *text = calloc(LINES, sizeof(lines[0]));

	if (model->port)
		strcpy(lines[n++], "port front\n");
	for (unsigned c = 0; c < MODEL_CLUSTERS; c++) {
		if (!model->clusters[c])
			continue;
		snprintf(lines[n++], sizeof(lines[0]), "cluster c%u\n", c);
		if (model->listeners[c] != 0)
			snprintf(lines[n++], sizeof(lines[0]),
			    "listener l 10.9.%u.%u:9092\n", 100 + c,
			    model->listeners[c]);
		for (unsigned b = 0; b < MODEL_BROKERS; b++) {
			if (model->brokers[c][b] == 0)
				continue;
			snprintf(lines[n++], sizeof(lines[0]),
			    "broker %u 10.9.%u.%u:9092\n", b + 1,
			    10 + c * 10 + b, model->brokers[c][b]);
			if (model->listeners[c] != 0)
				snprintf(lines[n++], sizeof(lines[0]),
				    "endpoint 10.9.%u.%u:%u\n", 100 + c,
				    model->listeners[c], 9093 + b + 1);
		}
	}
	for (unsigned r = 0; r < MODEL_RULES; r++)
		if (model->rules[r] != 0)
			snprintf(lines[n++], sizeof(lines[0]),
			    "rule r%u %u observe\n", r, model->rules[r]);
	qsort(lines, n, sizeof(lines[0]), compare_lines);
	for (unsigned i = 0; i < n; i++)
		strcat(text, lines[i]);
	return text;
}

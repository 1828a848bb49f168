/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/sim_draw.h"

#include <string.h>

#include "proto/address.h"
#include "proto/limits.h"
#include "tests/support/ensure.h"
#include "tests/support/random.h"

enum {
	US = 1000, /* ns */
	MS = 1000000,
};

static uint32_t
between(struct sim *sim, uint32_t low, uint32_t high)
{
	return random_between(&sim->random, low, high);
}

static bool
percent(struct sim *sim, unsigned chance)
{
	return random_percent(&sim->random, chance);
}

static void
draw_cut(struct sim *sim, struct sim_habits *habits, uint16_t mss)
{
	static const uint16_t cuts[] = {1, 20, 300, SIM_PAYLOAD_MAX};
	uint16_t most = cuts[between(sim, 0, 3)];

	habits->mss = percent(sim, 50)
	    ? mss
	    : (uint16_t)between(sim, percent(sim, 20) ? 1 : 64, mss);
	habits->cut_max = most == SIM_PAYLOAD_MAX && percent(sim, 50)
	    ? mss
	    : (uint16_t)between(sim, 1, most);
	habits->cut_random = percent(sim, 50);
}

static void
draw_habits(struct sim *sim, struct sim_habits *habits)
{
	static const uint32_t buffers[] = {60, 3000, SIM_BUFFER_MAX};
	unsigned scale = 0;

	draw_cut(sim, habits, sim->v6 ? 1440 : 1460);
	habits->buffer = percent(sim, 50)
	    ? SIM_BUFFER_MAX
	    : between(sim, 1, buffers[between(sim, 0, 2)]);
	while (habits->buffer >> (scale + 1) >= 64 && scale < 14)
		scale++;
	habits->scale = percent(sim, 30) && habits->buffer <= UINT16_MAX
	    ? SIM_NO_SCALE
	    : (uint8_t)between(sim, 0, scale);
	if (percent(sim, 50))
		habits->ack_delay_ns = between(sim, 1, 40) * (uint64_t)MS;
	if (percent(sim, 40)) {
		habits->read_every_ns =
		    between(sim, 100, 300000) * (uint64_t)US;
		habits->read_max =
		    between(sim, (habits->buffer + 3) / 4, habits->buffer);
	}
	if (percent(sim, 30))
		habits->keepalive_ns = between(sim, 20, 2000) * (uint64_t)MS;
	habits->garbage_byte = percent(sim, 50);
	habits->probe_byte = percent(sim, 50);
	habits->sack = percent(sim, 60);
	habits->duplicate_sack = percent(sim, 50);
	habits->stamps = percent(sim, 60);
	if (percent(sim, 20)) {
		habits->flight = (uint8_t)between(sim, 1, 10);
		habits->flight_fixed = percent(sim, 50);
	}
}

/* Half of the links do not do it at all. */
static unsigned
draw_chance(struct sim *sim, unsigned most)
{
	return percent(sim, 50) ? 0 : between(sim, 1, most);
}

static void
draw_link(struct sim *sim, struct sim_link *link)
{
	link->delay_ns = between(sim, 1, 5000) * (uint64_t)US;
	link->jitter_ns = between(sim, 0, 5000) * (uint64_t)US;
	if (percent(sim, 30))
		return; /* a good one */
	link->lost = draw_chance(sim, percent(sim, 80) ? 30 : 120);
	link->twice = draw_chance(sim, 100);
	link->late = draw_chance(sim, 200);
	link->damaged = percent(sim, 70) ? 0 : between(sim, 1, 30);
}

static void
place(struct sim_place *place, const char *text)
{
	struct lp_endpoint endpoint;
	char why[LP_WHY_SIZE] = "";

	ensure(lp_endpoint_parse(&endpoint, text, why) == 0, "%s", why);
	memset(place, 0, sizeof(*place));
	if (lp_ip_is_v4(&endpoint.ip))
		memcpy(place->ip, endpoint.ip.bytes + 12, 4);
	else
		memcpy(place->ip, endpoint.ip.bytes, 16);
	place->port = endpoint.port;
}

/* Near where sequence numbers wrap around, or anywhere. */
static uint32_t
draw_iss(struct sim *sim)
{
	return percent(sim, 50) ? 0u - between(sim, 0, 4000)
				: (uint32_t)random_next(&sim->random);
}

void
sim_draw(struct sim *sim)
{
	place(&sim->place[SIM_CLIENT],
	    sim->v6 ? "[2001:db8:9::50]:40000" : "10.9.0.50:40000");
	place(&sim->peer[SIM_CLIENT],
	    sim->v6 ? "[2001:db8:9::100]:9101" : "10.9.0.100:9100");
	place(&sim->place[SIM_BROKER],
	    sim->v6 ? "[2001:db8:8::21]:9092" : "10.8.0.20:9092");
	if (sim_is_inline) {
		sim->peer[SIM_BROKER] = sim->place[SIM_CLIENT];
		sim->peer[SIM_CLIENT] = sim->place[SIM_BROKER];
	}
	for (unsigned who = 0; who < 2; who++) {
		uint8_t *mac = sim->place[who].mac;

		/* What the wire of a plane answers. */
		mac[0] = 0x02;
		mac[1] = 0x10;
		mac[5] = sim->place[who].ip[sim->v6 ? 15 : 3];
		draw_habits(sim, &sim->tcp[who].habits);
		sim->tcp[who].iss = draw_iss(sim);
	}
	for (unsigned way = 0; way < SIM_WAYS; way++)
		draw_link(sim, &sim->link[way]);
}

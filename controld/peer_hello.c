/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/peer_hello.h"

#include <stdio.h>
#include <string.h>

static bool can(const Lp__Pb__Hello *hello, const char *capability);

void
lp_peer_hello_keep(struct lp_push_dataplane *info, const Lp__Pb__Hello *hello)
{
	lp_peer_hello_text(info->id, sizeof(info->id), hello->id);
	lp_peer_hello_text(
	    info->version, sizeof(info->version), hello->version);
	info->backend_count = 0;
	while (info->backend_count < hello->n_backends &&
	    info->backend_count < LP_PUSH_BACKENDS_MAX) {
		lp_peer_hello_text(info->backends[info->backend_count],
		    LP_NAME_SIZE, hello->backends[info->backend_count]);
		info->backend_count++;
	}
	info->kafka_stats = can(hello, LP_CAPABILITY_KAFKA_STATS);
	info->rule_stats = can(hello, LP_CAPABILITY_RULE_STATS);
	info->denials = can(hello, LP_CAPABILITY_DENIALS);
	info->topic_ids = can(hello, LP_CAPABILITY_TOPIC_IDS);
	info->can_trace = can(hello, "trace");
	info->can_capture = can(hello, "capture");
	info->can_inline = can(hello, LP_CAPABILITY_INLINE);
	info->can_rewrite = can(hello, LP_CAPABILITY_REWRITE);
	info->can_rules = can(hello, LP_CAPABILITY_RULES);
	info->boot_id = hello->boot_id;
	info->generation = hello->generation;
	info->digest = hello->digest;
	info->rejected = 0;
	info->build_ns = info->swap_ns = 0;
	lp_peer_hello_text(
	    info->on_loss, sizeof(info->on_loss), hello->on_loss);
	info->alone_ns = hello->has_alone_ns ? hello->alone_ns : 0;
	info->closed_ns = hello->has_closed_ns ? hello->closed_ns : 0;
}

void
lp_peer_hello_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text != NULL ? text : "");
	for (; *out != '\0'; out++)
		if ((unsigned char)*out < ' ' || *out == 0x7f)
			*out = '?';
}

static bool
can(const Lp__Pb__Hello *hello, const char *capability)
{
	for (size_t i = 0; i < hello->n_capabilities; i++)
		if (strcmp(hello->capabilities[i], capability) == 0)
			return true;
	return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the enums of objects. */
#include "proto/object.h"

#include <errno.h>
#include <stddef.h>

static const char *const kinds[LP_OBJECT_KINDS] = {
    [LP_OBJECT_PORT] = "port",
    [LP_OBJECT_CLUSTER] = "cluster",
    [LP_OBJECT_BROKER] = "broker",
    [LP_OBJECT_LISTENER] = "listener",
    [LP_OBJECT_ENDPOINT] = "endpoint",
    [LP_OBJECT_RULE] = "rule",
};
static const char *const backends[] = {
    [LP_BACKEND_AF_XDP] = "af_xdp",
    [LP_BACKEND_DPDK] = "dpdk",
    [LP_BACKEND_MEMORY] = "memory",
};
static const char *const sides[] = {
    [LP_SIDE_CLIENT] = "client",
    [LP_SIDE_BROKER] = "broker",
    [LP_SIDE_BOTH] = "both",
};
static const char *const modes[] = {
    [LP_MODE_VIP] = "vip",
    [LP_MODE_INLINE] = "inline",
};
static const char *const on_losses[] = {
    [LP_ON_LOSS_DROP] = "drop",
    [LP_ON_LOSS_WIRE] = "wire",
};
static const char *const source_addresses[] = {
    [LP_SOURCE_TRANSLATE] = "translate",
    [LP_SOURCE_PRESERVE] = "preserve",
};
static const char *const looks[] = {
    [LP_LOOK_OBSERVE] = "observe",
    [LP_LOOK_OFF] = "off",
};
static const char *const rewritings[] = {
    [LP_REWRITING_ON] = "on",
    [LP_REWRITING_OFF] = "off",
    [LP_REWRITING_SHADOW] = "shadow",
};
static const char *const unjudgeds[] = {
    [LP_UNJUDGED_PASS] = "pass",
    [LP_UNJUDGED_RESET] = "reset",
};

#define WORDS(list) list, sizeof(list) / sizeof(list[0])

static const char *word_name(
    const char *const words[], size_t count, unsigned value);
static int word_parse(
    const char *const words[], size_t count, uint8_t *out, const char *text);

const char *
lp_object_kind_name(unsigned kind)
{
	return word_name(WORDS(kinds), kind);
}

const char *
lp_backend_name(unsigned backend)
{
	return word_name(WORDS(backends), backend);
}

const char *
lp_side_name(unsigned side)
{
	return word_name(WORDS(sides), side);
}

const char *
lp_mode_name(unsigned mode)
{
	return word_name(WORDS(modes), mode);
}

const char *
lp_on_loss_name(unsigned how)
{
	return word_name(WORDS(on_losses), how);
}

const char *
lp_source_address_name(unsigned how)
{
	return word_name(WORDS(source_addresses), how);
}

const char *
lp_look_name(unsigned look)
{
	return word_name(WORDS(looks), look);
}

const char *
lp_rewriting_name(unsigned how)
{
	return word_name(WORDS(rewritings), how);
}

const char *
lp_unjudged_name(unsigned how)
{
	return word_name(WORDS(unjudgeds), how);
}

int
lp_backend_parse(uint8_t *out, const char *text)
{
	return word_parse(WORDS(backends), out, text);
}

int
lp_side_parse(uint8_t *out, const char *text)
{
	return word_parse(WORDS(sides), out, text);
}

int
lp_mode_parse(uint8_t *out, const char *text)
{
	return word_parse(WORDS(modes), out, text);
}

int
lp_on_loss_parse(uint8_t *out, const char *text)
{
	return word_parse(WORDS(on_losses), out, text);
}

int
lp_source_address_parse(uint8_t *out, const char *text)
{
	return word_parse(WORDS(source_addresses), out, text);
}

int
lp_look_parse(uint8_t *out, const char *text)
{
	return word_parse(WORDS(looks), out, text);
}

int
lp_rewriting_parse(uint8_t *out, const char *text)
{
	return word_parse(WORDS(rewritings), out, text);
}

int
lp_unjudged_parse(uint8_t *out, const char *text)
{
	return word_parse(WORDS(unjudgeds), out, text);
}

/* Values start at 1: words[0] is NULL. */
static const char *
word_name(const char *const words[], size_t count, unsigned value)
{
	return value < count ? words[value] : NULL;
}

static int
word_parse(
    const char *const words[], size_t count, uint8_t *out, const char *text)
{
	for (size_t i = 1; i < count; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = (uint8_t)i;
			return 0;
		}
	}
	return -EINVAL;
}

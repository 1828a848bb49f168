/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates that an authority has issued: a text file, for people and
 * for lpctl, a line each, the oldest first; times are UTC.
 *
 *	# SERIAL ROLE ISSUED EXPIRES REVOKED NAME
 *	1f0c... admin 2026-11-26T17:00:00Z 2027-11-26T17:00:00Z - alice
 */
#ifndef LP_CLI_PKI_INDEX_H
#define LP_CLI_PKI_INDEX_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/limits.h"
#include "proto/role.h"

enum {
	LP_PKI_INDEX_SERIAL_SIZE = 17, /* 16 hex digits */
	/* Bytes of the file: some 100,000 certificates. */
	LP_PKI_INDEX_SIZE_MAX = 16 << 20,
};

struct lp_pki_index_row {
	uint64_t serial; /* never 0, nor is its first bit set */
	enum lp_role role;
	/* Seconds of CLOCK_REALTIME; 0: not revoked. */
	int64_t issued, expires, revoked;
	char name[LP_NAME_SIZE];
};

struct lp_pki_index {
	struct lp_pki_index_row *rows;
	size_t count, size;
};

/* NULL-safe for a zeroed one. */
void lp_pki_index_fini(struct lp_pki_index *index);

/*
 * Reads text of len bytes into a zeroed index.  0, -ENOMEM, or -EINVAL with
 * why: "line 3: ..."; to be fini'd in any case.
 */
int lp_pki_index_read(struct lp_pki_index *index, const char *text, size_t len,
    char why[LP_WHY_SIZE]);
void lp_pki_index_write(const struct lp_pki_index *index, FILE *file);

/* 0 or -ENOMEM. */
int lp_pki_index_add(
    struct lp_pki_index *index, const struct lp_pki_index_row *row);

/* NULL if there is none. */
struct lp_pki_index_row *lp_pki_index_find(
    const struct lp_pki_index *index, uint64_t serial);

/* 16 hex digits.  0: it is no serial. */
uint64_t lp_pki_index_serial(const char *text);
char *lp_pki_index_format(char buf[LP_PKI_INDEX_SERIAL_SIZE], uint64_t serial);

/*
 * Letters, digits, '.', '_', '-' and '@', the first a letter or digit, and no
 * serial: it is a name of a directory, too.  0, or -EINVAL and why.
 */
int lp_pki_index_check_name(const char *name, char why[LP_WHY_SIZE]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of an authority.  What is written is whole and on the disk, or not
 * there; a directory with what is in it likewise.
 *
 * Whatever can fail returns 0, or -errno and why: "PATH: ...".
 */
#ifndef LP_CLI_PKI_FILE_H
#define LP_CLI_PKI_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "cli/pki_x509.h"

/* What is wrong, behind a path. */
enum { LP_PKI_FILE_WHY_SIZE = 2 * LP_WHY_SIZE };

struct lp_pki_file {
	const char *name; /* in its directory */
	const struct lp_pki_x509_pem *text;
	mode_t mode;
};

/* A new directory with these files, in place of none or of an empty one. */
int lp_pki_file_directory(const char *path, const struct lp_pki_file *files,
    size_t count, char why[LP_PKI_FILE_WHY_SIZE]);

/* In place of the one that is there. */
int lp_pki_file_replace(const char *directory, const struct lp_pki_file *file,
    char why[LP_PKI_FILE_WHY_SIZE]);

/* All of it, at most `max` bytes; private: nobody else may read or write it. */
int lp_pki_file_read(struct lp_pki_x509_pem *text, const char *directory,
    const char *name, size_t max, bool private, char why[LP_PKI_FILE_WHY_SIZE]);

/* Nobody else changes it until the descriptor, or -errno, is closed. */
int lp_pki_file_lock(const char *directory, char why[LP_PKI_FILE_WHY_SIZE]);

#endif

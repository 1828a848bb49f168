/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as people read them: three digits and a unit. */
#ifndef LP_CLI_UNITS_H
#define LP_CLI_UNITS_H

#include <stdint.h>

enum { LP_UNITS_SIZE = 32 };

/* "950ns", "12.3us", "4.56ms", "78.9s", "17min3s"; returns buf. */
char *lp_units_time(char buf[LP_UNITS_SIZE], uint64_t ns);

/* Powers of 1000: "950B", "12.3kB", "4.56MB"; returns buf. */
char *lp_units_bytes(char buf[LP_UNITS_SIZE], uint64_t bytes);

#endif

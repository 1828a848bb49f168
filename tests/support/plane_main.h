/* SPDX-License-Identifier: Apache-2.0 */
/* The main() of a test program that runs planes, on whatever back end. */
#ifndef LP_TESTS_SUPPORT_PLANE_MAIN_H
#define LP_TESTS_SUPPORT_PLANE_MAIN_H

#include <check.h>

/* One case, which `add` fills; what main() returns, also that it is skipped. */
int plane_main(const char *name, void (*add)(TCase *tests));

#endif

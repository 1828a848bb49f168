/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulation draws from its seed. */
#ifndef LP_TESTS_SUPPORT_SIM_DRAW_H
#define LP_TESTS_SUPPORT_SIM_DRAW_H

#include "tests/support/sim.h"

/* Addresses, habits and links; random and v6 are set. */
void sim_draw(struct sim *sim);

#endif

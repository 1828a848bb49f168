/* SPDX-License-Identifier: Apache-2.0 */
/* Text of certificates: the part of output_text.c that does. */
#ifndef LP_CLI_OUTPUT_TEXT_PKI_H
#define LP_CLI_OUTPUT_TEXT_PKI_H

#include "cli/output.h"

int lp_output_text_pki(
    const struct lp_print *print, const struct lp_pki_view *view);

#endif

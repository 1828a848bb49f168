/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What DPDK says, in our log; and the reason that it gives when a call fails,
 * since its functions return numbers and say the rest to a stream.
 */
#ifndef LP_PORT_DPDK_LOG_H
#define LP_PORT_DPDK_LOG_H

/* control, once, before EAL starts.  0 or -errno. */
int lp_dpdk_log_open(void);

/* control: forgets what was said. */
void lp_dpdk_log_listen(void);

/*
 * control: the first error since then, else the first warning, without its
 * newline, or the text given.  Valid until the next listen.
 */
const char *lp_dpdk_log_complaint(const char *otherwise);

#endif

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The same over IPv6, from the client's address to the broker's.
exec "$(dirname "$0")/rewrite.sh" 6

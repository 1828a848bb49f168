-- SPDX-License-Identifier: Apache-2.0
--
-- The MTU of a port whose device has none from the kernel (backend dpdk).

-- Bytes of an IP packet; NULL: the device's own.
ALTER TABLE port ADD COLUMN mtu INTEGER CHECK (mtu BETWEEN 1280 AND 9600);

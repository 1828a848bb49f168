-- SPDX-License-Identifier: Apache-2.0
--
-- Whether the dataplane looks into the connections of a listener.
ALTER TABLE listener ADD COLUMN kafka TEXT NOT NULL DEFAULT 'observe'
    CHECK (kafka IN ('observe', 'off'));

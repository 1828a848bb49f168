-- SPDX-License-Identifier: Apache-2.0
--
-- The database of lp-controld: one configuration, and the generations that
-- led to it.
--
-- Addresses are text as people write them (an IPv4 address never in its
-- mapped form), enumerations are the words of lpctl.  The daemon checks
-- everything again when it loads; the constraints are for whoever comes with
-- another tool.  Ids are given out by meta.next_id, start at 1 and are never
-- used again, whatever the table.

-- One row.
CREATE TABLE meta (
	only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
	database_id TEXT NOT NULL CHECK (length(database_id) = 32),
	-- Incremented whenever an lp-controld takes the database into use.
	epoch INTEGER NOT NULL CHECK (epoch >= 0),
	next_id INTEGER NOT NULL CHECK (next_id BETWEEN 1 AND 4294967295)
) STRICT;
INSERT INTO meta VALUES (1, lower(hex(randomblob(16))), 0, 1);

CREATE TABLE port (
	id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
	name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 63),
	device TEXT NOT NULL CHECK (length(device) BETWEEN 1 AND 255),
	backend TEXT NOT NULL CHECK (backend IN ('af_xdp', 'dpdk', 'memory')),
	side TEXT NOT NULL CHECK (side IN ('client', 'broker', 'both')),
	allow_default_route INTEGER NOT NULL
	    CHECK (allow_default_route IN (0, 1)),
	gateway_v4 TEXT,
	gateway_v6 TEXT
) STRICT;

CREATE TABLE port_address (
	port_id INTEGER NOT NULL REFERENCES port (id) ON DELETE CASCADE,
	place INTEGER NOT NULL CHECK (place BETWEEN 0 AND 15),
	ip TEXT NOT NULL,
	len INTEGER NOT NULL CHECK (len BETWEEN 0 AND 128),
	PRIMARY KEY (port_id, place)
) STRICT;

CREATE TABLE cluster (
	id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
	name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 63)
) STRICT;

CREATE TABLE broker (
	id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
	cluster_id INTEGER NOT NULL
	    REFERENCES cluster (id) DEFERRABLE INITIALLY DEFERRED,
	node_id INTEGER NOT NULL CHECK (node_id BETWEEN 0 AND 2147483647),
	-- As the operator wrote it, and what it resolved to.
	host TEXT NOT NULL CHECK (length(host) BETWEEN 1 AND 253),
	real_ip TEXT NOT NULL,
	real_port INTEGER NOT NULL CHECK (real_port BETWEEN 1 AND 65535),
	UNIQUE (cluster_id, node_id)
) STRICT;

CREATE TABLE listener (
	id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
	cluster_id INTEGER NOT NULL
	    REFERENCES cluster (id) DEFERRABLE INITIALLY DEFERRED,
	name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
	vip_ip TEXT NOT NULL,
	vip_port INTEGER NOT NULL CHECK (vip_port BETWEEN 1 AND 65535),
	broker_base INTEGER NOT NULL CHECK (broker_base BETWEEN 0 AND 65535),
	mode TEXT NOT NULL CHECK (mode IN ('vip', 'inline')),
	source_address TEXT NOT NULL
	    CHECK (source_address IN ('translate', 'preserve')),
	UNIQUE (cluster_id, name),
	UNIQUE (vip_ip, vip_port)
) STRICT;

-- Where clients of a listener reach a broker: recorded, so that it never
-- moves.
CREATE TABLE endpoint (
	id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
	listener_id INTEGER NOT NULL
	    REFERENCES listener (id) DEFERRABLE INITIALLY DEFERRED,
	broker_id INTEGER NOT NULL
	    REFERENCES broker (id) DEFERRABLE INITIALLY DEFERRED,
	vip_ip TEXT NOT NULL,
	vip_port INTEGER NOT NULL CHECK (vip_port BETWEEN 1 AND 65535),
	UNIQUE (listener_id, broker_id),
	UNIQUE (vip_ip, vip_port)
) STRICT;

-- What was desired, one row a change; the newest is what the tables hold.
CREATE TABLE generation (
	number INTEGER PRIMARY KEY CHECK (number >= 1),
	time_ns INTEGER NOT NULL,
	who TEXT NOT NULL,
	comment TEXT NOT NULL,
	-- The 64 bits of lp_config_digest(), as a signed number.
	digest INTEGER NOT NULL,
	-- The packed objects in canonical order, each with its 4-byte length.
	content BLOB NOT NULL
) STRICT;

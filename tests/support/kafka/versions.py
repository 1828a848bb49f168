#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""versions.py [--hints] BOOTSTRAP TOPIC VIP SECRET...: asks everything that
tells where brokers are in every version that it has, of every broker in turn,
by hand.  BOOTSTRAP is HOST:PORT, TOPIC has a leader that other brokers can
name, VIP is what may be told, SECRETs are addresses and names that may not.
With --hints answers to Produce that another broker leads have to tell VIP,
too.  (A Fetch may be answered by any replica.)

Says what was told; ends with 1 if a secret was, if what was asked for was not,
or if a version that the broker has was not answered.

Source: https://kafka.apache.org/protocol
"""
import socket
import struct
import sys

import names
from raw import batch, string

PRODUCE, FETCH, METADATA, FIND_COORDINATOR, API_VERSIONS = 0, 1, 3, 10, 18
DESCRIBE_CONFIGS, DESCRIBE_QUORUM, DESCRIBE_CLUSTER = 32, 55, 60
SHARE_FETCH, SHARE_ACKNOWLEDGE = 78, 79
NOT_LEADER, UNSUPPORTED = 6, 35
# The first version with compact lengths and tagged fields.
FLEXIBLE = {PRODUCE: 9, FETCH: 12, METADATA: 9, FIND_COORDINATOR: 3,
            API_VERSIONS: 3, DESCRIBE_CONFIGS: 4, DESCRIBE_QUORUM: 0,
            DESCRIBE_CLUSTER: 0, SHARE_FETCH: 0, SHARE_ACKNOWLEDGE: 0}
# What the newest release has; DescribeQuorum's next one is clamped.
NEWEST = {PRODUCE: 13, FETCH: 18, METADATA: 13, FIND_COORDINATOR: 6,
          API_VERSIONS: 5, DESCRIBE_CONFIGS: 4, DESCRIBE_QUORUM: 1,
          DESCRIBE_CLUSTER: 2, SHARE_FETCH: 2, SHARE_ACKNOWLEDGE: 2}
# The first version of Produce whose answer tells where the leader is.
HINTING = 10
TELL = (METADATA, FIND_COORDINATOR, DESCRIBE_CLUSTER)
TAGS = b"\0"


def compact(data):
    """Shorter than 127 bytes."""
    return bytes([len(data) + 1]) + data


def i32(*numbers):
    return struct.pack(">%di" % len(numbers), *numbers)


class Reader:
    def __init__(self, data, is_compact):
        self.data, self.at, self.is_compact = data, 0, is_compact

    def take(self, form):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def varint(self):
        number = shift = 0
        while True:
            byte = self.take("B")
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    def length(self, form="i"):
        return self.varint() - 1 if self.is_compact else self.take(form)

    def text(self):
        size = max(self.length("h"), 0)
        self.at += size
        return self.data[self.at - size:self.at].decode()

    def each(self, item):
        return [item() for _ in range(max(self.length(), 0))]

    def tags(self):
        if self.is_compact:
            for _ in range(self.varint()):
                self.varint()
                self.at += self.varint()


class Broker:
    """A connection, and what may be asked on it."""

    def __init__(self, host, port, topic):
        self.at = (host, port)
        self.topic, self.topic_id, self.correlation = topic, bytes(16), 0
        self.connect()

    def connect(self):
        self.socket = socket.create_connection(self.at, 30)

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError("the broker closed the connection")
            data += more
        return data

    def ask(self, key, version):
        """The answer behind its header."""
        self.correlation += 1
        body = struct.pack(">hhi", key, version, self.correlation)
        body += string("versions")
        is_flexible = version >= FLEXIBLE[key]
        body += TAGS if is_flexible else b""
        body += self.body(key, version)
        self.socket.sendall(i32(len(body)) + body)
        size, = struct.unpack(">i", self.read(4))
        answer = self.read(size)
        if answer[:4] != i32(self.correlation):
            raise ValueError("an answer to another request")
        return answer[5 if is_flexible and key != API_VERSIONS else 4:]

    def body(self, key, version):
        return {PRODUCE: self.produce, FETCH: self.fetch,
                METADATA: self.metadata, FIND_COORDINATOR: self.find,
                API_VERSIONS: self.api_versions,
                DESCRIBE_CONFIGS: self.configs,
                DESCRIBE_QUORUM: self.quorum, DESCRIBE_CLUSTER: self.cluster,
                SHARE_FETCH: self.share_fetch,
                SHARE_ACKNOWLEDGE: self.share_acknowledge}[key](version)

    def metadata(self, version):
        """Of all topics."""
        if version >= 9:
            return b"\0\0" + b"\0" * (2 if version <= 10 else 1) + TAGS
        every = i32(-1 if version > 0 else 0)
        return every + (b"\0" if version >= 4 else b"") + (
            b"\0\0" if version >= 8 else b"")

    def find(self, version):
        if version >= 4:
            return b"\0\x02" + compact(b"group") + TAGS
        if version == 3:
            return compact(b"group") + b"\0" + TAGS
        return string("group") + (b"\0" if version >= 1 else b"")

    def api_versions(self, version):
        if version < 3:
            return b""
        return compact(b"by-hand") + compact(b"1") + (
            b"\0" + i32(-1) if version >= 5 else b"") + TAGS

    def configs(self, version):
        """Of this broker, with all synonyms."""
        node = "%d" % self.node
        if version >= 4:
            return (b"\x02\x04" + compact(node.encode()) + b"\0" + TAGS +
                    b"\x01\0" + TAGS)
        return (i32(1) + b"\x04" + string(node) + i32(-1) +
                (b"\x01" if version >= 1 else b"") +
                (b"\0" if version >= 3 else b""))

    def quorum(self, version):
        return (b"\x02" + compact(b"__cluster_metadata") + b"\x02" + i32(0) +
                TAGS + TAGS + TAGS)

    def cluster(self, version):
        return b"\0" + (b"\x01" if version >= 1 else b"") + (
            b"\x01" if version >= 2 else b"") + TAGS

    def produce(self, version):
        """To partition 0, whoever leads it."""
        records = batch(b"by hand")
        name = self.topic_id if version >= 13 else None
        if version >= 9:
            name = name or compact(self.topic.encode())
            size = len(records) + 1
            return (b"\0" + struct.pack(">hi", -1, 10000) + b"\x02" + name +
                    b"\x02" + i32(0) + bytes([size & 127 | 128, size >> 7]) +
                    records + TAGS + TAGS + TAGS)
        return (string(None) + struct.pack(">hi", -1, 10000) + i32(1) +
                string(self.topic) + i32(1, 0, len(records)) + records)

    def fetch(self, version):
        head = b"" if version >= 15 else i32(-1)
        head += i32(0, 0)
        head += i32(1 << 20) if version >= 3 else b""
        head += b"\0" if version >= 4 else b""
        if version >= 7:
            head += i32(0, -1)
        partition = i32(0) + (i32(-1) if version >= 9 else b"")
        partition += struct.pack(">q", 0)
        partition += i32(-1) if version >= 12 else b""
        partition += struct.pack(">q", -1) if version >= 5 else b""
        partition += i32(1 << 20)
        if version < 12:
            return (head + i32(1) + string(self.topic) + i32(1) + partition +
                    (i32(0) if version >= 7 else b"") +
                    (string("") if version >= 11 else b""))
        name = self.topic_id if version >= 13 else compact(
            self.topic.encode())
        return (head + b"\x02" + name + b"\x02" + partition + TAGS + TAGS +
                b"\x01\x01" + TAGS)

    def sharer(self):
        return compact(b"sharers") + compact(b"AAAAAAAAAAAAAAAAAAAAAQ")

    def share_fetch(self, version):
        head = self.sharer() + i32(0, 0, 0, 1 << 20, 10, 10)
        head += b"\0\0" if version >= 2 else b""
        return (head + b"\x02" + self.topic_id + b"\x02" + i32(0) + b"\x01" +
                TAGS + TAGS + b"\x01" + TAGS)

    def share_acknowledge(self, version):
        head = self.sharer() + i32(1) + (b"\0" if version >= 2 else b"")
        return (head + b"\x02" + self.topic_id + b"\x02" + i32(0) + b"\x02" +
                struct.pack(">qq", 0, 0) + b"\x02\x01" + TAGS + TAGS + TAGS +
                TAGS)

    def versions(self):
        """{key: (first, last)} as Lightpath lets the broker say it."""
        reader = Reader(self.ask(API_VERSIONS, 3), True)
        reader.take("h")

        def one():
            key, first, last = (reader.take("h") for _ in range(3))
            reader.tags()
            return key, (first, last)

        return dict(reader.each(one))

    def brokers(self):
        """{node: (host, port)}; learns the topic's id and its leader too."""
        reader = Reader(self.ask(METADATA, 12), True)
        reader.take("i")
        found = {}

        def broker():
            node = reader.take("i")
            found[node] = (reader.text(), reader.take("i"))
            reader.text(), reader.tags()

        def partition():
            reader.take("h")
            index, leader = reader.take("i"), reader.take("i")
            reader.take("i")
            for _ in range(3):
                reader.each(lambda: reader.take("i"))
            reader.tags()
            return index, leader

        def topic():
            reader.take("h")
            name = reader.text()
            number = reader.data[reader.at:reader.at + 16]
            reader.at += 16
            reader.take("b")
            leaders = dict(reader.each(partition))
            reader.take("i"), reader.tags()
            if name == self.topic:
                self.topic_id, self.leader = number, leaders[0]

        reader.each(broker)
        reader.text(), reader.take("i")
        reader.each(topic)
        return found


class Inquiry:
    def __init__(self, has_hints, vip, secrets):
        self.has_hints, self.hinted = has_hints, 0
        self.vip, self.secrets = vip.encode(), [s.encode() for s in secrets]
        self.wrong, self.told, self.hints = 0, {}, 0

    def complain(self, text):
        self.wrong += 1
        print(text)

    def ask(self, broker, key, version):
        what = "node %d, %s v%d" % (broker.node, names.api(key), version)
        try:
            answer = broker.ask(key, version)
        except (EOFError, OSError) as error:
            broker.connect()
            return self.complain("%s: %s" % (what, error))
        for secret in self.secrets:
            if secret in answer:
                self.complain("%s tells %s: %r" % (what, secret, answer))
        if key in TELL and self.vip not in answer:
            self.complain("%s does not tell %s: %r" % (what, self.vip,
                                                       answer))
        if self.has_hints and broker.node != broker.leader and (
                key == PRODUCE and version >= HINTING):
            self.hinted += 1
            if self.vip not in answer:
                self.complain("%s has no hint of %s: %r" % (what, self.vip,
                                                            answer))
        # An answer that some other node is the leader brings a hint.
        self.hints += (key in (PRODUCE, FETCH, SHARE_FETCH) and
                       struct.pack(">h", NOT_LEADER) in answer)
        self.told.setdefault(key, set()).add(version)


def main():
    has_hints = sys.argv[1] == "--hints"
    bootstrap, topic, vip, *secrets = sys.argv[1 + has_hints:]
    host, port = bootstrap.rsplit(":", 1)
    inquiry = Inquiry(has_hints, vip, secrets)
    first = Broker(host.strip("[]"), int(port), topic)
    brokers = first.brokers()
    for node, (host, port) in sorted(brokers.items()):
        broker = Broker(host, port, topic)
        broker.node = node
        broker.brokers()
        for key, (low, high) in sorted(broker.versions().items()):
            if key == DESCRIBE_QUORUM and high > NEWEST[key]:
                inquiry.complain("DescribeQuorum v%d is offered" % high)
            for version in range(low, min(high, NEWEST.get(key, -1)) + 1):
                if key != PRODUCE or version >= 3:
                    inquiry.ask(broker, key, version)
    for key, versions in sorted(inquiry.told.items()):
        print("%s: v%d to v%d" % (names.api(key), min(versions),
                                  max(versions)))
    # Share groups are newer than 3.9.
    for key in NEWEST.keys() - {SHARE_FETCH, SHARE_ACKNOWLEDGE}:
        if key not in inquiry.told:
            inquiry.complain("%s was not asked" % names.api(key))
    print("%d brokers, %d answers that another leads" % (len(brokers),
                                                       inquiry.hints))
    if has_hints:
        print("%d of them have to say where" % inquiry.hinted)
    if len(brokers) < 2 or inquiry.hints == 0 or (
            has_hints and inquiry.hinted == 0):
        inquiry.complain("too few")
    sys.exit(inquiry.wrong > 0)


main()

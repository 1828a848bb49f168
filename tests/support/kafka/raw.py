#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""raw.py HOST PORT: Kafka by hand, for what no client library does on purpose:
many requests in one segment, one request in many segments, null and empty
client ids, acks=0 between others, and requests that are refused, each for a
known reason.

Prints a line of JSON for each request: the client id, the key and version of
the API, the bytes of both frames with their sizes, the error codes in the
answer, and the microseconds from before its last byte was written until after
the first byte of the answer was read.

Source: https://kafka.apache.org/protocol
"""
import json
import socket
import struct
import sys
import time

TOPIC = "raw"
PRODUCE, FETCH, LIST_OFFSETS, METADATA = 0, 1, 2, 3
OFFSET_COMMIT, FIND_COORDINATOR, JOIN, HEARTBEAT = 8, 10, 11, 12
LEAVE, SYNC, API_VERSIONS, CREATE_TOPICS, INIT_PRODUCER = 13, 14, 18, 19, 22


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def string(text):
    if text is None:
        return struct.pack(">h", -1)
    return struct.pack(">h", len(text)) + text.encode()


def blob(data):
    return struct.pack(">i", len(data)) + data


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


def batch(value):
    """One record without a key, in a batch of version 2."""
    def varint(number):
        number = number << 1 ^ number >> 63
        out = b""
        while number > 127:
            out += bytes([number & 127 | 128])
            number >>= 7
        return out + bytes([number])

    record = b"\0\0\0" + varint(-1) + varint(len(value)) + value + b"\0"
    body = struct.pack(">hiqqqhii", 0, 0, 0, 0, -1, -1, -1, 1)
    body += varint(len(record)) + record
    return struct.pack(">qiibI", 0, 9 + len(body), 0, 2, crc32c(body)) + body


def produce(topic, partition, acks):
    """Version 7."""
    return string(None) + struct.pack(">hi", acks, 10000) + array(
        [string(topic) + array([struct.pack(">i", partition) +
                                blob(batch(b"raw record " * 8))])])


def fetch(topic, partition, offset, wait=0):
    """Version 11, without a session."""
    return struct.pack(">iiiibii", -1, wait, 1, 1 << 20, 0, 0, -1) + array(
        [string(topic) + array([struct.pack(">iiqqi", partition, -1, offset,
                                            -1, 1 << 20)])]) + array(
        []) + string("")


class Reader:
    """Of an answer."""

    def __init__(self, data):
        self.data, self.at, self.errors = data, 0, []

    def take(self, form):
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values[0]

    def error(self):
        self.errors.append(self.take("h"))

    def string(self):
        size = self.take("h")
        text = self.data[self.at:self.at + max(size, 0)]
        self.at += max(size, 0)
        return text.decode()

    def each(self, item):
        for _ in range(self.take("i")):
            item()


def produced(reader):
    def partition():
        reader.take("i"), reader.error(), reader.take("q")
        reader.take("q"), reader.take("q")

    reader.each(lambda: (reader.string(), reader.each(partition)))


def fetched(reader):
    def partition():
        reader.take("i"), reader.error(), reader.at
        reader.at += 24
        reader.at += 16 * max(reader.take("i"), 0)
        reader.take("i")
        reader.at += max(reader.take("i"), 0)

    reader.take("i"), reader.error(), reader.take("i")
    reader.each(lambda: (reader.string(), reader.each(partition)))


def described(reader):
    """Metadata version 5."""
    def partition():
        reader.error()
        reader.at += 8
        for _ in range(3):
            reader.each(lambda: reader.take("i"))

    reader.take("i")
    reader.each(lambda: (reader.take("i"), reader.string(), reader.take("i"),
                         reader.string()))
    reader.string(), reader.take("i")
    reader.each(lambda: (reader.error(), reader.string(), reader.take("b"),
                         reader.each(partition)))


def committed(reader):
    reader.take("i")
    reader.each(lambda: (reader.string(), reader.each(
        lambda: (reader.take("i"), reader.error()))))


def throttled(reader):
    """The answers that begin with a throttle time and an error."""
    reader.take("i"), reader.error()


def created(reader):
    reader.take("i")
    reader.each(lambda: (reader.string(), reader.error(), reader.string()))


def offsets(reader):
    reader.take("i")
    reader.each(lambda: (reader.string(), reader.each(
        lambda: (reader.take("i"), reader.error(), reader.take("q"),
                 reader.take("q"), reader.take("i")))))


ANSWERS = {PRODUCE: produced, FETCH: fetched, METADATA: described,
           OFFSET_COMMIT: committed, CREATE_TOPICS: created,
           LIST_OFFSETS: offsets, API_VERSIONS: lambda r: r.error()}


class Connection:
    def __init__(self, address, client):
        self.client, self.correlation = client, 0
        self.socket = socket.create_connection(address, 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def frame(self, key, version, body):
        self.correlation += 1
        body = struct.pack(">hhi", key, version, self.correlation) + string(
            self.client) + body
        request = {"key": key, "version": version, "frame": blob(body),
                   "correlation": self.correlation}
        if key == PRODUCE:
            # Behind the header and a null transactional id.
            request["acks"], = struct.unpack_from(
                ">h", body, 10 + len(self.client) + 2)
        return request

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError("the broker closed the connection")
            data += more
        return data

    def answer(self, request, began):
        """Of the next request; its first byte is waited for apart."""
        head = self.read(1)
        took = (time.monotonic_ns() - began) / 1000
        head += self.read(3)
        data = self.read(struct.unpack(">i", head)[0])
        reader = Reader(data)
        if reader.take("i") != request["correlation"]:
            raise ValueError("an answer to another request")
        ANSWERS.get(request["key"], throttled)(reader)
        self.tell(request, 4 + len(data), reader.errors, took)
        return reader

    def tell(self, request, size, errors, took):
        print(json.dumps({
            "client": self.client, "key": request["key"],
            "version": request["version"], "acks": request.get("acks"),
            "request_bytes": len(request["frame"]),
            "response_bytes": size, "us": took,
            "errors": [code for code in errors if code != 0]}))

    def ask(self, key, version, body):
        request = self.frame(key, version, body)
        began = time.monotonic_ns()
        self.socket.sendall(request["frame"])
        return self.answer(request, began)

    def expect(self, error, key, version, body):
        reader = self.ask(key, version, body)
        if error not in reader.errors:
            sys.exit("API %d: errors %s, not %d" % (key, reader.errors,
                                                    error))
        return reader

    def close(self):
        self.socket.close()


def metadata(topic):
    """Version 5; makes no topic."""
    return array([string(topic)]) + b"\0"


def pipelined(address):
    """Forty requests in one write, answers later; some have none."""
    connection = Connection(address, "raw-pipelined")
    requests = []
    for i in range(40):
        if i % 4 == 0:
            requests.append(connection.frame(METADATA, 5, metadata(TOPIC)))
        else:
            requests.append(connection.frame(
                PRODUCE, 7, produce(TOPIC, i % 4, 0 if i % 4 == 3 else 1)))
            requests[-1]["silent"] = i % 4 == 3
    began = time.monotonic_ns()
    connection.socket.sendall(b"".join(r["frame"] for r in requests))
    for request in requests:
        if request.get("silent"):
            connection.tell(request, 0, [], None)
        else:
            connection.answer(request, began)
    connection.close()


def dribbled(address):
    """A byte a segment, and a pause of the reader."""
    connection = Connection(address, "raw-dribbled")
    for body in (metadata(TOPIC), metadata("x" * 100)):
        request = connection.frame(METADATA, 5, body)
        for i in range(len(request["frame"]) - 1):
            connection.socket.sendall(request["frame"][i:i + 1])
        began = time.monotonic_ns()
        connection.socket.sendall(request["frame"][-1:])
        connection.answer(request, began)
    connection.close()


def nameless(address):
    for client in (None, ""):
        connection = Connection(address, client)
        connection.ask(API_VERSIONS, 0, b"")
        # The header of a flexible version ends with its tagged fields.
        connection.expect(35, API_VERSIONS, 99, b"\0")
        connection.ask(METADATA, 5, metadata(TOPIC))
        connection.close()


def waiting(address):
    """Fetches at the end that are answered when their time is over."""
    connection = Connection(address, "raw-waiting")
    end = connection.ask(LIST_OFFSETS, 4, struct.pack(">ib", -1, 0) + array(
        [string("secure") + array([struct.pack(">iiq", 0, -1, -1)])]))
    offset = struct.unpack_from(">q", end.data, end.at - 12)[0]
    for _ in range(5):
        connection.ask(FETCH, 11, fetch("secure", 0, offset, 100))
    connection.close()


def refused(address):
    connection = Connection(address, "raw-errors")
    expect = connection.expect
    expect(3, PRODUCE, 7, produce("nowhere", 0, 1))
    expect(3, PRODUCE, 7, produce(TOPIC, 77, -1))
    expect(3, FETCH, 11, fetch("nowhere", 0, 0))
    expect(1, FETCH, 11, fetch(TOPIC, 0, 1 << 40))
    expect(3, METADATA, 5, metadata("nowhere"))
    expect(17, METADATA, 5, metadata("no/topic"))
    expect(25, HEARTBEAT, 2, string("none") + struct.pack(">i", 1) +
           string("nobody"))
    expect(36, CREATE_TOPICS, 2, array([string(TOPIC) + struct.pack(
        ">ih", 1, 1) + array([]) + array([])]) + struct.pack(">ib", 9999, 0))
    stale(connection)
    connection.close()


def stale(connection):
    """A member commits with a generation that is over."""
    join = (string("raw-group") + struct.pack(">ii", 10000, 10000), string(
        "consumer") + array([string("any") + blob(b"")]))
    connection.expect(26, JOIN, 2, string("raw-group") + struct.pack(
        ">ii", 1, 10000) + string("") + join[1])
    reader = connection.ask(JOIN, 2, join[0] + string("") + join[1])
    generation = reader.take("i")
    reader.string(), reader.string()
    member = reader.string()
    connection.ask(SYNC, 1, string("raw-group") + struct.pack(
        ">i", generation) + string(member) + array([]))
    for number, error in ((generation, 0), (generation + 5, 22)):
        connection.expect(error, OFFSET_COMMIT, 3, string("raw-group") +
                          struct.pack(">i", number) + string(member) +
                          struct.pack(">q", -1) + array([string(
                              TOPIC) + array([struct.pack(">iq", 0, 1) +
                                              string("")])]))
    connection.expect(22, HEARTBEAT, 2, string("raw-group") + struct.pack(
        ">i", generation + 5) + string(member))
    connection.ask(LEAVE, 1, string("raw-group") + string(member))


def main():
    address = (sys.argv[1], int(sys.argv[2]))
    for work in (pipelined, dribbled, nameless, waiting, refused):
        work(address)


if __name__ == "__main__":
    main()

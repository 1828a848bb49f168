# SPDX-License-Identifier: Apache-2.0
"""wire.py FILE: Kafka conversations in a capture: a second pair of eyes on
what Lightpath says, and where the corpus of the fuzzers comes from
(corpus.py).  Run as a program it prints what it saw in the form of `lpctl
stats kafka`, as far as it knows it, for agree.py.

Only frames' borders and request headers are read here, none of the bodies.
Sources: https://kafka.apache.org/protocol and, for the file, pcap-savefile(5).
"""
import json
import struct
import sys

import names

# Of the lab: which listener has which ports.
LISTENERS = {9092: "public", 9201: "public", 9192: "sasl", 9301: "sasl"}


class Half:
    """One direction of a connection, put in order."""

    def __init__(self):
        self.first = None  # sequence number behind the SYN
        self.pieces = {}  # position: (time, bytes)

    def add(self, time, seq, data):
        if self.first is None or not data:
            return
        at = (seq - self.first) & 0xFFFFFFFF
        if at > 1 << 31:
            return
        if at not in self.pieces or len(self.pieces[at][1]) < len(data):
            self.pieces[at] = (time, data)

    def segments(self):
        """(time, bytes) in order, each byte once, up to the first gap."""
        want = 0
        for at in sorted(self.pieces):
            time, data = self.pieces[at]
            if at > want:
                return
            if at + len(data) > want:
                yield time, data[want - at:]
                want = at + len(data)


class Connection:
    def __init__(self, client, server):
        self.client, self.server = client, server
        self.up, self.down = Half(), Half()


def packets(path):
    """(time in us, link layer bytes) of a pcap file."""
    with open(path, "rb") as file:
        data = file.read()
    magic, = struct.unpack_from("<I", data)
    if magic not in (0xA1B2C3D4, 0xA1B23C4D):
        raise ValueError(path + ": not a pcap of this machine's byte order")
    scale = 1 if magic == 0xA1B2C3D4 else 1000
    at = 24
    while at + 16 <= len(data):
        sec, part, size, _ = struct.unpack_from("<IIII", data, at)
        if at + 16 + size > len(data):
            return
        yield sec * 1000000 + part // scale, data[at + 16:at + 16 + size]
        at += 16 + size


def tcp(frame):
    """(source, destination, seq, flags, payload) of TCP, or None."""
    if frame[12:14] == b"\x08\x00" and frame[23] == 6:
        ip = 14 + (frame[14] & 15) * 4
        end = 14 + struct.unpack_from(">H", frame, 16)[0]
        source, destination = frame[26:30], frame[30:34]
    elif frame[12:14] == b"\x86\xdd" and frame[20] == 6:
        ip = 54
        end = ip + struct.unpack_from(">H", frame, 18)[0]
        source, destination = frame[22:38], frame[38:54]
    else:
        return None
    ports = struct.unpack_from(">HH", frame, ip)
    seq, = struct.unpack_from(">I", frame, ip + 4)
    data = ip + (frame[ip + 12] >> 4) * 4
    return ((source, ports[0]), (destination, ports[1]), seq,
            frame[ip + 13], frame[data:end])


def connections(path):
    """In the order of their SYNs."""
    found, all_of_them = {}, []
    for time, frame in packets(path):
        segment = tcp(frame)
        if segment is None:
            continue
        source, destination, seq, flags, data = segment
        if flags & 0x12 == 0x02 and (source, destination) not in found:
            connection = Connection(source, destination)
            connection.up.first = (seq + 1) & 0xFFFFFFFF
            found[source, destination] = connection
            all_of_them.append(connection)
        elif (source, destination) in found:
            found[source, destination].up.add(time, seq, data)
        elif (destination, source) in found:
            half = found[destination, source].down
            if flags & 0x12 == 0x12:
                half.first = (seq + 1) & 0xFFFFFFFF
            half.add(time, seq, data)
    return all_of_them


def frames(half):
    """(time of the first byte, time of the last, first bytes, size)."""
    head, left, size, first = bytearray(), 0, 0, 0
    for time, data in half.segments():
        at = 0
        while at < len(data):
            if left == 0 and len(head) < 4:
                if not head:
                    first = time
                part = data[at:at + 4 - len(head)]
                head += part
                at += len(part)
                if len(head) == 4:
                    left, = struct.unpack(">i", head)
                    size = 4 + left
                    if left <= 0 or left > 1 << 28:
                        raise ValueError("not Kafka")
                continue
            part = data[at:at + left]
            if len(head) < 300:
                head += part[:300 - len(head)]
            at += len(part)
            left -= len(part)
            if left == 0:
                yield first, time, bytes(head), size
                head = bytearray()


def client_id(head):
    size, = struct.unpack_from(">h", head, 12)
    return None if size < 0 else head[14:14 + size].decode()


def requests(connection):
    """A dictionary for each request, with its answer's part if it has one."""
    asked, answers = [], {}
    for _, last, head, size in frames(connection.up):
        key, version, correlation = struct.unpack_from(">hhi", head, 4)
        asked.append({"key": key, "version": version, "size": size,
                      "correlation": correlation, "last": last,
                      "client": client_id(head)})
    for first, last, head, size in frames(connection.down):
        correlation, = struct.unpack_from(">i", head, 4)
        answers[correlation] = (first, last, size)
    for request in asked:
        if request["correlation"] in answers:
            first, last, size = answers[request["correlation"]]
            request["answer"] = size
            request["us"] = first - request["last"]
            request["transfer"] = last - first
    return asked


def is_kafka(connection):
    """Not TLS, and not empty."""
    for _, data in connection.up.segments():
        return data[0] == 0
    return False


def add(row, request):
    row["requests"] = row.get("requests", 0) + 1
    row["request_bytes"] = row.get("request_bytes", 0) + request["size"]
    row["responses"] = row.get("responses", 0) + ("answer" in request)
    row["response_bytes"] = (row.get("response_bytes", 0) +
                             request.get("answer", 0))


def main():
    clients, apis = {}, {}
    for connection in connections(sys.argv[1]):
        listener = LISTENERS.get(connection.server[1])
        if listener is None or not is_kafka(connection):
            continue
        for request in requests(connection):
            api, name = names.api(request["key"]), request["client"]
            other = request["version"] == 99  # see truth.py
            name = None if other else name
            add(clients.setdefault((name, other), {
                "client_id": name, "other": other}), request)
            add(apis.setdefault((listener, api), {
                "listener": listener, "api": api, "origin": "client",
                "other": False}),
                request)
    json.dump({"dataplanes": [{"apis": list(apis.values()),
                               "clients": list(clients.values())}]},
              sys.stdout, indent=1)


if __name__ == "__main__":
    main()

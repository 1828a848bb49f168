# SPDX-License-Identifier: Apache-2.0
"""A connection to a broker, whose requests are written by Kafka's definitions
(codec.py) and may be edited before they are sent; and what the proofs of
denials (denials.py) want to know of a cluster.
"""
import socket
import struct
import time

import codec
from raw import batch, blob, crc32c, string

NAMES = ("Name", "Topic", "TopicId")
INDEXES = ("PartitionIndex", "Partition", "Index", "PartitionId")
CODES = ("ErrorCode", "PartitionErrorCode")
ARRAYS = ("Partitions", "PartitionIndexes")
FLIP = 0x40  # in the first byte of an index: bit 30
NO_ID = bytes(16)
# From another address than the broker's own, which rules of access tell apart.
HOST = "127.0.0.2"


def at(values, path):
    for step in path:
        values = values[step]
    return values


def indexes(values, places):
    """(path, place) of every partition index."""
    for path, place in places.items():
        if path[-1] in INDEXES or (isinstance(path[-1], int) and
                                   path[-2] in ARRAYS):
            yield path, place


def topic_of(values, path):
    """What names the topic that the field is of: name or id."""
    for end in range(len(path) - 1, 0, -1):
        owner = at(values, path[:end])
        if isinstance(owner, dict):
            for name in NAMES:
                if owner.get(name) not in (None, NO_ID):
                    return owner[name]
    return None


def batch_of(producer, epoch):
    """The first record of a transaction."""
    data = bytearray(batch(b"a record"))
    struct.pack_into(">h", data, 21, 0x10)
    struct.pack_into(">qhi", data, 43, producer, epoch, 0)
    struct.pack_into(">I", data, 17, crc32c(data[21:]))
    return bytes(data)


class Result:
    """Of one partition in an answer."""

    def __init__(self, answer, path, place, names):
        owner = path[:-1]
        topic = topic_of(answer.values, path)
        self.topic = names.get(topic, topic)
        self.entry = at(answer.values, owner)
        self.code = next(code for code in CODES if code in self.entry)
        self.index, self.error = self.entry[path[-1]], self.entry[self.code]
        self.is_index_first = place < answer.places[owner + (self.code,)]


class Answer:
    def __init__(self, message, version, data):
        self.values, self.places = codec.read(message, version, data)
        self.size = len(data)

    def results(self, names):
        return [Result(self, path, place, names)
                for path, place in indexes(self.values, self.places)]

    def named(self, array, name):
        """{name: (entry, whether it precedes its error code)}"""
        found = {}
        for number, entry in enumerate(self.values[array]):
            path = (array, number)
            found[entry[name]] = (entry, self.places[path + (name,)] <
                                  self.places[path + ("ErrorCode",)])
        return found


class Kafka:
    def __init__(self, address, messages):
        self.address, self.correlation = address, 0
        self.messages = {(m.api, m.type): m for m in messages.values()}
        self.connect()
        self.ranges = {}

    def again(self):
        """Another connection."""
        other = Kafka.__new__(Kafka)
        other.__dict__.update(self.__dict__, correlation=0)
        other.connect()
        return other

    def connect(self):
        self.socket = socket.create_connection(self.address, 60, (HOST, 0))

    def close(self):
        self.socket.close()

    def send(self, api, version, values, edit=None):
        message = self.messages[api, "request"]
        body, places = codec.write(message, version, values)
        if edit is not None:
            size = len(body)
            edit(body, places)
            if len(body) != size:
                raise ValueError("the edit changed the length")
        self.correlation += 1
        head = struct.pack(">hhi", message.key, version, self.correlation)
        head += string("denials")
        head += b"\0" if version in message.flexible else b""
        self.socket.sendall(blob(head + bytes(body)))

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError("the broker closed the connection")
            data += more
        return data

    def answer(self, api, version):
        data = self.read(*struct.unpack(">i", self.read(4)))
        if data[:4] != struct.pack(">i", self.correlation):
            raise ValueError("an answer to another request")
        message = self.messages[api, "response"]
        has_tags = version in message.flexible and api != "ApiVersions"
        return Answer(message, version, data[5 if has_tags else 4:])

    def ask(self, api, version, values, edit=None):
        self.send(api, version, values, edit)
        return self.answer(api, version)

    def is_closed(self):
        """By the broker, without an answer."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def versions(self, api):
        """That the broker and the definitions share."""
        if not self.ranges:
            said = self.ask("ApiVersions", 3, {
                "ClientSoftwareName": "denials",
                "ClientSoftwareVersion": "1"}).values
            self.ranges = {r["ApiKey"]: (r["MinVersion"], r["MaxVersion"])
                           for r in said["ApiKeys"]}
        message = self.messages.get((api, "request"))
        if message is None or message.key not in self.ranges:
            return range(0)
        first, last = self.ranges[message.key]
        return range(max(first, message.versions.first),
                     min(last, message.versions.last) + 1)

    def newest(self, api, values, most=99):
        version = min(self.versions(api)[-1], most)
        return self.ask(api, version, values).values


class Cluster:
    """What is asked and set besides the proofs, each in one known version."""

    def __init__(self, kafka):
        self.kafka = kafka
        self.ids, self.names = {}, {}

    def until(self, what, is_so):
        """Polls until it says something; 60 s at most."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            found = is_so()
            if found:
                return found
            time.sleep(0.02)
        raise TimeoutError(what)

    def create(self, *names, partitions=2):
        said = self.kafka.newest("CreateTopics", {"timeoutMs": 60000,
            "Topics": [{"Name": name, "NumPartitions": partitions,
                        "ReplicationFactor": 1} for name in names]})
        for topic in said["Topics"]:
            if topic["ErrorCode"] not in (0, 36):
                raise ValueError("%(Name)s: %(ErrorMessage)s" % topic)
        self.until("leaders of " + str(names),
                   lambda: all(self.learn(name) for name in names))

    def learn(self, name):
        """Whether the topic is there and led."""
        topic = self.described(name)
        if topic["ErrorCode"] or any(p["ErrorCode"] for p in
                                     topic["Partitions"]):
            return False
        self.ids[name] = topic["TopicId"]
        self.names[topic["TopicId"]] = name
        return True

    def described(self, name):
        return self.kafka.ask("Metadata", 12, {
            "AllowAutoTopicCreation": False,
            "Topics": [{"Name": name}]}).values["Topics"][0]

    def exists(self, name):
        return self.described(name)["ErrorCode"] == 0

    def naming(self, name):
        """The topic by name and by id: a version takes what it knows."""
        return {"Name": name, "Topic": name,
                "TopicId": self.ids.get(name, NO_ID)}

    def put(self, name, partition):
        """A record; the leader may not know yet that it is one."""
        def is_done():
            said = self.kafka.newest("Produce", {
                "Acks": -1, "TimeoutMs": 60000, "TopicData": [dict(
                    self.naming(name), PartitionData=[{
                        "Index": partition, "Records": batch(b"a record")}])]})
            topic, = said["Responses"]
            return topic["PartitionResponses"][0]["ErrorCode"] == 0

        self.until("a record in " + name, is_done)

    def offset(self, name, partition, when=-1):
        """The end; -2 is the beginning."""
        said = self.kafka.ask("ListOffsets", 5, {
            "ReplicaId": -1, "Topics": [{"Name": name, "Partitions": [
                {"PartitionIndex": partition, "Timestamp": when}]}]}).values
        return said["Topics"][0]["Partitions"][0]["Offset"]

    def ends(self, name):
        return [self.offset(name, partition) for partition in (0, 1)]

    def coordinator(self, kind, key):
        self.until("the coordinator of " + key, lambda: self.kafka.ask(
            "FindCoordinator", 3, {"Key": key, "KeyType": kind}
        ).values["ErrorCode"] == 0)

    def commit(self, group, name, offset):
        def is_done():
            said = self.kafka.ask("OffsetCommit", 7, {
                "GroupId": group, "Topics": [{"Name": name, "Partitions": [
                    {"PartitionIndex": partition, "CommittedOffset": offset,
                     "CommittedMetadata": "note"} for partition in (0, 1)]}]})
            return not any(r.error for r in said.results(self.names))

        self.coordinator(0, group)
        self.until("a commit of " + group, is_done)

    def committed(self, group, name):
        """Waits for transactions that end."""
        def ask():
            said = self.kafka.ask("OffsetFetch", 7, {
                "GroupId": group, "RequireStable": True, "Topics": [
                    {"Name": name, "PartitionIndexes": [0, 1]}]})
            results = said.results(self.names)
            return [r.entry["CommittedOffset"] for r in results
                    ] if not any(r.error for r in results) else None

        return self.until("offsets of " + group, ask)

    def group_state(self, group):
        return self.kafka.ask("DescribeGroups", 5, {
            "Groups": [group]}).values["Groups"][0]["GroupState"]

    def transaction(self, name):
        return self.kafka.ask("DescribeTransactions", 0, {
            "TransactionalIds": [name]}).values["TransactionStates"][0]

    def begin(self, name):
        """(producer id, epoch) of a transactional id."""
        def ask():
            said = self.kafka.ask("InitProducerId", 4, {
                "TransactionalId": name,
                "TransactionTimeoutMs": 60000}).values
            return (said["ProducerId"], said["ProducerEpoch"]
                    ) if said["ErrorCode"] == 0 else None

        self.coordinator(1, name)
        return self.until("a producer id for " + name, ask)

# SPDX-License-Identifier: Apache-2.0
"""Bit 30 of partition indexes is set: the broker has no such partition, and
refuses just those.  The answer brings the index back, flipped."""
from by_hand import FLIP, batch_of, indexes, topic_of
from raw import batch

BIT = FLIP << 24
GROUP, OWNER = FLIP >> 2, FLIP >> 3


def flipped(world, values, *topics):
    """An edit: of all partition indexes of those topics."""
    names = world.cluster.names

    def edit(body, places):
        for path, place in indexes(values, places):
            topic = topic_of(values, path)
            if names.get(topic, topic) in topics:
                body[place] |= world.flip

    return edit


def ask_flipped(world, api, version, values, *topics):
    """The topics are those that are denied."""
    return world.kafka.ask(api, version, values,
                           flipped(world, values, *topics))


def each(world, topics, array, fields):
    """Of each topic both partitions; an array of numbers without fields."""
    return [dict(world.cluster.naming(topic), **{array: [
        fields(partition) if fields else partition
        for partition in (0, 1)]}) for topic in topics]


# api: (array of topics, array of partitions, their fields, what comes besides)
REQUESTS = {
    "Produce": ("TopicData", "PartitionData", lambda p: {
        "Index": p, "Records": batch(b"a record")},
        {"Acks": -1, "TimeoutMs": 60000}),
    "Fetch": ("Topics", "Partitions", lambda p: {
        "Partition": p, "FetchOffset": 1, "PartitionMaxBytes": 1 << 20},
        {"ReplicaId": -1, "MaxWaitMs": 0, "MinBytes": 1, "SessionEpoch": -1}),
    "ListOffsets": ("Topics", "Partitions", lambda p: {
        "PartitionIndex": p, "Timestamp": -1, "MaxNumOffsets": 1},
        {"ReplicaId": -1}),
    "OffsetCommit": ("Topics", "Partitions", lambda p: {
        "PartitionIndex": p, "CommittedOffset": 1, "CommittedMetadata": ""},
        {"GroupId": "g-commit", "GenerationIdOrMemberEpoch": -1,
         "MemberId": ""}),
    "OffsetFetch": ("Topics", "PartitionIndexes", None,
                    {"GroupId": "g-fetch"}),
    "DeleteRecords": ("Topics", "Partitions", lambda p: {
        "PartitionIndex": p, "Offset": 1}, {"TimeoutMs": 60000}),
    "OffsetForLeaderEpoch": ("Topics", "Partitions", lambda p: {
        "Partition": p, "CurrentLeaderEpoch": -1, "LeaderEpoch": 0},
        {"ReplicaId": -1}),
    "OffsetDelete": ("Topics", "Partitions", lambda p: {
        "PartitionIndex": p}, {"GroupId": "g-delete"}),
    "DescribeProducers": ("Topics", "PartitionIndexes", None, {}),
    "ElectLeaders": ("TopicPartitions", "Partitions", None,
                     {"ElectionType": 0, "TimeoutMs": 60000}),
    "AlterPartitionReassignments": ("Topics", "Partitions", lambda p: {
        "PartitionIndex": p, "Replicas": [1]}, {"TimeoutMs": 60000}),
    "AddPartitionsToTxn": ("V3AndBelowTopics", "Partitions", None, {}),
    "TxnOffsetCommit": ("Topics", "Partitions", lambda p: {
        "PartitionIndex": p, "CommittedOffset": 7, "CommittedMetadata": ""},
        {"GenerationIdOrMemberEpoch": -1, "MemberId": ""}),
}


def request(world, topics, **more):
    array, partitions, fields, besides = REQUESTS[world.row["api"]]
    return dict(besides, **more, **{array: each(world, topics, partitions,
                                                fields)})


def check(world, answer):
    """Every partition of every topic once, each with its code, in order."""
    row, found, flip = world.row, {}, world.flip << 24
    for result in answer.results(world.cluster.names):
        found[result.topic, result.index] = result
    bit = {world.allowed: 0, world.denied: flip, world.refused: flip}
    codes = {world.allowed: row.get("beside", 0), world.denied: row["says"],
             world.refused: row["refused"]}
    wanted = {(topic, partition | bit[topic]): codes[topic]
              for topic in world.topics() for partition in (0, 1)}
    world.expect("codes", {key: r.error for key, r in found.items()}, wanted)
    for result in found.values():
        world.expect("the index comes first", result.is_index_first,
                     row["order"] == "index")
    return found


def check_honest(world, found, answer, version, **more):
    """Beside an answer to the same request, refused by the broker itself."""
    if not world.is_guarded or world.row["refused"] != 29:
        return
    honest = world.kafka.ask(world.row["api"], version, request(
        world, [world.refused, world.allowed], **more))
    for result in honest.results(world.cluster.names):
        if result.topic == world.refused:
            world.expect("an honest refusal", result.error, 29)
            mine = found[world.denied, result.index | world.flip << 24]
            world.differ(mine.entry,
                         result.entry, (result.code, "PartitionIndex",
                                        "Partition", "Index"))
    edited = ask_flipped(world, world.row["api"], version, request(
        world, [world.denied, world.allowed], **more), world.denied)
    world.sizes.add(edited.size == honest.size)


def proof(world, versions, **more):
    """What all have in common; the state is looked at by each."""
    for version in versions:
        world.version = version
        values = request(world, world.topics(), **more)
        answer = ask_flipped(world, world.row["api"], version, values,
                             world.denied, world.refused)
        found = check(world, answer)
        check_honest(world, found, answer, version, **more)


def ends(world):
    return [world.cluster.ends(topic)
            for topic in (world.allowed, world.denied)]


def produce(world, versions):
    before = ends(world)
    for acks in (-1, 1):
        proof(world, versions, Acks=acks)
    after = ends(world)
    # A guarded broker gets each request three times.
    added = len(versions) * 2 * (3 if world.is_guarded else 1)
    world.expect("appended to the allowed one", after[0],
                 [end + added for end in before[0]])
    world.expect("the end of the denied one", after[1], before[1])


def unknown(world, versions):
    """Bit 29, for a topic whose id has no name yet, does the same."""
    before = world.cluster.ends(world.denied)
    world.flip = FLIP >> 1
    try:
        proof(world, versions)
    finally:
        world.flip = FLIP
    world.expect("the end of the denied one", world.cluster.ends(
        world.denied), before)


def by_owner(inner, bit, code, codes):
    """Another bit, for what is in a group or a transaction that is denied: the
    same; and what a broker tells of each partition there."""
    def owned(world, versions):
        world.flip = bit
        try:
            inner(world, versions)
        finally:
            world.flip = FLIP
        for version in versions if world.is_guarded else []:
            world.version = version
            world.expect("an honest refusal", codes(world), {code})

    return owned


def asked_by(**refused):
    """The codes that are told of a group or transaction."""
    def codes(world):
        answer = world.kafka.ask(world.row["api"], world.version, request(
            world, [world.denied, world.allowed], **refused))
        # OffsetDelete has one for all of it.
        whole = answer.values.get("ErrorCode")
        return {whole} if whole else {
            r.error for r in answer.results(world.cluster.names)}

    return codes


def produced(world):
    """A broker asks by whom only of records that are in a transaction."""
    return {r.error for r in transactional(world, [world.allowed], "refuse",
                                           0, 0)}


def zookeeper(world, versions):
    """Offsets that were kept elsewhere: refused whatever they say."""
    values = request(world, [world.denied, world.allowed])
    for version in versions:
        world.version = version
        answer = world.kafka.ask(world.row["api"], version, values)
        world.expect("codes", {r.error for r in answer.results(
            world.cluster.names)}, {world.row["says"]})


def transaction(world, versions):
    """From version 12 on the broker adds to the transaction what it names:
    but not what is denied."""
    before = world.cluster.ends(world.denied)
    for version in versions:
        world.version = version
        is_second, name = version >= 12, "t-produce-%d" % version
        producer, epoch = world.cluster.begin(name)
        who = {"TransactionalId": name, "ProducerId": producer,
               "ProducerEpoch": epoch}
        alone = transactional(world, [world.denied], name, producer, epoch)
        world.expect("codes, denied alone", {r.error for r in alone},
                     {world.row["says"]})
        world.expect("the transaction", state(world, name), ("Empty", {}))
        if not is_second:
            world.kafka.ask("AddPartitionsToTxn", 3, {
                "V3AndBelowTransactionalId": name,
                "V3AndBelowProducerId": producer,
                "V3AndBelowProducerEpoch": epoch, "V3AndBelowTopics": each(
                    world, [world.allowed], "Partitions", None)})
        found = transactional(world, world.topics(), name, producer, epoch)
        world.expect("codes", {r.topic: r.error for r in found}, {
            topic: code for topic, code in (
                (world.denied, world.row["says"]), (world.allowed, 0),
                (world.refused, world.row["refused"]))
            if topic in world.topics()})
        world.expect("the transaction", state(world, name), (
            "Ongoing", {world.allowed: [0, 1]}))
        world.expect("EndTxn", world.kafka.ask(
            "EndTxn", 5 if is_second else 3, dict(who, Committed=True)
        ).values["ErrorCode"], 0)
        # Its markers come behind the answer, and are records, too.
        world.cluster.until(
            "the end of " + name,
            lambda: state(world, name)[0] == "CompleteCommit")
    world.expect("the end of the denied one", world.cluster.ends(
        world.denied), before)


def transactional(world, topics, name, producer, epoch):
    values = {"TransactionalId": name, "Acks": -1, "TimeoutMs": 60000,
              "TopicData": each(world, topics, "PartitionData", lambda p: {
                  "Index": p, "Records": batch_of(producer, epoch)})}
    return ask_flipped(world, "Produce", world.version, values, world.denied,
                       world.refused).results(world.cluster.names)


def state(world, name):
    """Of a transaction, with its partitions."""
    said = world.cluster.transaction(name)
    return said["TransactionState"], {
        topic["Topic"]: sorted(topic["Partitions"])
        for topic in said["Topics"]}


def delete_records(world, versions):
    proof(world, versions)
    for topic, offset in ((world.allowed, 1), (world.denied, 0)):
        world.expect("the beginning of " + topic, [
            world.cluster.offset(topic, p, -2) for p in (0, 1)],
            [offset, offset])


def commit(world, versions):
    world.cluster.commit("g-commit", world.denied, 5)
    proof(world, versions)
    world.expect("committed, allowed", world.cluster.committed(
        "g-commit", world.allowed), [1, 1])
    world.expect("committed, denied", world.cluster.committed(
        "g-commit", world.denied), [5, 5])
    answer = ask_flipped(world, "OffsetCommit", versions[-1], request(
        world, [world.denied], GroupId="g-never"), world.denied)
    world.expect("codes, denied alone", {r.error for r in answer.results(
        world.cluster.names)}, {world.row["says"]})
    world.expect("no group", world.cluster.group_state("g-never"), "Dead")


def offset_delete(world, versions):
    for topic in (world.allowed, world.denied):
        world.cluster.commit("g-delete", topic, 5)
    proof(world, versions)
    world.expect("committed, allowed", world.cluster.committed(
        "g-delete", world.allowed), [-1, -1])
    world.expect("committed, denied", world.cluster.committed(
        "g-delete", world.denied), [5, 5])


def reassign(world, versions):
    proof(world, versions)
    said = world.kafka.newest("ListPartitionReassignments", {
        "TimeoutMs": 60000, "Topics": None})
    world.expect("reassignments", said["Topics"], [])


def add_partitions(world, versions):
    for version in versions:
        name = "t-add-%d" % version
        producer, epoch = world.cluster.begin(name)
        more = {"V3AndBelowTransactionalId": name,
                "V3AndBelowProducerId": producer,
                "V3AndBelowProducerEpoch": epoch}
        proof(world, [version], **more)
        world.expect("the transaction", state(world, name), ("Empty", {}))
        answer = world.kafka.ask("AddPartitionsToTxn", version, request(
            world, [world.allowed], **more))
        world.expect("allowed alone", [r.error for r in answer.results(
            world.cluster.names)], [0, 0])


def txn_commit(world, versions):
    """From version 5 on the broker adds the group to the transaction."""
    for version in versions:
        is_second = version >= 5
        name, group = "t-offsets-%d" % version, "g-txn-%d" % version
        world.cluster.coordinator(0, group)
        producer, epoch = world.cluster.begin(name)
        who = {"TransactionalId": name, "ProducerId": producer,
               "ProducerEpoch": epoch}
        if not is_second:
            world.expect("AddOffsetsToTxn", world.kafka.ask(
                "AddOffsetsToTxn", 3, dict(who, GroupId=group)).values[
                    "ErrorCode"], 0)
        alone = ask_flipped(world, "TxnOffsetCommit", version, request(
            world, [world.denied], GroupId=group, **who), world.denied)
        world.expect("codes, denied alone", {r.error for r in alone.results(
            world.cluster.names)}, {world.row["says"]})
        if is_second:
            world.expect("the transaction", state(world, name), ("Empty", {}))
        proof(world, [version], GroupId=group, **who)
        world.expect("EndTxn", world.kafka.ask(
            "EndTxn", 5 if is_second else 3, dict(who, Committed=True)
        ).values["ErrorCode"], 0)
        world.expect("committed, allowed", world.cluster.committed(
            group, world.allowed), [7, 7])
        world.expect("committed, denied", world.cluster.committed(
            group, world.denied), [-1, -1])


PROOFS = {"partition": proof, "produce": produce, "unknown id": unknown,
          "transaction": transaction,
          "zookeeper": zookeeper,
          "delete records": delete_records, "commit": commit,
          "offset delete": offset_delete, "reassign": reassign,
          "add partitions": add_partitions, "txn commit": txn_commit,
          "commit by group": by_owner(commit, GROUP, 30, asked_by(
              GroupId="refuse")),
          "offset delete by group": by_owner(offset_delete, GROUP, 30,
                                             asked_by(GroupId="refuse")),
          "txn commit by group": by_owner(txn_commit, GROUP, 30, asked_by(
              GroupId="refuse", TransactionalId="any", ProducerId=0,
              ProducerEpoch=0)),
          "txn commit by id": by_owner(txn_commit, OWNER, 53, asked_by(
              GroupId="any", TransactionalId="refuse", ProducerId=0,
              ProducerEpoch=0)),
          "add partitions by id": by_owner(add_partitions, OWNER, 53, asked_by(
              V3AndBelowTransactionalId="refuse", V3AndBelowProducerId=0,
              V3AndBelowProducerEpoch=0)),
          "transaction by id": by_owner(transaction, OWNER, 53, produced)}

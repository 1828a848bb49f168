# SPDX-License-Identifier: Apache-2.0
"""Share groups: flipped partitions in a share session, which has at its heart
the same rules as a fetch session."""
import time

from denials_fetch import WAIT
from denials_partition import BIT, ask_flipped


def member(world, name):
    """(group, member) that has been given the partitions."""
    group = "g-share-" + name
    values = {"GroupId": group, "MemberId": "AAAAAAAAAAAAAAAAAAAA" + name,
              "MemberEpoch": 0,
              "SubscribedTopicNames": [world.allowed, world.denied]}
    world.cluster.coordinator(0, group)

    def is_assigned():
        said = world.kafka.ask("ShareGroupHeartbeat", 1, values).values
        if said["ErrorCode"]:
            return False
        values["MemberEpoch"] = said["MemberEpoch"]
        given = (said["Assignment"] or {}).get("TopicPartitions", [])
        return len(given) == 2

    world.cluster.until("partitions of " + group, is_assigned)
    return {"GroupId": group, "MemberId": values["MemberId"]}


def topics(world, *named):
    return [dict(world.cluster.naming(topic), Partitions=[
        {"PartitionIndex": p} for p in (0, 1)]) for topic in named]


def fetch(world, who, epoch, *named, **more):
    values = dict(who, ShareSessionEpoch=epoch, MinBytes=1,
                  MaxBytes=1 << 20, MaxRecords=100, BatchSize=100,
                  Topics=topics(world, *named), **more)
    return ask_flipped(world, "ShareFetch", world.version, values,
                       world.denied, world.refused)


def codes(world, answer):
    world.expect("the request", answer.values["ErrorCode"], 0)
    results = answer.results(world.cluster.names)
    world.expect("the index comes first",
                 all(r.is_index_first for r in results), True)
    first = {r.topic: r for r in results}
    if world.refused in first and world.denied in first:
        mine, honest = first[world.denied].entry, first[world.refused].entry
        world.differ(mine, honest, ("ErrorCode", "PartitionIndex"))
        world.sizes.add(mine.get("ErrorMessage") == honest.get("ErrorMessage"))
    return {(r.topic, r.index): r.error for r in results}


def wanted(world, topics, partitions=(0, 1)):
    code = {world.denied: world.row["says"],
            world.refused: world.row["refused"]}
    return {(topic, p | BIT): code[topic] for topic in topics
            if topic != world.allowed for p in partitions}


def refused(world, answer):
    """Codes but those of allowed partitions, which have none."""
    found = codes(world, answer)
    for key in list(found):
        if key[0] == world.allowed:
            world.expect("%s %d" % key, found.pop(key), 0)
    return found


def acquired(world, who, epoch):
    """(the next epoch, what was got) of records that come, until some that
    come after the broker has begun to share."""
    for epoch in range(epoch, epoch + 60):
        for topic in (world.denied, world.allowed):
            world.cluster.put(topic, 0)
        answer = fetch(world, who, epoch, MaxWaitMs=1000)
        world.expect("codes, repeated", refused(world, answer),
                     wanted(world, world.topics()))
        got = [(r.topic, batch)
               for r in answer.results(world.cluster.names)
               for batch in r.entry["AcquiredRecords"] or []]
        if got:
            return epoch + 1, got
    raise TimeoutError("records of a share group")


def session(world, name):
    """(member, epoch, a record acquired) after a flipped session began."""
    who = member(world, name)
    world.expect("codes", refused(world, fetch(
        world, who, 0, *world.topics())), wanted(world, world.topics()))
    epoch, got = acquired(world, who, 1)
    world.expect("topics acquired", {topic for topic, _ in got},
                 {world.allowed})
    return who, epoch, got[0][1]


def share_fetch(world, versions):
    for version in versions:
        world.version = version
        who, epoch, _ = session(world, "f%d" % version)
        topics = [dict(world.cluster.naming(world.denied), Partitions=[0])]
        fetch(world, who, epoch, ForgottenTopicsData=topics)
        left = wanted(world, world.topics())
        del left[world.denied, BIT]
        began = time.monotonic()
        world.expect("codes, forgotten", refused(world, fetch(
            world, who, epoch + 1, MaxWaitMs=int(WAIT * 1000))), left)
        world.expect("it waited", time.monotonic() - began > WAIT - 0.01,
                     True)
        in_passing(world, who, epoch + 2)
        fetch(world, who, -1)


def in_passing(world, who, epoch):
    """What a fetch acknowledges has an error code of its own."""
    batch = {"FirstOffset": 1, "LastOffset": 1, "AcknowledgeTypes": [1]}
    values = dict(who, ShareSessionEpoch=epoch, MaxBytes=1 << 20,
                  MaxRecords=100, BatchSize=100, Topics=[
                      dict(world.cluster.naming(topic), Partitions=[
                          {"PartitionIndex": 1,
                           "AcknowledgementBatches": [batch]}])
                      for topic in world.topics() if topic != world.allowed])
    answer = ask_flipped(world, "ShareFetch", world.version, values,
                         world.denied, world.refused)
    found = {(r.topic, r.index): r.entry["AcknowledgeErrorCode"]
             for r in answer.results(world.cluster.names)}
    for key, code in wanted(world, world.topics(), (1,)).items():
        world.expect("acknowledged in passing, %s %d" % key, found.get(key),
                     code)


def share_acknowledge(world, versions):
    for version in versions:
        world.version = version
        who, epoch, record = session(world, "a%d" % version)
        batch = {"FirstOffset": record["FirstOffset"],
                 "LastOffset": record["LastOffset"], "AcknowledgeTypes": [1]}
        values = dict(who, ShareSessionEpoch=epoch, Topics=[
            dict(world.cluster.naming(topic), Partitions=[
                {"PartitionIndex": 0, "AcknowledgementBatches": [batch]}])
            for topic in world.topics()])
        answer = ask_flipped(world, "ShareAcknowledge", version, values,
                             world.denied, world.refused)
        found = codes(world, answer)
        world.expect("allowed", found.pop((world.allowed, 0), None), 0)
        world.expect("codes", found, wanted(world, world.topics(), (0,)))
        fetch(world, who, -1)


PROOFS = {"share fetch": share_fetch, "share acknowledge": share_acknowledge}

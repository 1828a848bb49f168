# SPDX-License-Identifier: Apache-2.0
"""Whole requests that are denied: a field is overwritten by what no broker
accepts, which it says before it makes any state."""
import struct

UNKNOWN_MEMBER, NOT_FOUND, UNKNOWN_ID = 25, 69, 105


def overwrite(field, value):
    def edit(body, places):
        struct.pack_into(">i", body, places[field,], value)

    return edit


def denied(world, api, values, edit):
    answer = world.kafka.ask(api, world.version, values, edit)
    world.expect("the error", answer.values["ErrorCode"], world.row["says"])
    return answer


def honest(world, api, values, error, answer, *besides):
    """How a refusal by the broker differs."""
    if world.is_guarded:
        refused = world.kafka.ask(api, world.version, values)
        world.expect("an honest refusal", refused.values["ErrorCode"], error)
        world.differ_whole(answer, refused, *besides)


def members(api, describe, version_described, wanted):
    """Where joining and staying are one request (KIP-848); wanted: what it says
    of a topic."""
    edit = overwrite("MemberEpoch", -3)

    def proof(world, versions):
        for version in versions:
            world.version = version
            group = "g-%s-%d" % (api, version)
            join = dict(wanted(world.allowed), GroupId=group, MemberEpoch=0,
                        MemberId="AAAAAAAAAAAAAAAAAAAAA%d" % version)
            answer = denied(world, api, join, edit)
            said = world.kafka.ask(describe, version_described, {
                "GroupIds": [group]}).values["Groups"][0]
            world.expect("no group", said["ErrorCode"], NOT_FOUND)
            honest(world, api, dict(join, GroupId="refuse"), 30, answer)
            if world.release != "3.9":  # which does not look at the topics
                honest(world, api, dict(join, **wanted(world.refused)), 29,
                       answer)
            stays(world, api, join, edit)

    return proof


def stays(world, api, join, edit):
    """Who is a member is none less for what is denied."""
    joined = world.kafka.ask(api, world.version, join).values
    world.expect("joined", joined["ErrorCode"], 0)
    stay = {"GroupId": join["GroupId"], "MemberId": joined["MemberId"],
            "MemberEpoch": joined["MemberEpoch"]}
    denied(world, api, stay, edit)
    world.expect("still a member", world.kafka.ask(
        api, world.version, stay).values["ErrorCode"], 0)


def consumer(topic):
    return {"RebalanceTimeoutMs": 60000, "TopicPartitions": [],
            "SubscribedTopicNames": [topic]}


def sharer(topic):
    return {"SubscribedTopicNames": [topic]}


def streams(topic):
    return {"RebalanceTimeoutMs": 60000, "ProcessId": "a process",
            "ActiveTasks": [], "StandbyTasks": [], "WarmupTasks": [],
            "Topology": {"Subtopologies": [{
                "SubtopologyId": "0", "SourceTopics": [topic]}]}}


def join_request(group, member=""):
    return {"GroupId": group, "SessionTimeoutMs": 30000,
            "RebalanceTimeoutMs": 30000, "MemberId": member,
            "ProtocolType": "consumer",
            "Protocols": [{"Name": "any", "Metadata": b""}]}


def joined(world, group, timeout=30000):
    """(member, generation) of the only one, in an old version that asks
    once."""
    said = world.kafka.ask("JoinGroup", 3, dict(
        join_request(group), SessionTimeoutMs=timeout)).values
    world.expect("joined", said["ErrorCode"], 0)
    said_sync = world.kafka.ask("SyncGroup", 1, {
        "GroupId": group, "GenerationId": said["GenerationId"],
        "MemberId": said["MemberId"], "Assignments": []}).values
    world.expect("synced", said_sync["ErrorCode"], 0)
    return said["MemberId"], said["GenerationId"]


def join(world, versions):
    edit = overwrite("SessionTimeoutMs", 0)
    member, _ = joined(world, "g-there")
    for version in versions:
        world.version = version
        group = "g-join-%d" % version
        answer = denied(world, "JoinGroup", join_request(group), edit)
        world.expect("no group", world.cluster.group_state(group), "Dead")
        denied(world, "JoinGroup", join_request("g-there", member), edit)
        world.expect("the group", world.cluster.group_state("g-there"),
                     "Stable")
        honest(world, "JoinGroup", join_request("refuse"), 30, answer)


def stay(world, versions):
    member, generation = joined(world, "g-stay")
    for version in versions:
        world.version = version
        values = {"GroupId": "g-stay", "MemberId": member,
                  "GenerationId": generation}
        answer = denied(world, "Heartbeat", values,
                        overwrite("GenerationId", -2))
        world.expect("still a member", world.kafka.ask(
            "Heartbeat", version, values).values["ErrorCode"], 0)
        honest(world, "Heartbeat", dict(values, GroupId="refuse"), 30, answer)
    if not world.is_guarded:
        expire(world)


def expire(world):
    """What is denied does not count as a sign of life."""
    member, generation = joined(world, "g-expire", 2000)
    values = {"GroupId": "g-expire", "MemberId": member,
              "GenerationId": generation}
    world.cluster.until("the member to expire", lambda: world.kafka.ask(
        "Heartbeat", world.version, values, overwrite("GenerationId", -2)
    ).values["ErrorCode"] == UNKNOWN_MEMBER)


def producer(world, versions):
    edit = overwrite("TransactionTimeoutMs", 0x7FFFFFFF)
    there = world.cluster.begin("t-there")
    for version in versions:
        world.version = version
        name = "t-init-%d" % version
        values = {"TransactionalId": name, "TransactionTimeoutMs": 60000}
        answer = denied(world, "InitProducerId", values, edit)
        world.expect("no transaction", world.cluster.transaction(name)[
            "ErrorCode"], UNKNOWN_ID)
        denied(world, "InitProducerId", dict(
            values, TransactionalId="t-there"), edit)
        said = world.cluster.transaction("t-there")
        world.expect("the transactional id", (
            said["ProducerId"], said["ProducerEpoch"]), there)
        honest(world, "InitProducerId", dict(
            values, TransactionalId="refuse"), 53, answer)
        idempotent = world.kafka.ask("InitProducerId", version, dict(
            values, TransactionalId=None), edit).values
        world.expect("without a transactional id it is not looked at",
                     idempotent["ErrorCode"], 0)


PROOFS = {"heartbeat": members("ConsumerGroupHeartbeat",
                               "ConsumerGroupDescribe", 0, consumer),
          "share heartbeat": members("ShareGroupHeartbeat",
                                     "ShareGroupDescribe", 1, sharer),
          "streams heartbeat": members("StreamsGroupHeartbeat",
                                       "StreamsGroupDescribe", 0, streams),
          "join": join, "stay": stay,
          "producer": producer}

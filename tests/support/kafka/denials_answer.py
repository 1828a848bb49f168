# SPDX-License-Identifier: Apache-2.0
"""Where the request must stay as it is and the answer is edited: what comes
first in it, and how it differs from the refusal of a broker."""
from denials_partition import BIT, ask_flipped


def offset_fetch(world, versions):
    """An index that is not there has offset -1 and no error, as one without a
    commit: a consumer would start anew.  So no flip."""
    for topic in (world.allowed, world.denied):
        world.cluster.commit("g-fetch", topic, 5)
    for version in versions:
        world.version = version
        topics = [dict(world.cluster.naming(topic), PartitionIndexes=[0, 1])
                  for topic in world.topics()]
        values = {"GroupId": "g-fetch", "Topics": topics, "Groups": [
            {"GroupId": "g-fetch", "Topics": topics}]}
        fake = ask_flipped(world, "OffsetFetch", version, values,
                           world.denied)
        for result in fake.results(world.cluster.names):
            if result.topic == world.denied:
                world.expect("a fake", (result.index >= BIT, result.error,
                                        result.entry["CommittedOffset"]),
                             (True, 0, -1))
        offsets_compare(world, world.kafka.ask("OffsetFetch", version,
                                               values))


def epochs(world, versions):
    """All that is edited of a topic stands behind its name."""
    for version in versions:
        world.version = version
        asked = [dict(world.cluster.naming(topic), Partitions=[
            {"Partition": 0, "CurrentLeaderEpoch": -1, "LeaderEpoch": 0}])
                 for topic in world.topics()]
        answer = world.kafka.ask("OffsetForLeaderEpoch", version, {
            "ReplicaId": -1, "Topics": asked})
        found = {r.topic: r for r in answer.results(world.cluster.names)}
        for result in found.values():
            world.expect("the index comes first", result.is_index_first,
                         world.row["order"] == "index")
        world.expect("no error", found[world.denied].error, 0)
        if world.is_guarded:
            honest = found[world.refused]
            world.expect("an honest refusal", (
                honest.error, honest.entry["EndOffset"],
                honest.entry.get("LeaderEpoch", -1)), (29, -1, -1))
            world.differ(found[world.denied].entry, honest.entry,
                         ("ErrorCode",))
            world.sizes.add(True)


def offsets_compare(world, answer):
    found = {(r.topic, r.index): r
             for r in answer.results(world.cluster.names)}
    for result in found.values():
        world.expect("the index comes first", result.is_index_first,
                     world.row["order"] == "index")
    world.expect("committed", found[world.denied, 0].entry[
        "CommittedOffset"], 5)
    if world.is_guarded:
        honest = found[world.refused, 0]
        world.expect("an honest refusal", honest.error, 29)
        world.differ(found[world.denied, 0].entry, honest.entry,
                     ("ErrorCode",))
        world.sizes.add(False)


PROOFS = {"offset fetch": offset_fetch, "epochs": epochs}

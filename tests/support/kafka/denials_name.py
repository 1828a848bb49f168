# SPDX-License-Identifier: Apache-2.0
"""Requests that name topics without partitions.  The last byte of a denied
name becomes one that no name may have, another one for each that it may be, and
comes back so; an id gets a bit that no id has; a flag is overwritten."""
import string

from by_hand import at

LEGAL = (string.ascii_letters + string.digits + "._-").encode()
ILLEGAL = bytes(byte for byte in reversed(range(128)) if byte not in LEGAL)
# What a name ends in, in their order; `.`, `_` and `-` share the last one.
ENDS = string.ascii_lowercase + string.digits + string.ascii_uppercase
# Ids are UUIDs of version 4, whose seventh byte is 0x4., 0xc. is none; and
# whose ninth begins by the bits 10.
ID_BYTE, ID_BIT = 6, 0x80
ID_VARIANT_BYTE, ID_VARIANT_BIT = 8, 0x40


def is_name(path, array):
    return (path[0] == array and len(path) > 1 and
            path[-1] in ("Name", "ResourceName", 0, 1, 2) and len(path) <= 3)


def fake(values, array, *denied):
    """An edit of those names, and {name: what it becomes}."""
    names = {name: name[:-1] + chr(ILLEGAL[(ENDS + name[-1]).index(name[-1])])
             for name in denied}

    def edit(body, places):
        for path, place in places.items():
            if is_name(path, array) and at(values, path) in names:
                name = names[at(values, path)]
                body[place + len(name) - 1] = ord(name[-1])

    return edit, names


def names(kind, version):
    """Of one length: allowed, two denied that differ in the last byte, and
    one that a guarded broker refuses."""
    return ["%s%02d%s" % (stem, version, end) for stem, end in (
        ("allow" + kind, "a"), ("denie" + kind, "a"), ("denie" + kind, "Z"),
        ("refuse", "a"))]


def codes(world, answer, array, name):
    found = answer.named(array, name)
    world.expect("the name comes first", {
        is_first for _, is_first in found.values()},
        {world.row["order"] == "name"})
    return {name: entry["ErrorCode"] for name, (entry, _) in found.items()}


def ask_faked(world, api, values, array, answers, denied, name="Name"):
    """All but the denied are done; returns the entry of the first one."""
    edit, faked = fake(values, array, *denied)
    answer = world.kafka.ask(api, world.version, values, edit)
    asked = [entry if isinstance(entry, str) else entry[name]
             for entry in values[array]]
    world.expect("codes", codes(world, answer, answers, name), {
        faked.get(each, each): world.row["says"] if each in faked else 0
        for each in asked})
    said = {entry["ErrorMessage"] for entry in answer.values[answers]
            if entry["ErrorCode"] and entry.get("ErrorMessage")}
    if said:
        world.expect("the message quotes the fake", all(any(
            name in text for name in faked.values()) for text in said),
            world.row["quotes"])
    return answer


def honest(world, api, values, array, answer, name="Name"):
    """A refusal by the broker beside the first denied one."""
    if not world.is_guarded:
        return
    refused = world.kafka.ask(api, world.version, values)
    entry = refused.values[array][0]
    world.expect("an honest refusal", entry["ErrorCode"], 29)
    edited = next(e for e in answer.values[array] if e["ErrorCode"])
    world.differ(edited, entry, ("ErrorCode", name))
    world.sizes.add(edited.get("ErrorMessage") == entry.get("ErrorMessage"))


def new_topics(*topics):
    return {"timeoutMs": 60000, "Topics": [
        {"Name": name, "NumPartitions": 1, "ReplicationFactor": 1}
        for name in topics]}


def create(world, versions):
    for version in versions:
        world.version = version
        allowed, denied, other, refused = names("c", version)
        answer = ask_faked(world, "CreateTopics", new_topics(
            denied, allowed, other), "Topics", "Topics", (denied, other))
        world.cluster.until(allowed, lambda: world.cluster.exists(allowed))
        world.expect("there", [world.cluster.exists(denied),
                               world.cluster.exists(other)], [False, False])
        honest(world, "CreateTopics", new_topics(refused), "Topics", answer)
    many = ["many" + end for end in ENDS + "-"]
    ask_faked(world, "CreateTopics", new_topics(*many), "Topics", "Topics",
              many)


def validate(world, versions):
    """All topics of the request are denied."""
    def edit(body, places):
        body[places["validateOnly",]] = 1

    for version in versions:
        world.version = version
        _, denied, other, _ = names("v", version)
        answer = world.kafka.ask("CreateTopics", version, new_topics(
            denied, other), edit)
        world.expect("codes", codes(world, answer, "Topics", "Name"),
                     {denied: world.row["says"], other: world.row["says"]})
        world.expect("there", [world.cluster.exists(denied),
                               world.cluster.exists(other)], [False, False])


def delete(world, versions):
    for version in versions:
        world.version = version
        allowed, denied, _, _ = names("d", version)
        world.cluster.create(allowed, denied, partitions=1)
        answer = ask_faked(world, "DeleteTopics", deleting(
            version, denied, allowed), array_of(version), "Responses",
            (denied,))
        left(world, allowed, denied)
        honest(world, "DeleteTopics", deleting(version, world.refused),
               "Responses", answer)


def array_of(version):
    return "Topics" if version >= 6 else "TopicNames"


def deleting(version, *topics):
    return {"TimeoutMs": 60000, array_of(version): [
        {"Name": name} for name in topics] if version >= 6 else list(topics)}


def left(world, allowed, denied):
    world.cluster.until(allowed + " to go",
                        lambda: not world.cluster.exists(allowed))
    world.expect("still there", world.cluster.exists(denied), True)


def delete_id(world, versions):
    for version in versions:
        world.version = version
        allowed, denied, other, _ = names("i", version)
        world.cluster.create(allowed, denied, other, partitions=1)
        ids = world.cluster.ids
        world.expect("ids of version 4", {
            number[ID_BYTE] >> 4 for number in ids.values()}, {4})
        answer = world.kafka.ask("DeleteTopics", version, {
            "TimeoutMs": 60000, "Topics": [
                {"Name": None, "TopicId": ids[name]}
                for name in (denied, allowed, other)]}, flip_ids)
        wrong = bytearray(ids[denied])
        flip_id(wrong, 0)
        variant = bytearray(ids[other])
        flip_id(variant, 0, ID_VARIANT_BYTE, ID_VARIANT_BIT)
        world.expect("codes", {(r["Name"], r["TopicId"]): r["ErrorCode"]
                               for r in answer.values["Responses"]},
                     {(allowed, ids[allowed]): 0,
                      (None, bytes(wrong)): world.row["says"],
                      (None, bytes(variant)): world.row["says"]})
        left(world, allowed, denied)
        world.expect("still there", world.cluster.exists(other), True)


def flip_ids(body, places):
    flip_id(body, places["Topics", 0, "TopicId"])
    flip_id(body, places["Topics", 2, "TopicId"], ID_VARIANT_BYTE,
            ID_VARIANT_BIT)


def flip_id(body, place, byte=ID_BYTE, bit=ID_BIT):
    body[place + byte] ^= bit


def grow(world, versions):
    def growing(*topics):
        return {"TimeoutMs": 60000, "Topics": [
            {"Name": name, "Count": 3, "Assignments": None}
            for name in topics]}

    for version in versions:
        world.version = version
        allowed, denied, _, _ = names("g", version)
        world.cluster.create(allowed, denied)
        answer = ask_faked(world, "CreatePartitions", growing(
            denied, allowed), "Topics", "Results", (denied,))
        world.cluster.until("a third partition", lambda: partitions(
            world, allowed) == 3)
        world.expect("partitions", partitions(world, denied), 2)
        honest(world, "CreatePartitions", growing(world.refused), "Results",
               answer)


def partitions(world, name):
    return len(world.cluster.described(name)["Partitions"])


def configs(world, versions):
    def setting(*topics):
        return {"Resources": [
            {"ResourceType": 2, "ResourceName": name, "Configs": [
                {"Name": "retention.ms", "Value": str(1000000 + version)}]}
            for name in topics]}

    for version in versions:
        world.version = version
        before = retention(world, world.denied)
        answer = ask_faked(world, world.row["api"], setting(
            world.denied, world.allowed), "Resources", "Responses",
            (world.denied,), "ResourceName")
        world.cluster.until("a configuration", lambda: retention(
            world, world.allowed) == str(1000000 + version))
        world.expect("retention.ms", retention(world, world.denied), before)
        honest(world, world.row["api"], setting(world.refused), "Responses",
               answer, "ResourceName")


def retention(world, name):
    said = world.kafka.ask("DescribeConfigs", 1, {"Resources": [
        {"ResourceType": 2, "ResourceName": name,
         "ConfigurationKeys": ["retention.ms"]}]}).values
    return said["Results"][0]["Configs"][0]["Value"]


def auto(world, versions):
    """The flag that lets a Metadata request make topics."""
    def edit(body, places):
        body[places["AllowAutoTopicCreation",]] = 0

    for version in versions:
        world.version = version
        _, denied, _, _ = names("a", version)
        values = {"AllowAutoTopicCreation": True,
                  "Topics": [{"Name": denied}]}
        answer = world.kafka.ask("Metadata", version, values, edit)
        world.expect("codes", codes(world, answer, "Topics", "Name"),
                     {denied: world.row["says"]})
        world.expect("there", world.cluster.exists(denied), False)
    # The same without an edit makes it: else this would prove nothing.
    world.cluster.until(denied, lambda: world.kafka.ask(
        "Metadata", world.version, values) and world.cluster.exists(denied))


def auto_name(world, versions):
    """Older versions have no flag: a name that cannot be made."""
    for version in versions:
        world.version = version
        _, denied, _, _ = names("n", version)
        values = {"AllowAutoTopicCreation": True,
                  "Topics": [{"Name": denied}]}
        answer = ask_faked(world, "Metadata", values, "Topics", "Topics",
                           (denied,))
        world.expect("there", world.cluster.exists(denied), False)
        honest(world, "Metadata", {"Topics": [{"Name": world.refused}]},
               "Topics", answer)


def metadata_id(world, versions):
    ids = world.cluster.ids
    wrong = bytearray(ids[world.denied])
    flip_id(wrong, 0)
    for version in versions:
        world.version = version
        answer = world.kafka.ask("Metadata", version, {"Topics": [
            {"Name": None, "TopicId": ids[name]}
            for name in (world.denied, world.allowed)]},
            lambda body, places: flip_id(body, places["Topics", 0,
                                                      "TopicId"]))
        world.expect("codes", {(r["Name"], r["TopicId"]): r["ErrorCode"]
                               for r in answer.values["Topics"]},
                     {(world.allowed, ids[world.allowed]): 0,
                      (None, bytes(wrong)): world.row["says"]})


def describe(world, versions):
    """No partitions and no configuration leave the broker."""
    is_config = world.row["api"] == "DescribeConfigs"
    array, answers, name = ("Resources", "Results", "ResourceName"
                            ) if is_config else ("Topics", "Topics", "Name")

    def asking(*topics):
        return {array: [{name: topic, "ResourceType": 2,
                         "ConfigurationKeys": ["retention.ms"]}
                        for topic in topics]}

    for version in versions:
        world.version = version
        answer = ask_faked(world, world.row["api"], asking(
            world.allowed, world.denied), array, answers, (world.denied,),
            name)
        honest(world, world.row["api"], asking(world.refused), answers,
               answer, name)


PROOFS = {"create": create, "validate": validate, "delete": delete,
          "delete id": delete_id, "grow": grow, "configs": configs,
          "auto": auto, "auto name": auto_name,
          "metadata id": metadata_id, "describe by name": describe}

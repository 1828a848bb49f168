#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""denials.py HOST:PORT JAR RELEASE open|guarded: proves at a broker what
denials.json says that a deny comes to: each of its rows, in every version that
the broker and the JAR of its release share.

`guarded` is a broker with an authorizer that refuses all that begins with
"refuse" (see guard()).  There a row also proves that the broker's own refusal
survives the edit, and how the edited refusal, put back, differs from it.

Prints a line for each row; ends with 1 if one does not hold.  The edits:

  denials_partition.py   bit 30 of a partition index
  denials_fetch.py       fetch sessions, waiting, renewal
  denials_silent.py      Produce that is not answered
  denials_share.py       share groups
  denials_name.py        names, ids and flags of topics
  denials_group.py       groups and transactional ids, whole requests
  denials_answer.py      what is edited in answers only
"""
import json
import os
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "../../../dataplane/kafka"))

import definitions
from by_hand import FLIP, HOST, Cluster, Kafka

import denials_answer
import denials_fetch
import denials_group
import denials_name
import denials_partition
import denials_share
import denials_silent

PROOFS = {}
for module in (denials_answer, denials_fetch, denials_group, denials_name,
               denials_partition, denials_share, denials_silent):
    PROOFS.update(module.PROOFS)

# Topics, all names of one length.
ALLOWED, DENIED, REFUSED = "allowed", "denied0", "refused"
TOPIC, GROUP, CLUSTER, TRANSACTION = 2, 3, 4, 5
PREFIXED, LITERAL = 4, 3
ALL, CREATE, DELETE, CLUSTER_ACTION = 2, 5, 6, 9
DENY, ALLOW = 2, 3


class World:
    """What a proof needs, and what it found to be otherwise."""

    def __init__(self, kafka, release, is_guarded):
        self.kafka, self.cluster = kafka, Cluster(kafka)
        self.release, self.is_guarded = release, is_guarded
        self.allowed, self.denied, self.refused = ALLOWED, DENIED, REFUSED
        self.row, self.version, self.wrong = None, None, []
        self.flip = FLIP
        self.differing, self.sizes = set(), set()

    def topics(self):
        """In the order in which requests name them."""
        return [DENIED, ALLOWED] + [REFUSED] * self.is_guarded

    def expect(self, what, found, wanted):
        if found != wanted:
            self.wrong.append("v%s: %s: %r, not %r" % (
                self.version, what, found, wanted))

    def differ(self, edited, honest, besides):
        """Notes in which fields an edited refusal differs from an honest
        one; in some it must."""
        for field in edited:
            if field not in besides and edited[field] != honest[field]:
                self.differing.add(field)

    def differ_whole(self, edited, honest, *besides):
        """Answers that refuse all."""
        self.differ(edited.values, honest.values,
                    ("ErrorCode", "ThrottleTimeMs") + besides)
        self.sizes.add(edited.size == honest.size)

    def setup(self):
        for name in (ALLOWED, DENIED, REFUSED):
            self.cluster.create(name)
            for partition in (0, 1):
                for _ in range(3):
                    self.cluster.put(name, partition)
        # Until the coordinators are there, of all groups and transactions.
        self.cluster.commit("any", ALLOWED, 1)
        self.cluster.begin("any")
        if self.is_guarded:
            self.guard()

    def guard(self):
        """Nobody may touch a topic, group or transactional id that begins
        with "refuse"; no right to the whole cluster lets us make, delete or
        read topics, so that the topic's own rules are asked."""
        def rule(kind, name, pattern, operation, permission, host="*"):
            return {"ResourceType": kind, "ResourceName": name,
                    "ResourcePatternType": pattern, "Principal": "User:*",
                    "Host": host, "Operation": operation,
                    "PermissionType": permission}

        rules = [rule(kind, "refuse", PREFIXED, ALL, DENY)
                 for kind in (TOPIC, GROUP, TRANSACTION)]
        rules += [rule(CLUSTER, "kafka-cluster", LITERAL, ALL, ALLOW)]
        rules += [rule(CLUSTER, "kafka-cluster", LITERAL, right, DENY, HOST)
                  for right in (CREATE, DELETE, CLUSTER_ACTION)]
        said = self.kafka.newest("CreateAcls", {"Creations": rules})
        if any(r["ErrorCode"] for r in said["Results"]):
            raise ValueError(said)
        self.cluster.until("the authorizer", lambda: self.cluster.described(
            REFUSED)["ErrorCode"] == 29)


def versions(row, kafka):
    """Those of the row's API that clients use."""
    first, last = row.get("within", [0, 99])
    return [version for version in kafka.versions(row["api"])
            if first <= version <= last]


def text(found):
    if not found:
        return "none"
    first, last = found[0], found[-1]
    return "%d" % first if first == last else "%d-%d" % (first, last)


def prove(world, row):
    found = versions(row, world.kafka)
    world.row, world.version, world.wrong = row, None, []
    world.differing, world.sizes = set(), set()
    world.expect("versions", text(found), row["versions"].get(
        world.release, "in denials.json"))
    try:
        if found:
            PROOFS[row["proof"]](world, found)
    except Exception:
        world.wrong.append("v%s: %s" % (world.version,
                                        traceback.format_exc()))
        world.kafka = world.cluster.kafka = world.kafka.again()
    if found and world.is_guarded and "differs" in row:
        world.version = "*"
        world.expect("differs from an honest refusal in",
                     sorted(world.differing), sorted(row["differs"]))
        world.expect("is as long as an honest refusal",
                     world.sizes == {True}, row["same_size"])
    if found or world.wrong:
        print("%s %s v%s, %s" % ("FAILED" if world.wrong else "ok    ",
                                 row["api"], text(found), row["proof"]))
    for line in world.wrong:
        print("       " + line)
    return not world.wrong


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    kafka = Kafka((host.strip("[]"), int(port)), definitions.read(sys.argv[2]))
    world = World(kafka, sys.argv[3], sys.argv[4] == "guarded")
    with open(os.path.join(HERE, "denials.json")) as file:
        rows = json.load(file)["rows"]
    only = os.environ.get("DENIALS_ONLY", "").split()
    world.setup()
    held = [prove(world, row) for row in rows
            if not only or row["proof"] in only or row["api"] in only]
    sys.exit(not held or not all(held))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_generate.py DIR: the generator in DIR refuses what it must refuse.

Messages are made up; those of Kafka are in the test kafka/tables.
"""
import json
import pathlib
import sys
import tempfile
import unittest
import zipfile

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv.pop(1))

import apis  # noqa: E402
import definitions  # noqa: E402
import facts  # noqa: E402
import generate  # noqa: E402
import program  # noqa: E402


def field(name, type_, **more):
    return {"name": name, "type": type_, "versions": "0+", **more}


def message(*fields, type_="request", **more):
    return definitions.Message({
        "name": "Probe" + type_.capitalize(), "apiKey": 90, "type": type_,
        "validVersions": "0-1", "flexibleVersions": "1+",
        "fields": list(fields), **more})


def complaints(*fields):
    """About fields alone: patterns that match nothing are another matter."""
    leaves = [leaf for f in message(*fields).fields for leaf in f.leaves()]
    return [text for text in facts.unjudged(leaves)
            if not text.endswith("matches no field")]


def body(probe, version):
    code = program.Code(generate.fact_kinds())
    number = program.compile_message(code, probe, version)
    return bytes(code.bytes[number:]), code


class Facts(unittest.TestCase):
    def test_a_field_that_sounds_like_a_fact_has_to_be_judged(self):
        for name in ("LeaderHost", "TopicPrefix", "AclPrincipal", "NewPort",
                     "GroupLabel", "ShardEpoch", "RetryThrottleMs",
                     "ListenerAddress", "ErrorDetail", "topicPrefix"):
            self.assertEqual(complaints(field(name, "string")), [
                f"ProbeRequest.{name} (string) is neither a fact nor ignored"])

    def test_a_field_in_a_struct_is_judged_too(self):
        inside = field("Items", "[]Item", fields=[field("NewHost", "string")])
        self.assertEqual(len(complaints(inside)), 1)

    def test_a_field_that_sounds_like_nothing_is_not(self):
        self.assertEqual(complaints(
            field("Supported", "bool"), field("Reported", "int32"),
            field("ValidateOnly", "bool"), field("TopicId", "uuid")), [])

    def test_a_pattern_without_a_field_is_reported(self):
        self.assertIn("ProduceRequest.Acks matches no field",
                      list(facts.unjudged([])))

    def test_what_kafka_marks_is_a_fact_unless_ignored(self):
        marked, graph = message(
            field("Whatever", "string", entityType="topicName"),
            field("TopologyDescription", "Graph", fields=[
                field("SinkTopic", "string", entityType="topicName")])).fields
        self.assertEqual(facts.classify(marked), "TOPIC_NAME")
        self.assertIsNone(facts.classify(graph.fields[0]))

    def test_lookalikes_of_broker_addresses_are_none(self):
        endpoint = message(field("UserEndpoint", "Endpoint", fields=[
            field("Host", "string"), field("Port", "uint16")])).fields[0]
        for leaf in endpoint.leaves():
            self.assertIsNone(facts.classify(leaf))


    def test_an_array_of_brokers_is_counted(self):
        brokers = definitions.Message({
            "name": "MetadataResponse", "apiKey": 3, "type": "response",
            "validVersions": "0", "fields": [field("Brokers", "[]Broker", fields=[
                field("Host", "string")])]}).fields[0]
        self.assertEqual(facts.classify_array(brokers), "ENDPOINTS")
        self.assertFalse(facts.is_hidden(brokers))
        self.assertEqual(list(facts.unmatched([brokers]))[0],
                         "FindCoordinatorResponse.Coordinators matches no array")


class Program(unittest.TestCase):
    def test_fixed_fields_are_one_skip(self):
        code, _ = body(message(field("A", "int64"), field("B", "uuid")), 0)
        client = generate.fact_kinds()["CLIENT_ID"]
        self.assertEqual(list(code), [
            program.OP["STRING"], client, program.OP["SKIP"], 24,
            program.OP["END"]])

    def test_the_same_bodies_are_there_once(self):
        items = [field(name, "[]Item", fields=[field("X", "string")])
                 for name in "AB"]
        _, code = body(message(*items), 0)
        self.assertEqual(len(code.bodies), 2)

    def test_an_element_has_a_byte(self):
        with self.assertRaises(ValueError):
            body(message(field("A", "[]Item", fields=[
                field("X", "int8", versions="1+")])), 0)

    def test_a_topic_inside_a_topic_is_refused(self):
        inner = field("Others", "[]string", entityType="topicName")
        with self.assertRaises(ValueError):
            body(message(field("Topics", "[]Topic", fields=[
                field("TopicId", "uuid"), inner])), 0)

    def test_unknown_types_are_refused(self):
        with self.assertRaises(ValueError):
            body(message(field("A", "decimal")), 0)


class Apis(unittest.TestCase):
    def topic(self, **more):
        return field("Topics", "[]Topic", fields=[
            field("Name", "string", entityType="topicName"),
            field("TopicId", "uuid", versions="1+")], **more)

    def test_what_is_in_a_struct_is_there_as_long_as_the_struct(self):
        probe = message(self.topic(versions="1+"))
        self.assertEqual(apis.seen(probe, 0), set())
        self.assertEqual(apis.seen(probe, 1), {"TOPIC_NAME", "TOPIC_ID"})

    def test_a_list_of_topics_may_be_null(self):
        probe = message(self.topic(nullableVersions="1+"))
        self.assertNotIn("TOPICS_NULL", apis.seen(probe, 0))
        self.assertIn("TOPICS_NULL", apis.seen(probe, 1))
        around = message(field("A", "A", nullableVersions="1+",
                               fields=[self.topic()]))
        self.assertIn("TOPICS_NULL", apis.seen(around, 1))

    def test_a_resource_is_a_topic_where_configs_are(self):
        probe = message(field("ResourceName", "string"))
        self.assertEqual(apis.seen(probe, 0), set())
        probe.name = "AlterConfigsRequest"
        self.assertEqual(apis.seen(probe, 0), {"TOPIC_RESOURCE"})

    def test_versions_of_both_releases_are_told(self):
        group = field("GroupId", "string", entityType="groupId")
        old = message(group, validVersions="0-2")
        new = message(group, validVersions="2-4")
        at = 90, "request"
        self.assertEqual(apis.masks([{at: old}, {at: new}]),
                         {(90, "GROUP"): 0x1f})

    def test_a_version_without_a_bit_is_refused(self):
        probe = message(field("A", "int32"), validVersions="32")
        with self.assertRaises(ValueError):
            apis.masks([{(90, "request"): probe}])


class Releases(unittest.TestCase):
    def tables(self, *releases):
        tables = generate.Tables(generate.fact_kinds())
        for release in releases:
            tables.add({(m.key, m.type): m for m in release})
        return tables

    def test_releases_have_to_agree(self):
        old = message(field("A", "int32"), field("B", "int64"))
        new = message(field("A", "int64"), field("B", "int32"))
        with self.assertRaises(SystemExit):
            self.tables([old], [new])

    def test_a_new_version_is_added(self):
        old = message(field("A", "int32"))
        new = message(field("A", "int32"), field("B", "int32", versions="2+"),
                      validVersions="1-2")
        tables = self.tables([old], [new])
        self.assertEqual(sorted(tables.bodies), [
            (90, "request", 0), (90, "request", 1), (90, "request", 2)])
        self.assertEqual(tables.agreed, 1)

    def test_a_request_without_an_answer_is_refused(self):
        with self.assertRaises(SystemExit):
            self.tables([message(field("A", "int32"))]).versions(90)

    def offer(self, **more):
        """An answer with a host, as it may be offered to clients."""
        listeners = field("Listeners", "[]Listener", fields=[
            field("Host", "string", versions="1+")] + [field("A", "string")])
        request = message(field("A", "int32"), listeners=["broker"])
        answer = message(listeners, type_="response")
        tables = self.tables([request, answer])
        tables.names[90] = more.get("name", "Probe")
        return tables

    def test_an_address_that_nobody_looks_for_is_refused(self):
        with self.assertRaises(SystemExit):
            self.offer().last_offered(90, 1)

    def test_nor_is_it_offered(self):
        facts.OFFERED["Odd"] = 0
        tables = self.offer(name="Odd")
        self.assertEqual(tables.last_offered(90, 1), 0)
        self.assertFalse(tables.names_brokers(90))

    def test_the_tag_of_hidden_fields_is_refused(self):
        tagged = field("A", "int32", tag=127, taggedVersions="1+",
                       versions="1+")
        with self.assertRaises(SystemExit) as refused:
            generate.judge([{(90, "request"): message(tagged)}])
        self.assertIn("ProbeRequest.A has tag 127", str(refused.exception))

    def test_comments_are_no_json(self):
        text = '{ // one "two"\n "type": "request", "about": "a // b",\n' \
            '"name": "ProbeRequest", "apiKey": 90,\n "validVersions": "0" }'
        with tempfile.TemporaryDirectory() as directory:
            jar = pathlib.Path(directory) / "probe.jar"
            with zipfile.ZipFile(jar, "w") as archive:
                archive.writestr("common/message/ProbeRequest.json", text)
            self.assertEqual(list(definitions.read(jar)), [(90, "request")])
        self.assertEqual(json.loads(definitions.strip_comments(text))["about"],
                         "a // b")


if __name__ == "__main__":
    unittest.main()

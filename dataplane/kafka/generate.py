#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""generate.py [--check | --facts] NAMES OLD.jar NEW.jar

Writes tables.c beside this file: the layouts of all messages of two releases
of kafka-clients, and the names of the errors, a list "NUMBER NAME" in the file
NAMES.  Where both releases know a version of a message they must agree on it.
And proto/apis_table.c: which requests have what rules ask for.

--check: compares instead of writing.  --facts: prints which field is which
fact, for a program that derives them from Kafka's own objects.
"""
import argparse
import pathlib
import re
import sys
import textwrap
import zlib

sys.dont_write_bytecode = True  # nothing beside the sources

import apis  # noqa: E402
import definitions  # noqa: E402
import facts  # noqa: E402
import program  # noqa: E402

# Where the releases do not agree, and why the newer one is taken.
CHANGED = {
    ("ReadShareGroupStateSummaryResponse", 0):
        "early access in 3.9, between brokers",
}
# What a hidden tag becomes: no message may have it, now or later.
UNUSED_TAG = 127
# The broker's address that stands in no array: the only one it names.
ALONE = "FindCoordinatorResponse.Host"
HERE = pathlib.Path(__file__).resolve().parent


def complain(text):
    sys.exit(f"generate.py: {text}")


def fact_kinds():
    """Numbers of enum lp_fact_kind, in the order of fact.h."""
    names = re.findall(r"^\tX\((\w+),", (HERE / "fact.h").read_text(), re.M)
    return {name: number for number, name in enumerate(names, 1)}


class Tables:
    """What tables.c holds."""

    def __init__(self, kinds):
        self.code = program.Code(kinds)
        self.bodies = {}  # by key, type and version
        self.depth = 0
        self.agreed = 0
        self.names = {}  # of keys; the newest release's
        self.flexible = {}  # first such version, by key
        self.listeners = {}
        self.layouts = {}
        self.addresses = {}  # by key and version: what program.addresses says

    def add(self, release):
        """A release, the older one first."""
        for (key, type_), message in sorted(release.items()):
            self.names[key] = message.api
            if type_ == "request":
                self.listeners[key] = message.listeners
            for version in message.versions:
                self.add_version(key, type_, message, version)

    def add_version(self, key, type_, message, version):
        layout = program.layout(message, version)
        at = key, type_, version
        if at in self.layouts:
            same = self.layouts[at] == layout
            if same == ((message.name, version) in CHANGED):
                complain(f"{message.name} version {version}: the releases "
                         "do not agree, or do so again")
            self.agreed += same
        self.layouts[at] = layout
        if type_ == "response":
            self.addresses[key, version] = program.addresses(message, version)
        if version in message.flexible:
            first = self.flexible.get(key, version)
            self.flexible[key] = min(first, version)
        try:
            body = program.compile_message(self.code, message, version)
        except ValueError as error:
            complain(f"{message.name} version {version}: {error}")
        self.bodies[at] = body
        self.depth = max(self.depth, self.code.depths[body])

    def offered(self, key):
        """To clients; a key that the newest release has no listener for, or
        no longer knows, is the brokers' own."""
        return (self.names[key] not in facts.BROKERS_ONLY and
                "broker" in (self.listeners.get(key) or []))

    def last_offered(self, key, last):
        """Up to which version no address is where nobody looks for it."""
        last = min(last, facts.OFFERED.get(self.names[key], last))
        for (k, version), hosts in self.addresses.items():
            if k != key or version > last or not self.offered(key):
                continue
            for path, around in hosts:
                if not around and path != ALONE:
                    complain(f"{path} version {version}: neither replaced "
                             "nor hidden, and offered to clients")
        return last

    def names_brokers(self, key):
        """Whether its answers have addresses that cannot be hidden."""
        return any(around is None or not facts.is_hidden(around)
                   for (k, version), hosts in self.addresses.items()
                   for _, around in hosts
                   if k == key and self.offered(k) and
                   version <= facts.OFFERED.get(self.names[k], version))

    def versions(self, key):
        versions = sorted(v for k, t, v in self.bodies
                          if k == key and t == "request")
        if versions != sorted(v for k, t, v in self.bodies
                              if k == key and t == "response"):
            complain(f"{self.names[key]}: answers of other versions")
        return versions


def judge(releases):
    """Every field that sounds like a fact has been judged."""
    fields = [leaf for release in releases for message in release.values()
              for field in message.fields for leaf in field.leaves()]
    arrays = [array for release in releases for message in release.values()
              for field in message.fields for array in field.structs()]
    wrong = sorted(set(facts.unjudged(fields)) | set(facts.unmatched(arrays)))
    wrong += [f"{field.path} has tag {field.tag}" for field in fields + arrays
              if field.tag is not None and field.tag >= UNUSED_TAG]
    if wrong:
        complain("facts.py: " + "\n".join(wrong))


def lines(numbers, form="{}"):
    """Numbers as the lines of an array."""
    line = ""
    for number in numbers:
        text = form.format(number) + ","
        if len(line) + len(text) > 78:
            yield line
            line = ""
        line += text
    yield line


HEAD = """/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generated by generate.py (target kafka-tables): do not change by hand.
 *
 * From the message definitions of Apache Kafka, {releases}.
 * {both} layouts are in both, and agree.
 */
/* clang-format off */
#include <assert.h>

#include "dataplane/kafka/tables.h"
"""


def emit(tables, releases, errors):
    """The text of tables.c."""
    out = [HEAD.format(releases=releases, both=tables.agreed)]
    if tables.depth > 255:
        complain("too deep")
    out.append(f"static_assert(LP_WALK_DEPTH >= {tables.depth},"
               ' "levels of the deepest message");')
    order = " && ".join(f"LP_OP_{name}=={number}"
                        for number, name in enumerate(program.OPS))
    out += textwrap.wrap(f'static_assert({order}, "program.py");')
    out.append("const uint8_t lp_tables_code[] = {")
    out += lines(tables.code.bytes)
    out.append("};")
    bodies, keys = [], []
    count = max(tables.names) + 1
    for key in range(count):
        versions = tables.versions(key)
        if not versions:
            keys.append("{0}")
            continue
        first, last = versions[0], versions[-1]
        client = int(tables.offered(key))
        keys.append(f'{{"{tables.names[key]}",{len(bodies)},{first},{last},'
                    f"{tables.flexible.get(key, -1)},"
                    f"{tables.last_offered(key, last)},{client},"
                    f"{int(tables.names_brokers(key))}}}")
        for version in range(first, last + 1):
            for type_ in "request", "response":
                bodies.append(tables.bodies.get((key, type_, version), 0))
    out.append("const uint16_t lp_tables_bodies[] = {")
    out += lines(bodies)
    out.append("};")
    out.append("const struct lp_tables_key lp_tables_keys[] = {")
    out += lines(keys)
    out.append("};")
    digest = zlib.crc32(bytes(tables.code.bytes) + repr(bodies).encode() +
                        repr(tables.code.kinds).encode())
    out.append(f"const uint32_t lp_tables_digest = {digest}u;")
    out.append(f"const uint16_t lp_tables_key_count = {count};")
    out.append("const char *const lp_tables_facts[] = {0,")
    out += lines([name.lower() for name in tables.code.kinds], '"{}"')
    out.append("};")
    first = min(errors)
    out.append(f"const int16_t lp_tables_error_first = {first};")
    out.append("const char *const lp_tables_errors[] = {")
    out += lines([f'"{errors[number]}"' if number in errors else "0"
                  for number in range(first, max(errors) + 1)])
    out.append("};")
    out.append(f"const uint16_t lp_tables_error_count = "
               f"{max(errors) - first + 1};")
    out.append(f"const uint32_t lp_tables_size = sizeof(lp_tables_code) +\n"
               "    sizeof(lp_tables_bodies) + sizeof(lp_tables_keys);")
    return "\n".join(out) + "\n"


def read_errors(path):
    errors = {}
    for line in pathlib.Path(path).read_text().splitlines():
        number, name = line.split()
        errors[int(number)] = name
    return errors


def release_name(jar):
    return re.sub(r".*kafka-clients-(.*)\.jar", r"\1", jar)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--facts", action="store_true")
    parser.add_argument("names")
    parser.add_argument("jars", nargs=2)
    options = parser.parse_args()
    releases = [definitions.read(jar) for jar in options.jars]
    judge(releases)
    if options.facts:
        print_facts(releases)
        return
    tables = Tables(fact_kinds())
    for release in releases:
        tables.add(release)
    text = emit(tables, " and ".join(map(release_name, options.jars)),
                read_errors(options.names))
    try:
        told = apis.emit(tables, releases)
    except ValueError as error:
        complain(error)
    write(HERE / "tables.c", text, options.check)
    write(HERE.parent.parent / "proto" / "apis_table.c", told, options.check)
    print(f"{len(tables.bodies)} layouts, {tables.agreed} in both releases; "
          f"{len(tables.code.bodies)} bodies, {len(tables.code.bytes)} bytes "
          f"of code; {tables.depth} levels")


def write(path, text, check):
    if not check:
        path.write_text(text)
    elif path.read_text() != text:
        complain(f"{path.name} is not what would be generated: "
                 "run the target kafka-tables")


def print_facts(releases):
    """PATH KIND, of all fields that are facts; and where the older release
    is not to be asked."""
    for name, version in CHANGED:
        print("changed", name, version)
    seen = set()
    for release in releases:
        for message in release.values():
            for field in message.fields:
                for leaf in field.leaves():
                    kind = facts.classify(leaf)
                    if kind:
                        seen.add((leaf.path, kind))
                for array in field.structs():
                    kind = facts.classify_array(array)
                    if kind:
                        seen.add((array.path, kind))
    for path, kind in sorted(seen):
        print(path, kind)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""The message definitions that a kafka-clients jar ships.

They are JSON with // comments, one file for a request or a response of an API,
under common/message/.  What their words mean is said by Kafka itself, in
clients/src/main/resources/common/message/README.md.
"""
import json
import re
import zipfile

# Bytes on the wire; the same in every version.
FIXED = {"bool": 1, "int8": 1, "int16": 2, "uint16": 2, "int32": 4,
         "uint32": 4, "int64": 8, "float64": 8, "uuid": 16}
LONGEST = 32767


class Range:
    """Versions "0+", "3-7", "4", "none": from first to last, both included."""

    def __init__(self, text):
        self.first, self.last = 1, 0
        match = re.fullmatch(r"(\d+)(\+|-(\d+))?", text or "none")
        if match:
            self.first = int(match[1])
            self.last = (LONGEST if match[2] == "+" else
                         int(match[3] or match[1]))
        elif text not in (None, "none"):
            raise ValueError(f"versions {text}")

    def __contains__(self, version):
        return self.first <= version <= self.last

    def __iter__(self):
        return iter(range(self.first, self.last + 1))


class Field:
    """A field of a message or of a struct in it."""

    def __init__(self, json_field, structs, path):
        self.name = json_field["name"]
        self.path = f"{path}.{self.name}"
        self.type = json_field["type"]
        self.versions = Range(json_field["versions"])
        self.nullable = Range(json_field.get("nullableVersions"))
        self.tag = json_field.get("tag")  # in 3.9 one of them is a text
        if self.tag is not None:
            self.tag = int(self.tag)
        self.tagged = Range(json_field.get("taggedVersions"))
        self.entity = json_field.get("entityType")
        self.default = json_field.get("default")
        self.array = self.type.startswith("[]")
        self.element = self.type[2:] if self.array else self.type
        self.fields = [Field(f, structs, self.path) for f in
                       json_field.get("fields") or
                       structs.get(self.element, [])]

    def leaves(self):
        """The fields in it that are no structs."""
        if not self.fields:
            yield self
        for field in self.fields:
            yield from field.leaves()

    def structs(self):
        """The fields in it that are structs, itself included."""
        if self.fields:
            yield self
        for field in self.fields:
            yield from field.structs()


class Message:
    """A request or a response, in all versions that a release knows."""

    def __init__(self, data):
        self.name = data["name"]
        self.key = data["apiKey"]
        self.type = data["type"]
        self.versions = Range(data["validVersions"])
        self.flexible = Range(data.get("flexibleVersions"))
        self.unstable = bool(data.get("latestVersionUnstable"))
        self.listeners = data.get("listeners")
        structs = {s["name"]: s["fields"]
                   for s in data.get("commonStructs", [])}
        self.fields = [Field(f, structs, self.name)
                       for f in data.get("fields", [])]

    @property
    def api(self):
        """Its name without "Request" or "Response"."""
        return self.name.removesuffix("Request").removesuffix("Response")


def strip_comments(text):
    """JSON has no comments; in a text no // of theirs stands."""
    return re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*',
                  lambda match: match[1] or "", text)


def read(jar):
    """All requests and responses of a jar, by key and type."""
    messages = {}
    with zipfile.ZipFile(jar) as archive:
        for name in sorted(archive.namelist()):
            if not re.fullmatch(r"common/message/\w+\.json", name):
                continue
            text = archive.read(name).decode()
            data = json.loads(strip_comments(text))
            if data["type"] in ("request", "response"):
                message = Message(data)
                messages[message.key, message.type] = message
    if not messages:
        raise ValueError(f"{jar}: no message definitions")
    return messages

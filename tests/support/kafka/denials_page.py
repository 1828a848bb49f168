#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""denials_page.py PAGE: whether the manual page says what denials.json does,
which denials.py has proven; with --write it is made to.

Its list lies between two comments.
"""
import json
import os
import sys
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
BEGIN = '.\\" made of tests/support/kafka/denials.json\n'
END = '.\\" end of what is made\n'


def error(table, code):
    name = table["errors"][str(code)]
    return "no error" if code == 0 else "%s (%d)" % (name, code)


def answer(table, row):
    """What comes back, in sentences."""
    if row.get("edit") == "answer":
        yield from place(row)
        return
    if "says" in row:
        beside = row.get("beside")
        yield "The broker answers %s%s." % (
            error(table, row["says"]), "" if beside is None else
            ", and %s for the others" % error(table, beside))
    yield from place(row)
    if row.get("refused") == row.get("says") is not None:
        yield ("Brokers know no refusal by topic here: their authorizer asks "
               "for a right to the cluster.")
    if row.get("quotes"):
        yield "The error message quotes the changed name."


def place(row):
    order = row.get("order")
    if order == "error":
        yield "In the answer the error code comes before what it is about."
    elif order:
        yield "In the answer the %s comes before the error code." % order


def likeness(row):
    if "differs" not in row:
        return
    if not row["differs"]:
        yield "Put back, it is what the broker's own refusal would be."
    else:
        yield "Put back, it is not what the broker's own would be in: %s." % (
            ", ".join(row["differs"]))


def item(table, row):
    versions = ["%s: %s" % (release, "versions " + found
                            if "-" in found else "version " + found)
                for release, found in row["versions"].items()
                if found != "none"]
    sentences = ["Edit: %s." % table["edits"][row["edit"]]]
    sentences += answer(table, row)
    sentences += likeness(row)
    sentences += [row["what"]] if row["what"] else []
    text = " ".join(sentences).replace("-", "\\-").replace(". ", ".\n")
    lines = []
    for line in text.split("\n"):
        lines += textwrap.wrap(line, 78, break_on_hyphens=False)
    when = " Ns , No " + row["when"] if "when" in row else ""
    head = ".It Sy %s%s Pq %s\n" % (row["api"], when, "; ".join(versions))
    return head.replace("-", "\\-") + "\n".join(lines) + "\n"


def made():
    with open(os.path.join(HERE, "denials.json")) as file:
        table = json.load(file)
    return "".join(item(table, row) for row in table["rows"])


def main():
    path = sys.argv[-1]
    with open(path) as file:
        head, rest = file.read().split(BEGIN)
    old, tail = rest.split(END)
    if old == made():
        return
    if sys.argv[1] != "--write":
        sys.exit("%s is not what denials.json says: denials_page.py --write "
                 "%s" % (path, path))
    with open(path, "w") as file:
        file.write(head + BEGIN + made() + END + tail)


if __name__ == "__main__":
    main()

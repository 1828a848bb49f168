#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether another reader of YAML finds in what lpctl exports what it exports
as JSON, and editors nothing wrong with it: export_forms.py SCHEMA DIRECTORY,
which has NAME.yaml and NAME.json."""

import glob
import json
import os
import sys

try:
    import jsonschema
    import yaml
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(77)

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
names = glob.glob(os.path.join(sys.argv[2], "export*.yaml"))
assert names, "nothing is exported"
for name in names:
    with open(name, encoding="utf-8") as file:
        tree = yaml.safe_load(file)
    with open(name[: -len("yaml")] + "json", encoding="utf-8") as file:
        wanted = json.load(file)
    jsonschema.validate(tree, schema)
    assert tree == wanted, f"{name}: {tree} is not {wanted}"

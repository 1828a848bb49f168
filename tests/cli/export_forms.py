#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether another reader of YAML finds in what lpctl exports what it exports
as JSON: export_forms.py DIRECTORY, which has NAME.yaml and NAME.json."""

import glob
import json
import os
import sys

import yaml

names = glob.glob(os.path.join(sys.argv[1], "export*.yaml"))
assert names, "nothing is exported"
for name in names:
    with open(name, encoding="utf-8") as file:
        tree = yaml.safe_load(file)
    with open(name[: -len("yaml")] + "json", encoding="utf-8") as file:
        wanted = json.load(file)
    assert tree == wanted, f"{name}: {tree} is not {wanted}"

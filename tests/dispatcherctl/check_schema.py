#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""check_schema.py SCHEMA VERB FILE: what dispatcherctl --json VERB printed is as documented."""
import json
import sys

try:
    import jsonschema
except ImportError:
    print("no python3-jsonschema: the schema is not tested")
    sys.exit(0)

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
del schema["anyOf"]
schema["$ref"] = f"#/$defs/{sys.argv[2]}"
validator = jsonschema.Draft202012Validator(schema)
with open(sys.argv[3], encoding="utf-8") as file:
    # One object, or one a line.
    text = file.read()
    is_by_line = sys.argv[2] in ("events", "test-access")
    objects = map(json.loads, text.splitlines()) if is_by_line else [json.loads(text)]
    for item in objects:
        validator.validate(item)

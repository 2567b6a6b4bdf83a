#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Makes the JSON schema of dispatcherctl --json from the Varlink interface.

make_schema.py INTERFACE.varlink > dispatcherctl.schema.json

The result is part of the source, so that a build needs no Python; a test compares.
"""
import json
import re
import sys

# Of what method's replies a verb's output is made. "next" is dispatcherctl's own business.
VERBS = {
    "status": ["Status"],
    "services": ["Services"],
    "workers": ["Workers"],
    "connections": ["Connections"],
    "history": ["EndedConnections", "EndedWorkers"],
    "events": ["Follow"],
    "explain": ["Explain"],
    "debug": ["SetDebug"],
    "stop": ["Stop"],
    "start": ["Start"],
    "restart": ["Restart"],
    "reload": ["Reload"],
    "plan": ["Plan"],
}
TEXT_OR_NULL = {"anyOf": [{"type": "string"}, {"type": "null"}]}
TEXTS = {"type": "array", "items": {"type": "string"}}
# What needs no daemon, and so is in no interface.
TEST_ACCESS = {
    "address": {"type": "string"},
    "port": {"type": "integer"},
    "verdict": {"enum": ["accept", "reject"]},
    "text": {"type": "string"},
    "entry": {
        "description": "FILE:LINE, null where none matched.",
        "anyOf": [{"type": "string"}, {"type": "null"}],
    },
    "trace": {"type": "array", "items": {"type": "string"}},
}
# What plan finds by itself, of systemd and of other processes.
PLAN = {
    "is_running": {"type": "boolean"},
    "due": {"type": "array", "items": {"$ref": "#/$defs/Due"}},
    "sockets": {
        "description": "Socket units that would change.",
        "type": "array",
        "items": {
            "unit": {"type": "string"},
            "change": {"enum": ["opened", "closed", "reopened"]},
            "from": {"description": "ADDRESS:PORT; where it is open.", **TEXTS},
            "to": {"description": "ADDRESS:PORT; where it would be.", **TEXTS},
            "because": {"description": "FILE:LINE of a drop-in, or \"masked\".", **TEXT_OR_NULL},
        },
    },
    "drop_ins": {
        "description": "Lines of drop-ins that win over dispatcher.cnf.",
        "type": "array",
        "items": {
            "unit": {"type": "string"},
            "key": {"type": "string"},
            "value": {"type": "string"},
            "origin": {"description": "FILE:LINE", "type": "string"},
            "over": {"description": "FILE:LINE of the option.", **TEXT_OR_NULL},
        },
    },
    "in_the_way": {
        "description": "Addresses that somebody else listens at.",
        "type": "array",
        "items": {
            "unit": {"type": "string"},
            "address": {"type": "string"},
            "held_at": {"type": "string"},
            "pid": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "program": TEXT_OR_NULL,
            "holder_unit": TEXT_OR_NULL,
        },
    },
    "needs_daemon_reload": {"type": "boolean"},
    "needs_restart": {"type": "boolean"},
    "needs_reload": {"type": "boolean"},
}
APPLY = {
    "is_done": {"type": "boolean"},
    "rounds": {
        "description": "What was done, as plan shows it; what one round leaves due the next does.",
        "type": "array",
        "items": {"$ref": "#/$defs/plan"},
    },
    "failure": TEXT_OR_NULL,
}
COUNT = {"type": "integer"}
FIGURES = {
    "clients": COUNT,
    "served": COUNT,
    "left": {"description": "Clients that were gone before they were served.", **COUNT},
    "waiting": {"description": "Clients that were still waiting at the end.", **COUNT},
    "rejected": {
        "description": "By reason.",
        "type": "object",
        "additionalProperties": COUNT,
    },
    "wait_usec": {
        "description": "Of those that were served: mean, percentiles, maximum.",
        "type": "object",
        "additionalProperties": COUNT,
    },
    "workers_mean": {"type": "number"},
    "workers_max": COUNT,
    "workers": {
        "description": "The average number in each sixtieth of the time.",
        "type": "array",
        "items": {"type": "number"},
    },
    "started": COUNT,
    "retired": {
        "description": "Workers, by reason.",
        "type": "object",
        "additionalProperties": COUNT,
    },
    "memory_kib": {
        "description": "Of all workers together, without what they share: mean and max, or null if "
        "the recording does not have it.",
        "type": ["object", "null"],
        "additionalProperties": COUNT,
    },
}
SIMULATE = {
    "from": {"description": "Microseconds since the epoch.", **COUNT},
    "to": COUNT,
    "has_wrapped": {"description": "What was before is no longer in it.", "type": "boolean"},
    "lost": {"description": "What could not be written fast enough.", **COUNT},
    "begun": {"description": "How often a daemon began to record.", **COUNT},
    "services": {"type": "array", "items": {"$ref": "#/$defs/SimulatedService"}},
}
SIMULATED_SERVICE = {
    "name": {"type": "string"},
    "measured": {"$ref": "#/$defs/SimulatedFigures"},
    "simulated": {
        "description": "One for each value of --sweep.",
        "type": "array",
        "items": {"$ref": "#/$defs/SimulatedRun"},
    },
    "memory": {
        "description": "What the simulated memory follows from; null: it is not in the recording.",
        "anyOf": [{"$ref": "#/$defs/SimulatedMemory"}, {"type": "null"}],
    },
}
SIMULATED_MEMORY = {
    "looks": {"description": "How often the workers' memory was looked at.", **COUNT},
    "worker_kib": {"description": "Of each worker.", "type": "number"},
    "each_kib": {"description": "More for each of what it grows with.", "type": "number"},
    "each": {
        "description": "Sessions that the worker has, the most it had at a time so far, or all "
        "connections that it was given.",
        "enum": ["sessions", "most sessions", "connections"],
    },
    "error_percent": {
        "description": "How far it is off at a look, on average.",
        "type": "number",
    },
}
SIMULATED_RUN = {
    "setting": {
        "description": "Of --sweep.",
        "anyOf": [
            {"type": "object", "properties": {"name": {"type": "string"}, "value": COUNT}},
            {"type": "null"},
        ],
    },
    "figures": {"$ref": "#/$defs/SimulatedFigures"},
}
# What --host makes of a verb's replies: the lists whose rows are put together, of what type they are,
# and what is in a sum.
HOSTS = {
    "status": ({"services": "Summary"}, "name"),
    "services": ({"services": "Service"}, "name"),
    "workers": ({"workers": "Worker"}, "service"),
    "connections": ({"connections": "Connection"}, "service"),
    "history": ({"connections": "EndedConnection", "workers": "EndedWorker"}, "service"),
    "explain": ({"decisions": "Decision", "trials": "Trial"}, "service"),
}
# Of clients: what is known of one address.
CLIENT = {
    "address": {"type": "string"},
    "hosts": {"description": "On how many of them it is.", "type": "integer"},
    "connections": {"description": "Now.", "type": "integer"},
    "sessions": {"description": "Of the history.", "type": "integer"},
    "rejections": {"description": "Of the history.", "type": "integer"},
}
CLIENT_LISTS = ("most_connections", "most_sessions", "most_rejections")
HOST_NAME = {"description": "As it was named.", "type": "string"}
SIMPLE = {"int": "integer", "float": "number", "string": "string", "bool": "boolean"}


class Parser:
    def __init__(self, text):
        self.tokens = []  # (word, the comment above it)
        comment = []
        for match in re.finditer(r"#[^\n]*|\n[ ]*\n|->|\[string\]|\[\]|[A-Za-z_.]+|[():,?]", text):
            word = match.group()
            if word.startswith("#"):
                comment.append(word[1:].strip())
            elif word.isspace():
                comment = []
            else:
                self.tokens.append((word, " ".join(comment)))
                comment = []

    def next(self, expected=None):
        word, self.comment = self.tokens.pop(0)
        assert expected in (None, word), (expected, word)
        return word

    def peek(self):
        return self.tokens[0][0] if self.tokens else None

    def type(self):
        word = self.next()
        if word == "?":
            inner = self.type()
            return {"anyOf": [inner, {"type": "null"}]}
        if word == "[]":
            return {"type": "array", "items": self.type()}
        if word == "[string]":
            return {"type": "object", "additionalProperties": self.type()}
        if word == "(":
            return self.enumeration()
        if word == "object":
            return {"type": "object"}
        return {"type": SIMPLE[word]} if word in SIMPLE else {"$ref": f"#/$defs/{word}"}

    def enumeration(self):
        words = [self.next()]
        while self.peek() == ",":
            self.next()
            words.append(self.next())
        self.next(")")
        return {"enum": words}

    def members(self):
        """( name: type, ... )"""
        properties = {}
        self.next("(")
        while self.peek() != ")":
            name, comment = self.next(), self.comment
            self.next(":")
            schema = self.type()
            if comment:
                schema = {"description": comment, **schema}
            properties[name] = schema
            if self.peek() == ",":
                self.next()
        self.next(")")
        return properties


def an_object(properties, comment=""):
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"description": comment, **schema} if comment else schema


def parse(text):
    parser, types, methods = Parser(text), {}, {}
    parser.next("interface")
    parser.next()
    while parser.tokens:
        kind, comment = parser.next(), parser.comment
        name = parser.next()
        members = parser.members()
        if kind == "type":
            types[name] = an_object(members, comment)
        elif kind == "method":
            parser.next("->")
            methods[name] = (parser.members(), comment)
    return types, methods


def clients(connections, of_hosts_connections):
    """What clients prints, for one host and with --host."""
    lists = {
        name: {"type": "array", "items": {"$ref": "#/$defs/ClientCounts"}} for name in CLIENT_LISTS
    }
    one, all_hosts = dict(connections["properties"]), dict(of_hosts_connections["properties"])
    for properties in (one, all_hosts):
        properties.pop("connections")
    all_hosts.pop("sums")
    # The history's reply has that, too.
    host = dict(all_hosts["hosts"]["items"]["properties"])
    reply = dict(host["reply"]["anyOf"][0]["properties"])
    host["reply"] = {"anyOf": [an_object({**reply, "not_kept": TEXTS}), {"type": "null"}]}
    all_hosts["hosts"] = {"type": "array", "items": an_object(host)}
    return an_object({**one, **lists}), an_object({**all_hosts, **lists})


def of_hosts(verb, lists, name, types):
    """What the verb prints with --host."""
    rest = {key: value for key, value in verb["properties"].items() if key not in lists}
    schema = {
        "now": {
            "description": "The same for all hosts: monotonic times are set to one clock. Null: every "
            "host is away.",
            "anyOf": [{"$ref": "#/$defs/Timestamp"}, {"type": "null"}],
        },
        "hosts": {
            "type": "array",
            "items": an_object(
                {
                    "host": HOST_NAME,
                    "error": {"description": "Why it is away.", **TEXT_OR_NULL},
                    "reply": {"anyOf": [an_object(rest), {"type": "null"}]},
                }
            ),
        },
    }
    for key, of_type in lists.items():
        row = an_object({"host": HOST_NAME, **types[of_type]["properties"]})
        schema[key] = {"type": "array", "items": row}
    schema["sums"] = {
        "description": "By service: counts are added; of limits, the extremes are taken; a text that "
        "differs is empty.",
        "type": "array",
        "items": {
            "type": "object",
            "properties": {name: {"type": "string"}, "hosts": COUNT},
            "required": [name, "hosts"],
        },
    }
    return an_object(schema)


def make(text):
    types, methods = parse(text)
    verbs = {}
    for verb, names in VERBS.items():
        properties = {}
        for name in names:
            properties.update(methods[name][0])
        properties.pop("next", None)
        verbs[verb] = an_object(properties)
    for verb, (lists, name) in HOSTS.items():
        verbs[f"{verb}-hosts"] = of_hosts(verbs[verb], lists, name, types)
    verbs["clients"], verbs["clients-hosts"] = clients(
        verbs["connections"], verbs["connections-hosts"]
    )
    types["ClientCounts"] = an_object(CLIENT)
    # Without a mask it prints what there is.
    verbs["debug"] = {"anyOf": [verbs["debug"], {"$ref": "#/$defs/services"}]}
    for name, schema in PLAN.items():
        if "items" in schema and "$ref" not in schema["items"]:
            schema = {**schema, "items": an_object(schema["items"])}
        verbs["plan"]["properties"][name] = schema
    verbs["plan"]["required"] = list(verbs["plan"]["properties"])
    verbs["apply"] = an_object(APPLY)
    verbs["test-access"] = an_object(TEST_ACCESS)
    verbs["simulate"] = an_object(SIMULATE)
    types["SimulatedService"] = an_object(SIMULATED_SERVICE)
    types["SimulatedMemory"] = an_object(SIMULATED_MEMORY)
    types["SimulatedRun"] = an_object(SIMULATED_RUN)
    types["SimulatedFigures"] = an_object(FIGURES)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What dispatcherctl --json prints",
        "description": "Each verb has its definition in $defs; debug without a mask prints what "
        "services does; NAME-hosts is NAME with --host; events and test-access print one object a line.",
        "anyOf": [{"$ref": f"#/$defs/{verb}"} for verb in verbs],
        "$defs": {**verbs, **types},
    }


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        print(json.dumps(make(file.read()), indent=2))

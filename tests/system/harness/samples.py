# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The samples that people copy: from the manual, the README, the files that are installed, and the catalog."""

import pathlib
import re
import textwrap

TOP = pathlib.Path(__file__).resolve().parents[3]

ROFF = {r"\-": "-", r"\e": "\\", r"\(aq": "'", r"\(dq": '"', r"\(ga": "`", r"\(ha": "^", r"\(ti": "~", r"\&": ""}
COMMANDS = (
    "systemctl systemd-analyze journalctl dispatcherctl dispatcherd dispatcherd-web sudo make cc adduser "
    "until rm swaks apt-get logrotate ./bootstrap ./configure"
).split()


class Sample:
    """Lines that belong together. `kind`: config, mapping, entries, drop-in, commands, or None for what
    dispatcherd does not read."""

    def __init__(self, file, line, text):
        self.file = file
        self.line = line
        self.text = text
        self.kind = kind_of(text)

    def __repr__(self):
        return f"{self.file}:{self.line}"


def kind_of(text):
    first = text.split("\n", 1)[0]
    if "#include" in text or "import " in text:
        return None
    if re.search(r"^\[SERVICE=", text, re.MULTILINE):
        return "config"
    if re.fullmatch(r"\[(Unit|Socket|Service|Install)\]", first):
        return "drop-in"
    if first == "PORT_ACCESS":
        return "mapping"
    if re.match(r" +(TCP|\*)\|", first):
        return "entries"
    if first.split() and first.split()[0] in COMMANDS:
        return "commands"
    return None


def unroff(line):
    line = re.sub(r"\\f[A-Z]|\\f\(..|\\f\[\w*\]", "", line)
    return re.sub(r"\\(\(..|.)", lambda match: ROFF.get(match.group(0), match.group(0)), line)


def blocks_of_page(lines):
    """(line, lines) of each literal block of a manual page."""
    block = None
    for number, line in enumerate(lines, 1):
        if re.match(r"\.(EX|nf)\b", line):
            block = (number + 1, [])
        elif re.match(r"\.(EE|fi)\b", line):
            yield block
            block = None
        elif block and not line.startswith("."):
            block[1].append(unroff(line))


def blocks_of_indented(lines, indent):
    """The same of text in which a literal block is indented."""
    block = None
    for number, line in enumerate([*lines, "end"], 1):
        if line.startswith(indent):
            block = block or (number, [])
            block[1].append(line[len(indent) :])
        elif block and line:
            yield block
            block = None
        elif block:
            block[1].append("")


def blocks_of_comments(lines):
    """The sample that stands in comments of the mapping file, as it tells people to use it."""
    start = lines.index("! PORT_ACCESS")
    yield start + 1, [re.sub(r"^! ?", "", line) for line in lines[start:]]


def samples_of_block(file, number, lines):
    """What a block holds: commands, drop-ins, and files, of which the parts belong together."""
    text = textwrap.dedent("\n".join(lines) + "\n")
    whole = None
    for match in re.finditer(r"(?:[^\n]+\n)+", text):
        line = number + text[: match.start()].count("\n")
        part = Sample(file, line, match.group(0))
        if part.kind in ("commands", "drop-in"):
            if whole:
                yield whole
            whole = None
            yield part
        elif whole:
            whole = Sample(file, whole.line, f"{whole.text}\n{part.text}")
        else:
            whole = part
    if whole:
        yield whole


def samples_of(file):
    text = (TOP / file).read_text()
    lines = text.split("\n")
    if file.startswith("man/"):
        blocks = blocks_of_page(lines)
    elif file == "units/mappings":
        blocks = blocks_of_comments(lines)
    elif file.endswith(".catalog"):
        blocks = blocks_of_indented(lines, "  ")
        # In a catalog an entry keeps the blanks that it needs.
        return [Sample(file, n, textwrap.indent("\n".join(block), "  ")) for n, block in blocks]
    elif file.startswith("units/"):
        return [Sample(file, 1, text)]
    else:
        blocks = blocks_of_indented(lines, "    ")
    return [sample for number, block in blocks for sample in samples_of_block(file, number, block)]


def all_samples():
    pages = sorted(str(path.relative_to(TOP)) for path in (TOP / "man").glob("*.[1-8]"))
    files = ["README.md", "units/dispatcher.cnf", "units/sample.cnf.in", "units/mappings"]
    found = [sample for file in pages + files + ["units/dispatcherd.catalog"] for sample in samples_of(file)]
    return [sample for sample in found if sample.kind]


def samples_of_kind(*kinds):
    return [sample for sample in all_samples() if sample.kind in kinds]

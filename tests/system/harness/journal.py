# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The journal of a container, read from outside as journalctl(1) would print it.

journalctl for each look would be a tenth of a second each time; a test that waits for a line looks
often."""

import glob

from systemd import journal


def is_printable(text):
    return all(c.isprintable() or c in "\n\t" for c in text)


def message_of(entry):
    message = entry["MESSAGE"]
    if isinstance(message, bytes) or not is_printable(message):
        size = len(message if isinstance(message, bytes) else message.encode())
        return f"[{size}B blob data]"
    return message


def line_of(entry):
    """As `journalctl -o short-precise` has it."""
    time = entry["__REALTIME_TIMESTAMP"].strftime("%b %d %H:%M:%S.%f")
    program = entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM") or "unknown"
    pid = entry.get("_PID") or entry.get("SYSLOG_PID")
    head = f"{time} {entry.get('_HOSTNAME', '')} {program}{f'[{pid}]' if pid else ''}: "
    return head + message_of(entry).replace("\n", "\n" + " " * len(head)) + "\n"


class Journal:
    """What is logged from now on."""

    def __init__(self, container):
        (folder,) = glob.glob(container.path("/[rv][ua][nr]/log/journal/????????????????????????????????"))
        self.reader = journal.Reader(path=folder)
        self.reader.fileno()  # from now on process() notices new files
        self.reader.seek_tail()
        self.reader.get_previous()
        self.lines = ""

    def text(self):
        self.reader.process()
        while entry := self.reader.get_next():
            if "MESSAGE" in entry:
                self.lines += line_of(entry)
        return self.lines

    def close(self):
        self.reader.close()

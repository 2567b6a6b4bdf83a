# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""The examples of units/examples: installed as their own text says."""

import re


class Example:
    """One of them, in the container where dispatcherd is installed."""

    def __init__(self, site, name):
        self.site = site
        self.name = name
        self.folder = site.container.make_variable("docdir") + "/examples"
        with open(site.container.path(f"{self.folder}/{name}.cnf")) as file:
            self.text = file.read()

    def commands(self):
        """What its text tells an administrator to type."""
        return re.findall(r"^! +# (.*)$", self.text, re.MULTILINE)

    def install(self, change=lambda text: text):
        """Puts its section, changed if a test wants that, in place, and types its commands."""
        self.site.write_config(change(self.text))
        for command in self.commands():
            self.site.run("sh", "-ec", f"cd {self.folder}; {command}")

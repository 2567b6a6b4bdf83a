# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Random configurations with drop-ins, and what a host shows of the one in force."""

import re

NAMES = ["ALPHA", "BETA", "GAMMA"]
COMPARED = ["MAX_CONNS", "BACKLOG", "PARAMETER", "IMAGE"]
# Workers end for no reason but a change.
FOR_EVER = {"MAX_LIFE_CONNS": 0, "MAX_LIFE_TIME": 0, "MAX_IDLE_TIME": 0}
ADDRESSES = [None, None, "127.0.0.1", "127.0.0.2"]


class Pick:
    """One configuration: sections, and drop-ins of their sockets."""

    def __init__(self, site, rng, ports, images):
        self.site = site
        self.rng = rng
        self.images = images
        self.kept_port, *others = ports
        free = rng.sample(others, len(others))
        self.sections = {"KEPT": FOR_EVER | {"PORT": self.kept_port, "MIN_PROCS": 1, "IMAGE": images[0]}}
        for name in rng.sample(NAMES, rng.randint(1, len(NAMES))):
            self.sections[name] = self.pick_section(free)
        self.drop_ins = {}
        for name in self.sections:
            if name != "KEPT" and rng.random() < 0.35:
                self.drop_ins[name] = self.pick_drop_in(free)

    def pick_section(self, free):
        rng = self.rng
        options = FOR_EVER | {
            "PORT": free.pop(),
            "MIN_PROCS": rng.choice([0, 1, 2]),
            "MAX_CONNS": rng.choice([10, 20]),
            "BACKLOG": rng.choice([200, 300]),
            "PARAMETER": f"COLOUR={rng.choice(['red', 'blue'])}",
            "IMAGE": rng.choice(self.images),
        }
        if rng.random() < 0.3:
            options["TLS_PORT"] = free.pop()
        if address := rng.choice(ADDRESSES):
            options["INTERFACE_ADDRESS"] = address
        return options

    def pick_drop_in(self, free):
        if self.rng.random() < 0.5:
            return "[Socket]\nKeepAlive=yes\n"
        return f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{free.pop()}\n"

    def unit(self, name):
        return f"dispatcherd-{name.lower()}.socket"

    def write(self, before=None):
        """Puts it in place; the drop-ins of the one before go."""
        texts = [self.site.service(name, **options) for name, options in self.sections.items()]
        self.site.write_config("".join(texts))
        for name in before.drop_ins if before else ():
            if name not in self.drop_ins:
                self.site.remove_drop_in(self.unit(name))
        for name, text in self.drop_ins.items():
            if not before or before.drop_ins.get(name) != text:
                self.site.write_drop_in(self.unit(name), text)


class Shown:
    """What the host itself shows: sockets by their inode, workers by their process."""

    def __init__(self, site, ports):
        self.sockets = self.find_sockets(site, ports)
        self.workers = {}
        for worker in site.list_of("workers"):
            if worker["state"] in ("starting", "ready") and not worker["is_outdated"]:
                self.workers.setdefault(worker["service"], set()).add(worker["pid"])
        self.options = {
            name: {option: service["options"][option] for option in COMPARED}
            for name, service in site.services().items()
            if service["state"] not in ("stopping", "stopped")
        }

    @staticmethod
    def find_sockets(site, ports):
        """Of "ADDRESS:PORT", the inode of the socket that listens there."""
        text = site.run("ss", "-Hltne").stdout
        found = {}
        for line in text.splitlines():
            address = line.split()[3]
            if int(address.rsplit(":", 1)[1]) in ports:
                found[address] = re.search(r"\bino:(\d+)", line).group(1)
        return found

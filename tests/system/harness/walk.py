# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""A random walk of changes to dispatcher.cnf: what the file says now, and every edit with its way
back."""

import os

INCLUDED = "included.cnf"
N_PORTS = 8
# How often a service that is out comes back at once: most of the time both are to be served.
COMES_BACK = 0.5
ADDRESSES = [None, "127.0.0.2"]


class Section:
    """A service as the file has it, whether it is in force or not."""

    def __init__(self, name, port):
        self.name = name
        self.ports = [port]
        self.tls_port = None
        self.address = None
        self.backlog = 200
        self.image = 0
        self.colour = "red"
        self.is_commented = False
        self.is_disabled = False
        self.is_closed = False  # PORT=0
        self.is_included = False

    @property
    def is_enabled(self):
        return not (self.is_commented or self.is_disabled or self.is_closed)

    def listens(self):
        """Every port that it should listen at, with whether it is one of TLS_PORT."""
        pairs = {(port, False) for port in self.ports}
        return pairs | ({(self.tls_port, True)} if self.tls_port else set())


class Walk:
    def __init__(self, site, rng, images):
        self.site = site
        self.rng = rng
        self.images = images
        ports = set()
        while len(ports) < N_PORTS:
            ports.add(site.free_port())
        self.kept_port, *self.ports = sorted(ports)
        self.sections = [Section(name, self.ports[i]) for i, name in enumerate(["ONE", "TWO"])]
        self.names = ["UNO", "DUE", "DREI"]
        self.is_broken = False

    # The file

    def section_text(self, section):
        options = {"PORT": 0 if section.is_closed else ",".join(map(str, section.ports))}
        if section.tls_port:
            options["TLS_PORT"] = section.tls_port
        if section.address:
            options["INTERFACE_ADDRESS"] = section.address
        if section.is_disabled:
            options["ENABLE"] = 0
        options |= {"BACKLOG": section.backlog, "PARAMETER": f"COLOUR={section.colour}"}
        options["IMAGE"] = self.images[section.image]
        text = self.site.service(section.name, MIN_PROCS=0, **options)
        if section.is_commented:
            text = "".join(f"! {line}\n" for line in text.splitlines())
        return text

    def write(self):
        plain = "".join(self.section_text(s) for s in self.sections if not s.is_included)
        included = "".join(self.section_text(s) for s in self.sections if s.is_included)
        kept = self.site.service("KEPT", PORT=self.kept_port, MIN_PROCS=0, IMAGE=self.images[0])
        self.site.write_beside_config(INCLUDED, included or "! nothing\n")
        broken = "MAX_PROCS=many\n" if self.is_broken else ""
        self.site.write_config(kept + plain + f"<{INCLUDED}\n" + broken)

    def enabled(self):
        return [section for section in self.sections if section.is_enabled]

    def is_free(self, port):
        return not any(port in s.ports or port == s.tls_port for s in self.sections)

    def free_port(self):
        return self.rng.choice([port for port in self.ports if self.is_free(port)])

    # The edits. Each returns what it did.

    def edit(self):
        section = self.rng.choice(self.sections)
        if not section.is_enabled and self.rng.random() < COMES_BACK:
            return f"{section.name}: {self.bring_back(section)}"
        edit = self.rng.choice(
            [
                self.toggle_enable,
                self.toggle_comment,
                self.toggle_port_0,
                self.change_port,
                self.change_port,
                self.add_or_drop_port,
                self.swap_ports,
                self.toggle_tls_port,
                self.change_address,
                self.change_backlog,
                self.change_image,
                self.change_parameter,
                self.rename,
                self.move_to_include,
                self.break_or_mend,
                self.change_nothing,
            ]
        )
        return f"{section.name}: {edit(section)}"

    def bring_back(self, section):
        section.is_commented = section.is_disabled = section.is_closed = False
        return "comes back"

    def toggle(self, section, name):
        setattr(section, name, not getattr(section, name))
        return f"{name} is {getattr(section, name)}"

    def toggle_enable(self, section):
        return self.toggle(section, "is_disabled")

    def toggle_comment(self, section):
        return self.toggle(section, "is_commented")

    def toggle_port_0(self, section):
        return self.toggle(section, "is_closed")

    def move_to_include(self, section):
        return self.toggle(section, "is_included")

    def break_or_mend(self, _):
        return self.toggle(self, "is_broken")

    def change_nothing(self, _):
        return "nothing"

    def change_port(self, section):
        section.ports[0] = self.free_port()
        return f"ports {section.ports}"

    def add_or_drop_port(self, section):
        if len(section.ports) > 1:
            section.ports.pop()
        else:
            section.ports.append(self.free_port())
        return f"ports {section.ports}"

    def swap_ports(self, _):
        one, two = self.sections
        one.ports, two.ports = two.ports, one.ports
        return f"ports {one.ports}, those of {two.name} {two.ports}"

    def toggle_tls_port(self, section):
        section.tls_port = None if section.tls_port else self.free_port()
        return f"TLS port {section.tls_port}"

    def change_address(self, section):
        section.address = self.rng.choice(ADDRESSES)
        return f"address {section.address}"

    def change_backlog(self, section):
        section.backlog = self.rng.choice([50, 200, 333])
        return f"backlog {section.backlog}"

    def change_image(self, section):
        section.image = 1 - section.image
        return f"image {self.images[section.image]}"

    def change_parameter(self, section):
        section.colour = self.rng.choice(["red", "blue", "green"])
        return f"colour {section.colour}"

    def rename(self, section):
        self.names.append(section.name)
        section.name = self.names.pop(0)
        return f"is its name"


def number(name, default):
    return int(os.environ.get(name, default))

# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Certificates, and a service SMTP that speaks TLS."""

import os
import socket
import ssl
import subprocess

from .mail import MailService
from .site import LIMIT

FOLDER = "/var/lib/tls-test"  # in the container; readable by root alone


def make_certificate(folder, serial, days=90, kind="ec", name="mx.example"):
    """A self-signed one and its key, with a serial number to be told by. Returns the texts."""
    certificate, key = os.path.join(folder, "new.cert"), os.path.join(folder, "new.key")
    keys = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", *keys[kind], "-nodes", "-keyout", key, "-out"]
        + [certificate, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
        + ["-set_serial", str(serial), "-days", str(days)],
        check=True,
        capture_output=True,
    )
    with open(certificate) as file_of_certificate, open(key) as file_of_key:
        return file_of_certificate.read(), file_of_key.read()


class Certificate:
    """That of a service: files by hand, credentials of the workers' unit under systemd."""

    def __init__(self, site, tmp_path, service="smtp", kind="ec", days=90, drop_in="[Service]\n"):
        self.tmp_path = str(tmp_path)
        self.site = site
        self.kind = kind
        self.parameters = []
        self.renew(serial=1, days=days)
        if site.way == "hand":
            self.parameters = [f"TLS_CERT={self.path('tls.cert')}", f"TLS_KEY={self.path('tls.key')}"]
        else:
            site.write_drop_in(
                f"dispatcherd-{service}-worker@.service",
                f"{drop_in}LoadCredential=tls.cert:{FOLDER}/tls.cert\n"
                f"LoadCredential=tls.key:{FOLDER}/tls.key\n",
            )

    def path(self, name):
        return os.path.join(self.tmp_path, name)

    def write(self, name, text):
        """Replaces a file as those who renew certificates do."""
        if self.site.way == "hand":
            with open(self.path(name + ".new"), "w") as file:
                file.write(text)
            os.rename(self.path(name + ".new"), self.path(name))
        else:
            self.site.write_file(f"{FOLDER}/{name}", text)
            self.site.run("chmod", "0700", FOLDER)

    def renew(self, serial, days=90):
        certificate, key = make_certificate(self.tmp_path, serial, days, self.kind)
        self.write("tls.cert", certificate)
        self.write("tls.key", key)


def shake_hands(site, port, host="127.0.0.1", chain=None, **options):
    """A client whose handshake is over; `chain` are the files of its certificate and key."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # an end without close_notify is an error
    if chain:
        context.load_cert_chain(*chain)
    sock = site.open_socket(socket.AF_INET)
    sock.settimeout(LIMIT)
    sock.connect((host, port))
    return context.wrap_socket(sock, server_hostname="mx.example", **options)


class TlsMailService(MailService):
    """The service SMTP with a certificate."""

    def __init__(self, site, tmp_path, parameters=(), kind="ec", days=90, **options):
        self.certificate = Certificate(site, tmp_path, kind=kind, days=days)
        self.write, self.renew = self.certificate.write, self.certificate.renew
        self.site = site
        self.tls_port = site.free_port()
        parameters = list(parameters) + self.certificate.parameters
        super().__init__(site, parameters=parameters, TLS_PORT=self.tls_port, **options)

    def shake_hands(self, port=None, **options):
        """A client at the TLS_PORT whose handshake is over."""
        return shake_hands(self.site, port or self.tls_port, **options)

    def serial(self):
        """The serial number of the certificate that a new client is shown."""
        with self.shake_hands() as client:
            der = client.getpeercert(binary_form=True)
        text = subprocess.run(
            ["openssl", "x509", "-inform", "DER", "-noout", "-serial"],
            input=der,
            capture_output=True,
            check=True,
        ).stdout.decode()
        return int(text.strip().split("=")[1], 16)

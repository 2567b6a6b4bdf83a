"""Mail: a service with tcp_smtp_server, its Maildir, and clients that keep account."""

import email
import os
import queue
import smtplib
import socket
import threading
import time

BODY = "".join(f"line {n} of the message, which must arrive whole\n" for n in range(60))


class MailService:
    """The service SMTP of a site, started."""

    def __init__(self, site, **options):
        self.site = site
        self.port = site.free_port()
        self.maildir = site.prepare_maildir()
        parameters = ["DOMAIN=localhost"]
        if site.way == "hand":
            parameters.append(f"MAILDIR={self.maildir}")
        site.write_config(
            site.service(
                "SMTP", PORT=self.port, IMAGE=site.smtp_image(), PARAMETER=parameters, **options
            )
        )
        site.start()

    def files(self):
        """Every message that was delivered."""
        folder = os.path.join(self.maildir, "new")
        if not os.path.isdir(folder):
            return []
        return [os.path.join(folder, name) for name in os.listdir(folder)]

    def unfinished(self):
        return os.listdir(os.path.join(self.maildir, "tmp"))

    def messages(self):
        found = []
        for path in self.files():
            with open(path, "rb") as file:
                found.append(email.message_from_binary_file(file))
        return found


class Client(smtplib.SMTP):
    """smtplib, with its socket in the network of the site."""

    def __init__(self, service):
        self.service = service
        super().__init__("127.0.0.1", service.port, local_hostname="client.example", timeout=30)

    def _get_socket(self, host, port, timeout):
        sock = self.service.site.open_socket(socket.AF_INET)
        sock.settimeout(timeout)
        sock.connect((host, port))
        return sock


class Load:
    """Many sessions at a time that send numbered messages until each number was acknowledged."""

    def __init__(self, service, n_messages, n_sessions, per_session=5):
        self.service = service
        self.per_session = per_session
        self.numbers = queue.SimpleQueue()
        for number in range(n_messages):
            self.numbers.put((number, 0))
        self.n_messages = n_messages
        self.acknowledged = set()  # (number, try) with a 250
        self.n_broken = 0
        self.error = None
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(n_sessions)]
        for thread in self.threads:
            thread.start()

    def is_over(self):
        return self.error or len(self.acknowledged) == self.n_messages

    def work(self):
        try:
            while not self.is_over():
                self.session()
        except Exception as error:  # a thread's failure is the test's
            self.error = error

    def session(self):
        """A few messages; a broken session puts the one under way back, for another try."""
        name = None
        try:
            with Client(self.service) as client:
                for _ in range(self.per_session):
                    name = self.next_name()
                    if not name:
                        break
                    self.send(client, name)
                    with self.lock:
                        self.acknowledged.add(name)
                    name = None
        except (smtplib.SMTPServerDisconnected, ConnectionError):
            with self.lock:
                self.n_broken += 1
            if name:
                self.numbers.put((name[0], name[1] + 1))

    def next_name(self):
        try:
            return self.numbers.get(timeout=0.2)
        except queue.Empty:
            return None

    @staticmethod
    def send(client, name):
        text = f"Subject: {name[0]}.{name[1]}\n\n{BODY}"
        refused = client.sendmail("sender@example.com", ["somebody@localhost"], text)
        assert not refused

    def wait(self, limit):
        end = time.monotonic() + limit
        for thread in self.threads:
            thread.join(max(0, end - time.monotonic()))
        if self.error:
            raise self.error
        assert self.is_over(), f"{len(self.acknowledged)} of {self.n_messages} in {limit} s"

    def check_delivery(self):
        """Each message with a 250 is there, once; what else is there was never acknowledged; and
        none is torn."""
        delivered = {}
        for message in self.service.messages():
            number, attempt = map(int, message["Subject"].split("."))
            delivered[number, attempt] = delivered.get((number, attempt), 0) + 1
            assert message.get_payload() == BODY, f"message {number}.{attempt} is torn"
        missing = self.acknowledged - delivered.keys()
        assert not missing, f"acknowledged and not there: {missing}"
        assert set(delivered.values()) <= {1}, "a message is there twice"

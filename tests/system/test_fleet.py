# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Limits that hold over several hosts (dispatcher.cnf(5), FLEET), with a real store."""

import os
import re
import shutil
import socket
import subprocess
import threading
import time

import pytest
from harness.hand import HandSite
from harness.wait import wait_until

SERVER = next(filter(shutil.which, ("redis-server", "valkey-server")), None)
CLI = "valkey-cli" if SERVER == "valkey-server" else "redis-cli"

pytestmark = [
    pytest.mark.one_way,
    pytest.mark.skipif(not SERVER, reason="neither redis-server nor valkey-server is installed"),
]

RATE = 10
TABLE = f"  TCP|*|*|127.0.0.1|*  $Y\n  *|*|*|*|*  $C$[conn_throttle,throttle,$3,{RATE}]$N421$E\n"
CLIENT = "127.0.1.7"
LIMIT = 40  # a store that is away is asked again after up to 30 s


class Store:
    """A redis-server on a Unix socket of the site's folder."""

    def __init__(self, site, *options, name="store"):
        self.path = os.path.join(site.folder, name)
        self.site = site
        self.options = options
        self.start()

    def start(self):
        self.process = self.site.spawn(
            *(SERVER, "--port", "0", "--unixsocket", self.path, "--save", ""),
            *("--dir", self.site.folder, *self.options),
            stdout=subprocess.DEVNULL,
        )
        wait_until(lambda: self.ask("ping"), what="the store answers")

    def ask(self, *command):
        done = subprocess.run(
            [CLI, "-s", self.path, *command], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def keys(self, pattern):
        return self.ask("keys", pattern).split()


def fleet_of(site):
    return site.status()["fleet"]


def wait_for_fleet(site, is_up=True):
    wait_until(lambda: fleet_of(site)["is_up"] == is_up, LIMIT, f"the store is up: {is_up}")


def raised(site):
    return [alert["text"] for alert in site.status()["alerts"] if alert["alert"] == "fleet"]


def config_of(site, port, service=None, **options):
    own = "".join(f"{name}={value}\n" for name, value in options.items())
    return f"[SERVICE=DISPATCHER]\n{own}" + site.service(
        "TEST", PORT=port, MIN_PROCS=1, MAX_CONNS=50, **(service or {})
    )


def start(site, store, name, service=None, **options):
    site.write_mappings("PORT_ACCESS\n\n" + TABLE)
    port = site.free_port()
    site.write_config(config_of(site, port, service, FLEET=f"unix:{store}", FLEET_NAME=name, **options))
    site.start()
    return port


def is_admitted(site, port, source=CLIENT):
    """Whether a client of that address is served."""
    try:
        client = site.connect(port, source=source)
        answer = client.ask("service")
        client.close()
        return answer == "TEST"
    except (ConnectionError, AssertionError):
        return False


def early_in_a_minute():
    """The store counts by the minutes of its clock, which is this machine's."""
    wait_until(lambda: time.time() % 60 < 52, 15, "a new minute")


@pytest.fixture
def hosts(site_by_hand, builddir, tmp_path):
    sites = [site_by_hand]
    for name in ("b", "c"):
        folder = tmp_path / name
        folder.mkdir()
        sites.append(HandSite(builddir, folder))
    yield sites
    for site in sites[1:]:
        site.close()


def test_all_hosts_together_admit_what_the_limit_says(hosts):
    store = Store(hosts[0])
    ports = [start(site, store.path, name) for site, name in zip(hosts, "abc")]
    for site in hosts:
        wait_for_fleet(site)
    # Nobody is rejected below the limit, whichever host is asked.
    for i in range(RATE):
        assert is_admitted(hosts[i % 2], ports[i % 2]), i
    # Then nobody is admitted, not even by a host that never saw the client; if a minute ends now,
    # after RATE more.
    for site, port in reversed(list(zip(hosts, ports))):
        wait_until(lambda: not is_admitted(site, port), what=f"{site.folder} rejects")
    assert "at the other hosts" in hosts[2].control("explain", CLIENT).stdout
    assert all(int(store.ask("ttl", key)) > 0 for key in store.keys("*"))
    # A store that has lost its data is told again, or of the next minute.
    store.ask("flushall")
    wait_until(lambda: not is_admitted(hosts[2], ports[2]), what="the client is rejected")
    wait_until(lambda: store.keys("*:c:*"), what="the store has the counts again")
    # A host that leaves counts its own connections alone, and that at once.
    other = "127.0.1.6"
    early_in_a_minute()
    wait_until(lambda: not is_admitted(hosts[0], ports[0], other), what="the client is rejected")
    too_many = "one more is too many"
    wait_until(
        lambda: too_many in hosts[1].control("explain", other).stdout, what="another host knows"
    )
    hosts[1].reload(config_of(hosts[1], ports[1]))
    assert too_many not in hosts[1].control("explain", other).stdout
    assert is_admitted(hosts[1], ports[1], other)


def admit_at_once(hosts, ports, source, n):
    """Lets n clients of the address connect to each host before any of them is answered; returns how
    many are admitted."""
    clients = [
        site.dial(port, source=source) for _ in range(n) for site, port in zip(hosts, ports)
    ]
    admitted = 0
    for client in clients:
        try:
            client.sendall(b"service\n")
            admitted += b"TEST" in client.recv(100)
        except ConnectionError:
            pass
        client.close()
    return admitted


def test_an_address_has_as_many_connections_as_one_host_allows(hosts):
    store = Store(hosts[0])
    limit = {"MAX_CONNS_PER_ADDRESS": 3}
    ports = [
        start(site, store.path, name, limit, FLEET_ADDRESSES=1) for site, name in zip(hosts, "abc")
    ]
    for site in hosts:
        wait_for_fleet(site)
    client = "127.0.2.1"
    open_now = [hosts[i].connect(ports[i], source=client) for i in (0, 0, 1)]
    assert all(connection.ask("service") == "TEST" for connection in open_now)
    # A host that has none of them knows, too, and says so.
    def explained():
        return hosts[2].control("explain", client).stdout

    counts = r"1 here, 3 at the other hosts, known \d+ ms ago"
    wait_until(
        lambda: not is_admitted(hosts[2], ports[2], client) and re.search(counts, explained()),
        what=explained,
    )
    # Another address is served, and this one again when one of its connections has ended.
    assert is_admitted(hosts[2], ports[2], "127.0.2.2")
    open_now[2].close()
    # At once; where the store was given up meanwhile, when what it believes is 15 s old, what the
    # first host tells it every 5 s has been told again, and what was heard of that is 15 s old.
    wait_until(lambda: is_admitted(hosts[2], ports[2], client), 60, what="the client is served")
    # A host that has died has no connections: what is older than 15 s counts no longer.
    key = "dispatcherd:{fleet}:open:test:4:7f000202"
    now = int(store.ask("time").split()[0])
    store.ask("hset", key, "dead", f"9@{now - 60}")
    second = hosts[1].connect(ports[1], source="127.0.2.2")
    assert second.ask("service") == "TEST"
    wait_until(lambda: "dead" not in store.ask("hgetall", key), what="the store forgets the host")
    store.ask("hset", key, "alive", f"9@{now + 5}")
    wait_until(lambda: not is_admitted(hosts[2], ports[2], "127.0.2.2"), what="it is rejected")
    assert all(int(store.ask("ttl", key)) > 0 for key in store.keys("*"))


def test_explain_adds_whatever_count_the_store_has(site_by_hand):
    site, client = site_by_hand, "127.0.2.3"
    store = Store(site)
    port = start(site, store.path, "a", {"MAX_CONNS_PER_ADDRESS": 3}, FLEET_ADDRESSES=1)
    wait_for_fleet(site)
    now = int(store.ask("time").split()[0])
    store.ask("hset", "dispatcherd:{fleet}:open:test:4:7f000203", "alive", f"{2**32 - 1}@{now + 5}")
    connection = site.connect(port, source=client)
    assert connection.ask("service") == "TEST"
    wait_until(lambda: not is_admitted(site, port, client), what="the client is rejected")
    explained = site.control("explain", client).stdout
    text = f"MAX_CONNS_PER_ADDRESS: it would be connection {2**32 + 1} of at most 3 at a time"
    assert text in explained, explained


# Tells all hosts of ARGV[3] addresses from number ARGV[2] on that they have reached their limit, in
# groups of ARGV[4], each with a time of its own, as the batches of several hosts do.
TELL = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for i = 0, ARGV[3] - 1 do
  local number = ARGV[2] + i
  local key = string.format('dispatcherd:{fleet}:open:test:4:7f01%02x%02x', math.floor(number / 256),
    number % 256)
  redis.call('HSET', KEYS[2], key, ARGV[1])
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + math.floor(i / ARGV[4])), key)
end
"""


@pytest.mark.parametrize("n,group", [(400, 200), (700, 256), (256, 256), (512, 250), (600, 1)])
def test_news_of_many_addresses_are_told_in_parts(site_by_hand, n, group):
    site = site_by_hand
    store = Store(site)
    limit = {"MAX_CONNS_PER_ADDRESS": 3}
    port = start(site, store.path, "a", limit, FLEET_ADDRESSES=1)
    wait_for_fleet(site)
    told = ("dispatcherd:{fleet}:told", "dispatcherd:{fleet}:totals")
    assert store.ask("eval", TELL, "2", *told, "3", "0", str(n), str(group)) == ""
    wait_until(lambda: fleet_of(site)["n_addresses"] == n, 10, "all addresses are known")
    last = f"127.1.{(n - 1) // 256}.{(n - 1) % 256}"
    assert not is_admitted(site, port, last)
    explained = site.control("explain", last).stdout
    assert "3 at the other hosts" in explained, explained


def test_hosts_that_wait_admit_exactly_the_limit(hosts):
    store = Store(hosts[0])
    ports = [start(site, store.path, name, FLEET_WAIT=1000) for site, name in zip(hosts, "abc")]
    for site in hosts:
        wait_for_fleet(site)
    n_in_vain = 0
    for i in range(5):
        early_in_a_minute()
        source = f"127.0.1.{10 + i}"
        n_waits = [fleet_of(site)["n_waits"] for site in hosts]
        admitted = admit_at_once(hosts, ports, source, 8)
        assert admitted >= RATE
        # On a busy machine the store may not have answered in time.
        figures = [fleet_of(site) for site in hosts]
        n_in_vain, before = sum(fleet["n_waits_in_vain"] for fleet in figures), n_in_vain
        # Nor is it waited for where it was given up.
        all_waited = all(fleet["n_waits"] > n for fleet, n in zip(figures, n_waits, strict=True))
        # One that waited is rejected only if it comes before its host knows that the limit is reached.
        is_told = any("after a wait of" in site.control("explain", source).stdout for site in hosts)
        if n_in_vain == before and all_waited and is_told:
            break
        for site in hosts:
            wait_for_fleet(site)
    else:
        pytest.skip("this machine is too busy for the store to answer within 50 ms")
    assert admitted == RATE
    assert sum(fleet["n_waits"] for fleet in figures) >= RATE
    # A store that does not answer delays nobody for longer than its own limit, and admits as before.
    pid = store.ask("info", "server").split("process_id:")[1].split()[0]
    hosts[0].kill(int(pid), "STOP")
    admitted = [is_admitted(hosts[0], ports[0], "127.0.1.20") for _ in range(RATE)]
    assert admitted == RATE * [True]
    hosts[0].kill(int(pid), "CONT")


def wait_for_waits(site, port):
    """Until a check has waited for the store. It does not while the store is taken for away, as after
    an answer that was late."""

    def has_waited():
        wait_for_fleet(site)
        assert is_admitted(site, port, f"127.0.1.{next(fresh)}")
        return fleet_of(site)["n_waits"] == 1

    fresh = iter(range(100, 250))
    if fleet_of(site)["n_waits"] == 0:
        wait_until(has_waited, what="a check that waits", interval=0.5)


def test_a_count_that_is_not_sent_is_not_waited_for(site_by_hand):
    site = site_by_hand
    store = Store(site)
    site.write_mappings("PORT_ACCESS\n\n" + TABLE)
    port = site.free_port()
    site.write_config(config_of(site, port))
    site.start()
    # Windows that begin within a second of a minute are the fleet's, too.
    wait_until(lambda: 2 < time.time() % 60 < 52, 15, "a time within a minute")
    assert is_admitted(site, port)
    site.reload(config_of(site, port, FLEET=f"unix:{store.path}", FLEET_NAME="a", FLEET_WAIT=1000))
    wait_for_fleet(site)
    assert is_admitted(site, port)
    assert fleet_of(site)["n_waits"] == 0
    wait_for_waits(site, port)


def test_clients_do_not_notice_a_store_that_is_away(site_by_hand):
    site = site_by_hand
    store = Store(site)
    port = start(site, store.path, "a")
    wait_for_fleet(site)
    pid = store.ask("info", "server").split("process_id:")[1].split()[0]
    site.kill(int(pid), "STOP")
    assert is_admitted(site, port, "127.0.1.8")
    wait_until(lambda: raised(site), what="the alert")
    assert "no answer within 50 ms; limits hold for this host alone" in raised(site)[0]
    early_in_a_minute()
    admitted = [is_admitted(site, port, "127.0.1.9") for _ in range(RATE + 2)]
    assert admitted == RATE * [True] + 2 * [False]
    site.kill(int(pid), "CONT")
    wait_for_fleet(site)
    assert fleet_of(site)["n_late"] > 0 and fleet_of(site)["down_usec"] > 0
    site.kill(int(pid), "KILL")
    wait_for_fleet(site, False)
    assert is_admitted(site, port, "127.0.1.8")
    # What sits there now sends nonsense.
    os.unlink(store.path)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(store.path)
        sock.listen()
        threading.Thread(target=send_nonsense, args=(sock,), daemon=True).start()
        wait_until(lambda: "no reply of" in (fleet_of(site)["reason"] or ""), LIMIT, "the reason")
        assert is_admitted(site, port, "127.0.1.8")


def send_nonsense(sock):
    connections = []  # stay open: what was sent is lost with an end that had something to read
    while True:
        try:
            connections.append(sock.accept()[0])
            connections[-1].send(b"220 mail.example ESMTP\r\n")
        except OSError:
            return


def test_the_password_is_a_credential(site_by_hand):
    site = site_by_hand
    store = Store(site, "--requirepass", "right")
    site.environment["CREDENTIALS_DIRECTORY"] = site.folder
    site.write_beside_config("fleet.password", "wrong\n")
    start(site, store.path, "a")
    wait_until(lambda: "WRONGPASS" in (fleet_of(site)["reason"] or ""), LIMIT, "the reason")
    site.write_beside_config("fleet.password", "right\n")
    wait_for_fleet(site)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a process hosts of its own")
def test_a_store_is_found_by_its_name_wherever_that_leads(site_by_hand):
    site, port = site_by_hand, site_by_hand.free_port()
    stores = [
        Store(site, "--bind", address, "--port", str(port), name=f"store-{address}")
        for address in ("127.0.0.1", "127.0.0.2")
    ]
    site.write_beside_config("hosts", "127.0.0.1 localhost\n")
    site.write_config(
        config_of(site, site.free_port(), FLEET=f"store.example:{port}", FLEET_NAME="a")
    )
    hosts = os.path.join(site.folder, "hosts")
    own_hosts = f'mount --bind {hosts} /etc/hosts && exec "$@"'
    site.launch("unshare", "--mount", "sh", "-c", own_hosts, "sh")
    wait_until(lambda: site.manager.last("READY") == "1", what="READY=1")
    wait_until(lambda: "look up its name" in (fleet_of(site)["reason"] or ""), what="the reason")
    site.write_beside_config("hosts", "127.0.0.1 store.example\n")
    wait_for_fleet(site)
    assert stores[0].keys("*") and not stores[1].keys("*")
    site.write_beside_config("hosts", "127.0.0.2 store.example\n")
    wait_until(lambda: stores[1].keys("*"), LIMIT, "the other store is used")
    wait_for_fleet(site)


def test_a_replica_takes_over(site_by_hand):
    site = site_by_hand
    ports = [site.free_port(), site.free_port()]
    first = Store(site, "--bind", "127.0.0.1", "--port", str(ports[0]), name="first")
    replica = Store(
        *(site, "--bind", "127.0.0.1", "--port", str(ports[1])),
        *("--replicaof", "127.0.0.1", str(ports[0])),
        name="replica",
    )
    port = start(site, first.path, "a", FLEET_WAIT=0)
    site.reload(
        config_of(
            *(site, port), FLEET=f"127.0.0.1:{ports[0]} 127.0.0.1:{ports[1]}", FLEET_NAME="a"
        )
    )
    wait_until(lambda: fleet_of(site)["store"].endswith(str(ports[0])), what="the first is used")
    wait_for_fleet(site)
    first.process.kill()
    # As long as it takes no writes, it is no store.
    wait_until(lambda: "READONLY" in (fleet_of(site)["reason"] or ""), LIMIT, "the reason")
    replica.ask("replicaof", "no", "one")
    wait_for_fleet(site)
    early_in_a_minute()
    admitted = [is_admitted(site, port) for _ in range(RATE + 2)]
    assert admitted == RATE * [True] + 2 * [False]
    wait_until(lambda: replica.keys("*:c:*"), what="the replica has the counts")


def test_a_cluster_leads_to_the_node_that_has_the_keys(site_by_hand):
    site = site_by_hand
    nodes = []
    for i in range(3):
        port, bus = site.free_port(), site.free_port()
        options = ("--cluster-enabled", "yes", "--cluster-config-file", f"nodes-{i}.conf")
        node = Store(
            *(site, "--bind", "127.0.0.1", "--port", str(port), "--cluster-port", str(bus)),
            *options,
            name=f"node-{i}",
        )
        nodes.append((node, port, bus))
    for i, (node, port, bus) in enumerate(nodes):
        node.ask("cluster", "addslotsrange", str(i * 5500), str(min(i * 5500 + 5499, 16383)))
        nodes[0][0].ask("cluster", "meet", "127.0.0.1", str(port), str(bus))
    for node, _, _ in nodes:
        wait_until(
            lambda: "cluster_state:ok" in node.ask("cluster", "info"), LIMIT, "the cluster is whole"
        )
    # The one that is named has not the keys.
    slot = int(nodes[0][0].ask("cluster", "keyslot", "dispatcherd:{fleet}:state"))
    has_keys = nodes[slot // 5500]
    others = [node for node in nodes if node is not has_keys]
    port = site.free_port()
    site.write_mappings("PORT_ACCESS\n\n" + TABLE)
    site.write_config(
        config_of(site, port, FLEET=f"127.0.0.1:{others[0][1]}", FLEET_NAME="a", FLEET_ADDRESSES=1)
    )
    site.start()
    wait_for_fleet(site)
    early_in_a_minute()
    admitted = [is_admitted(site, port) for _ in range(RATE + 2)]
    assert admitted == RATE * [True] + 2 * [False]
    wait_until(lambda: has_keys[0].keys("*:c:*"), what="the node has the counts")
    assert fleet_of(site)["store"].endswith(str(has_keys[1]))

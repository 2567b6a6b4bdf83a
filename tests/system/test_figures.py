# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Every place where figures are shown shows the same ones, and they are what the clients saw."""

import itertools
import random
import re
from collections import Counter

import pytest
from harness.burst import Burst, need_descriptors
from harness.crowd import Crowd, Visit
from harness.site import LIMIT
from harness.wait import wait_until
from harness.web import figures_of, web_of

pytestmark = pytest.mark.one_way

TALK = b"service\nquit\n"
N_PLAIN, N_GUARDED, N_PROXIED, N_CRASHING = 6000, 3000, 960, 40

MAPPINGS = """\
PORT_ACCESS

  TCP|*|{guarded}|127.0.1.*|*  $N550$ not$ you
  TCP|*|{guarded}|127.0.2.*|*  $C$[IMTA_LIB:conn_throttle.so,throttle,127.0.2.$1,5]$N421$ too$ many$E
  TCP|*|{guarded}|127.0.3.*|*  $N551$ nor$ you
  *  $Y
"""


class Scene:
    """Services, and visits to each that end in different ways."""

    def __init__(self, site):
        self.site = site
        names = ("PLAIN", "GUARDED", "PROXIED", "CRASHING")
        self.ports = {name: site.free_port() for name in names}
        site.write_mappings(MAPPINGS.format(guarded=self.ports["GUARDED"]))
        site.write_config(
            self.service("PLAIN", MAX_PROCS=3, MAX_CONNS=10)
            # Its workers are renewed all the time; each refusal has a line.
            + self.service("GUARDED", MAX_LIFE_CONNS=200, MAX_CONNS_PER_ADDRESS=1, DEBUG="16%1000000")
            # Each end has a line.
            + self.service(
                "PROXIED", PROXY_PROTOCOL=1, PROXY_UPSTREAMS="127.0.0.1", DEBUG="16%1200000"
            )
            + self.service("CRASHING", MAX_CONNS=1, MAX_PROCS=8)
        )
        site.start()

    def service(self, name, **options):
        return self.site.service(name, PORT=self.ports[name], BACKLOG=1024, **options)

    def visits(self):
        visits = (
            [Visit(self.ports["PLAIN"], TALK) for _ in range(N_PLAIN)]
            + [self.guarded(i) for i in range(N_GUARDED)]
            + [self.proxied(i) for i in range(N_PROXIED)]
            + [self.crashing(i) for i in range(N_CRASHING)]
        )
        random.Random(1).shuffle(visits)
        return visits

    def guarded(self, i):
        """From hosts that are let in, refused by two entries, or throttled; many from one that is
        let in, so that they meet."""
        source = ("127.0.4.{}", "127.0.1.{}", "127.0.2.{}", "127.0.3.{}")[i % 4].format(i % 100 + 1)
        return Visit(self.ports["GUARDED"], TALK, "127.0.5.1" if i % 8 == 0 else source)

    def proxied(self, i):
        header = b"PROXY TCP4 198.51.100.%d 192.0.2.1 4711 25\r\n" % (i % 250)
        return Visit(self.ports["PROXIED"], (header if i % 3 else b"EHLO you\r\n") + TALK)

    def crashing(self, i):
        return Visit(self.ports["CRASHING"], b"service\ncrash\n" if i % 2 else TALK)

    def seen(self, heard):
        """What the clients heard, by service, in the words of the statistics."""
        words = {
            b"550 not you\r\n": "mapping",
            b"551 nor you\r\n": "mapping",
            b"421 too many\r\n": "throttle",
        }
        result = {}
        for name, port in self.ports.items():
            served = f"{name}\n".encode()
            words |= {served + b"bye\n": "ended", served: "broken"}
            words[b""] = "proxy_header" if name == "PROXIED" else "address"
            result[name] = Counter()
            for text, n in heard[port].items():
                result[name][words[text]] += n
        return result


def expected(seen):
    """Statistics of a service whose clients have seen that."""
    n_admitted = seen["ended"] + seen["broken"]
    n_rejected = seen.total() - n_admitted
    return {
        "n_accepted": n_rejected + n_admitted,
        "n_admitted": n_admitted,
        "n_rejected": n_rejected,
        "n_ended": seen["ended"],
        "n_failed_sessions": 0,
        "n_sent_away": 0,
        "n_broken": seen["broken"],
        "n_gone": 0,
        "n_unserved": 0,
        "n_failed_starts": 0,
    }


def page_counters(text):
    """The page's counters, by service and title."""
    services = {}
    for section in re.findall(r"<section><h2>(.*?)</section>", text, re.DOTALL):
        name = section.split(" ", 1)[0]
        pairs = re.findall(r"<dt>([^<]*)</dt><dd>(\d+)</dd>", section)
        services[name] = {title: int(n) for title, n in pairs}
    return services


PAGE_TITLES = {
    "n_accepted": "Accepted",
    "n_admitted": "Admitted",
    "n_rejected": "Rejected",
    "n_ended": "Ended",
    "n_failed_sessions": "Failed sessions",
    "n_sent_away": "Sent away",
    "n_broken": "Broken",
    "n_gone": "Gone",
    "n_unserved": "Unserved",
    "n_failed_starts": "Failed starts",
}
METRIC_NAMES = {
    "n_accepted": "accepted_connections_total",
    "n_admitted": "admitted_connections_total",
    "n_ended": "ended_connections_total",
    "n_failed_sessions": "failed_sessions_total",
    "n_sent_away": "sent_away_connections_total",
    "n_broken": "broken_connections_total",
    "n_gone": "gone_connections_total",
    "n_unserved": "unserved_connections_total",
    "n_failed_starts": "failed_worker_starts_total",
}


def test_all_figures_are_what_ten_thousand_clients_saw(site):
    scene = Scene(site)
    visits = scene.visits()
    assert len(visits) == 10000
    seen = scene.seen(Crowd(site, visits, 5 * LIMIT).heard)
    assert set(seen["GUARDED"]) == {"ended", "mapping", "throttle", "address"}
    assert seen["PROXIED"] == {"ended": N_PROXIED * 2 // 3, "proxy_header": N_PROXIED // 3}
    assert seen["PLAIN"] == {"ended": N_PLAIN}
    assert seen["CRASHING"] == {"ended": N_CRASHING // 2, "broken": N_CRASHING // 2}

    # A worker tells of an end after its client has seen it.
    services = wait_until(lambda: settled(site), LIMIT, "every session is over")
    rejected = {name: services[name]["statistics"]["rejected"] for name in seen}
    for name, counts in seen.items():
        statistics = services[name]["statistics"]
        assert {key: statistics[key] for key in expected(counts)} == expected(counts)
        reasons = {reason: n for reason, n in rejected[name].items() if n > 0}
        assert reasons == {how: n for how, n in counts.items() if how not in ("ended", "broken")}
        assert statistics["wait"]["n"] == statistics["n_admitted"]
        assert statistics["duration"]["n"] == statistics["n_ended"] + statistics["n_broken"]
        assert statistics["concurrent"]["current"] == 0
        assert services[name]["active"]["value"] == services[name]["waiting"]["value"] == 0
    check_page_and_metrics(web_of(site), services, seen)
    check_log(site, seen, rejected)


def settled(site):
    services = site.services()
    for service in services.values():
        statistics = service["statistics"]
        ways = ("n_ended", "n_broken", "n_gone", "n_unserved", "n_rejected")
        if statistics["n_accepted"] != sum(statistics[way] for way in ways):
            return None
    return services


def check_page_and_metrics(web, services, seen):
    page = page_counters(web.text("/"))
    metrics = {name: int(value) for name, value in counters_of(web.text("/metrics"))}
    for name, counts in seen.items():
        rejected = services[name]["statistics"]["rejected"]
        for key, n in expected(counts).items():
            assert page[name][PAGE_TITLES[key]] == n, (name, key)
            if key in METRIC_NAMES:
                assert metrics[f'dispatcherd_{METRIC_NAMES[key]}{{service="{name}"}}'] == n
        for reason, n in rejected.items():
            assert page[name].get(f"Rejected: {reason}", 0) == n
            label = f'{{service="{name}",reason="{reason}"}}'
            assert metrics[f"dispatcherd_rejected_connections_total{label}"] == n
        n_over = counts["ended"] + counts["broken"]
        assert metrics[f'dispatcherd_duration_seconds_count{{service="{name}"}}'] == n_over
        assert metrics[f'dispatcherd_wait_seconds_count{{service="{name}"}}'] == n_over


def counters_of(text):
    for name, value in figures_of(text).items():
        if re.search("_(total|count){", name):
            yield name, value


def check_log(site, seen, rejected):
    """There need not be a line for each: how many there are not is said, within some seconds."""
    wanted = Counter({name: sum(rejected[name].values()) for name in ("GUARDED", "PROXIED")})
    wanted_ends = Counter(
        {
            "connection ended": seen["PROXIED"]["ended"],
            "connection rejected": seen["PROXIED"]["proxy_header"],
        }
    )

    def all_are_accounted_for():
        text = site.log_text()
        lost = sum(int(n) for n in re.findall(r"(\d+) (?:log )?lines? (?:was |were )?left out", text))
        lines = Counter(re.findall(r"(\w+): access_control: host \S+ rejected", text))
        ends = Counter(re.findall(r"PROXIED: \S+: (connection \w+)", text))
        assert not lines - wanted and not ends - wanted_ends, "there are lines of what never was"
        missing = itertools.chain((wanted - lines).values(), (wanted_ends - ends).values())
        return sum(missing) <= lost

    wait_until(all_are_accounted_for, 2 * LIMIT, "each line, or the count of those left out", 0.5)


def test_five_thousand_open_connections_are_all_told(site_by_hand):
    need_descriptors(5000)
    site = site_by_hand
    port = site.run_service(
        MIN_PROCS=0, MAX_PROCS=100, MAX_CONNS=50, MIN_CONNS=50, MAX_HANDOFFS=50, BACKLOG=4096
    )
    burst = Burst(site, port, 5000)
    wait_until(
        lambda: burst.step() or not burst.waiting,
        5 * LIMIT,
        lambda: f"5000 served clients; there are {len(burst.served)}",
        0,
    )
    connections = site.list_of("connections")
    assert len({item["id"] for item in connections}) == len(connections) == 5000
    at_workers = Counter(item["worker_pid"] for item in connections)
    assert at_workers == burst.pids == {pid: 50 for pid in site.worker_pids("TEST")}
    ours = {sock.getsockname()[1] for sock in burst.served}
    assert {item["client"]["port"] for item in connections} == ours

    page = web_of(site).text("/")
    assert '<p class="quiet">500 of 5000</p>' in page
    shown = set(re.findall(r"<td class=\"text\">([0-9a-f]{16})</td>", page))
    assert len(shown) == 500 and shown <= {item["id"] for item in connections}
    assert f"{site.services()['TEST']['active']['value']}<i>/5000</i>" in page
    burst.release()

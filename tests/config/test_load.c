/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Files, and what they lead to: options, errors and warnings. */
#include "fixture.h"
#include "support/random.h"
#include "support/suite.h"

#include "base/macro.h"
#include "base/time.h"
#include "config/print.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct fixture fixture;

static void setup(void)
{
    fixture_start(&fixture);
}

static void teardown(void)
{
    fixture_stop(&fixture);
}

/* Sections that lack nothing; what a case is about follows. */
#define SMTP  "[SERVICE=SMTP]\nIMAGE=w\nPORT=25\n"
#define OTHER "[SERVICE=OTHER]\nIMAGE=w\nPORT=26\n"

/* A file, and what it leads to. Strings that are NULL expect nothing. */
struct load_case {
    const char *name; /* what it is about */
    const char *text;
    size_t n_errors, n_warnings;
    const char *has[4];  /* fixture_has() */
    const char *said[4]; /* fixture_said() */
};

static const struct load_case load_cases[] = {
    {"PORT in base 16", "[SERVICE=SMTP]\nIMAGE=w\nPORT=16%19\n", 0, 0, {"SMTP.PORT=25"}, {0}},
    {"DEBUG: -1", SMTP "DEBUG=-1\n", 0, 0, {"SMTP.DEBUG=16%FFFFFFFF"}, {0}},
    {"DEBUG: F", SMTP "DEBUG=16%FFFFFFFF\n", 0, 0, {"SMTP.DEBUG=16%FFFFFFFF"}, {0}},
    {"DEBUG: f", SMTP "DEBUG=16%ffffffff\n", 0, 0, {"SMTP.DEBUG=16%FFFFFFFF"}, {0}},
    {"DEBUG: decimal", SMTP "DEBUG=4294967295\n", 0, 0, {"SMTP.DEBUG=16%FFFFFFFF"}, {0}},
    {"DEBUG: too large",
     SMTP "DEBUG=4294967296\n",
     1,
     0,
     {0},
     {":4: error: DEBUG=4294967296 is out"}},
    {"DEBUG in base 16", SMTP "DEBUG=16%1000000\n", 0, 0, {"SMTP.DEBUG=16%1000000"}, {0}},
    {"DEBUG that looks like another base",
     SMTP "DEBUG=1000000\n",
     0,
     1,
     {"SMTP.DEBUG=16%F4240"},
     {":4: warning: DEBUG=1000000 is the decimal number; write DEBUG=16%1000000"}},
    {"DEBUG: four digits", SMTP "DEBUG=1000\n", 0, 0, {"SMTP.DEBUG=16%3E8"}, {0}},
    {"octal", SMTP "MAX_CONNS=8%12\n", 0, 0, {"SMTP.MAX_CONNS=10"}, {0}},
    {"binary", SMTP "MAX_CONNS=2%101\n", 0, 0, {"SMTP.MAX_CONNS=5"}, {0}},
    {"base 36", SMTP "MAX_CONNS=36%Z\n", 0, 0, {"SMTP.MAX_CONNS=35"}, {0}},
    {"above the maximum",
     SMTP "MAX_CONNS=60\n",
     0,
     1,
     {"SMTP.MAX_CONNS=50"},
     {":4: warning: MAX_CONNS=60 is above the maximum; 50 is used"}},
    {"comments", "! text\n; text\n# text\n\n \t\n  ! x=\n" SMTP, 0, 0, {"SMTP.PORT=25"}, {0}},
    {"trailing comment",
     "[SERVICE=SMTP]\nIMAGE=w\nPORT=25 ! x\n",
     1,
     0,
     {0},
     {":3: error: PORT=25 ! x: a comment must be on a line of its own"}},
    {"blanks and case",
     "[ service = SMTP ]\n image=\tw \n\tport = 25\n",
     0,
     0,
     {"SMTP.PORT=25"},
     {0}},
    {"global default",
     "MAX_PROCS=4\n" SMTP "MAX_PROCS=8\n" OTHER,
     0,
     0,
     {"SMTP.MAX_PROCS=8", "OTHER.MAX_PROCS=4"},
     {0}},
    {"options of the Dispatcher",
     "DEBUG=2\n[SERVICE=DISPATCHER]\nDEBUG=1\n" SMTP,
     0,
     0,
     {"DISPATCHER.DEBUG=16%1", "SMTP.DEBUG=16%2"},
     {0}},
    {"options that the Dispatcher does not have",
     SMTP "[SERVICE=DISPATCHER]\nPORT=26\n",
     0,
     1,
     {0},
     {":5: warning: PORT is ignored in [SERVICE=DISPATCHER]"}},
    {"BACKLOG by default", SMTP "MAX_CONNS=10\nMAX_PROCS=5\n", 0, 0, {"SMTP.BACKLOG=50"}, {0}},
    {"BACKLOG: the least", SMTP "MAX_CONNS=1\nMAX_PROCS=2\n", 0, 0, {"SMTP.BACKLOG=5"}, {0}},
    {"defaults",
     SMTP,
     0,
     0,
     {"SMTP.MAX_CONNS=10", "SMTP.MAX_HANDOFFS=5", "SMTP.MAX_LIFE_TIME=86400", "SMTP.IDENT=0"},
     {0}},
    {"PORT=0 with an error", "[SERVICE=SMTP]\nPORT=0\nMAX_PROCS=x\n", 1, 0, {0}, {":3: error: "}},
    {"PORT=0 without IMAGE", "[SERVICE=SMTP]\nPORT=0\n", 0, 0, {"SMTP.PORT=0"}, {0}},
    {"ENABLE=0", SMTP "ENABLE=0\n", 0, 0, {"SMTP.ENABLE=0", "SMTP.PORT=25"}, {0}},
    {"list of ports",
     "[SERVICE=SMTP]\nIMAGE=w\nPORT=2525, 2526\n",
     0,
     0,
     {"SMTP.PORT=2525,2526"},
     {0}},
    {"list of ports with zero",
     "[SERVICE=SMTP]\nIMAGE=w\nPORT=2525,0\n",
     1,
     0,
     {0},
     {":3: error: PORT=2525,0: 0 is not allowed in a list"}},
    {"INTERFACE_ADDRESS",
     SMTP "INTERFACE_ADDRESS=127.0.0.2\n",
     0,
     0,
     {"SMTP.INTERFACE_ADDRESS=127.0.0.2"},
     {0}},
    {"one port at two addresses",
     SMTP "INTERFACE_ADDRESS=127.0.0.2\n[SERVICE=B]\nIMAGE=w\nPORT=25\n"
          "INTERFACE_ADDRESS=127.0.0.3\n",
     0,
     0,
     {"SMTP.PORT=25", "B.PORT=25"},
     {0}},
    {"clash",
     SMTP "[SERVICE=B]\nIMAGE=w\nPORT=25\n",
     1,
     0,
     {0},
     {":6: error: port 25 of the service B is taken by the service SMTP (dispatcher.cnf:3)"}},
    {"clash: partly",
     SMTP "[SERVICE=B]\nIMAGE=w\nPORT=25\nINTERFACE_ADDRESS=127.0.0.1\n",
     0,
     1,
     {"B.PORT=25"},
     {":6: warning: port 25 is configured for the service B on one address, and for the service "
      "SMTP "
      "(dispatcher.cnf:3) on all"}},
    {"no clash: other family",
     SMTP "INTERFACE_ADDRESS=0.0.0.0\n[SERVICE=B]\nIMAGE=w\nPORT=25\nINTERFACE_ADDRESS=::\n",
     0,
     0,
     {"B.PORT=25"},
     {0}},
    {"clash with itself",
     SMTP "TLS_PORT=465,25\n",
     1,
     0,
     {0},
     {":4: error: TLS_PORT=25 of the service SMTP is also its PORT"}},
    {"no clash: disabled",
     SMTP "[SERVICE=B]\nIMAGE=w\nPORT=25\nENABLE=0\n",
     0,
     0,
     {"B.ENABLE=0"},
     {0}},
    {"several lists",
     SMTP "DNS_VERIFY_DOMAIN=a\nDNS_VERIFY_DOMAIN=b\nDNS_VERIFY_DOMAIN=c\nDNS_VERIFY_DOMAIN=d\n"
          "DNS_VERIFY_DOMAIN=e.example.\n",
     0,
     0,
     {"SMTP.DNS_VERIFY_DOMAIN=a", "SMTP.DNS_VERIFY_DOMAIN=e.example."},
     {0}},
    {"six lists",
     SMTP "DNS_VERIFY_DOMAIN=a\nDNS_VERIFY_DOMAIN=b\nDNS_VERIFY_DOMAIN=c\nDNS_VERIFY_DOMAIN=d\n"
          "DNS_VERIFY_DOMAIN=e\nDNS_VERIFY_DOMAIN=f\n",
     1,
     0,
     {0},
     {":9: error: DNS_VERIFY_DOMAIN=f: a service may have at most 5 lists"}},
    {"lists of the service and of all services",
     "DNS_VERIFY_DOMAIN=a\nDNS_VERIFY_DOMAIN=b\n" SMTP "DNS_VERIFY_DOMAIN=c\n",
     0,
     0,
     {"SMTP.DNS_VERIFY_DOMAIN=c\n! default\nENABLE=1"},
     {0}},
    {"PARAMETER",
     SMTP "PARAMETER=CHANNEL=tcp_submit\n",
     0,
     0,
     {"SMTP.PARAMETER=CHANNEL=tcp_submit"},
     {0}},
    {"ENABLE_RBL", SMTP "ENABLE_RBL=1\n", 0, 1, {0}, {":4: warning: ENABLE_RBL is ignored"}},
    {"ENABLE_RBL: off", SMTP "ENABLE_RBL=0\n", 0, 0, {0}, {0}},
    {"ignored quota", SMTP "BYTLM=200000\n", 0, 1, {0}, {"LimitNOFILE=, MemoryMax= and TasksMax="}},
    {"unknown option",
     SMTP "MAX_CONS=5\n",
     0,
     1,
     {0},
     {":4: warning: the unknown option MAX_CONS is ignored; did you mean MAX_CONNS?"}},
    {"alien option", SMTP "COLOUR=5\n", 0, 1, {0}, {"the unknown option COLOUR is ignored\n"}},
    {"continued lines",
     "[SERVICE=SMTP]\nIMAGE=\\\n   w\nPORT=2\\\n5\nMAX_PROCS=x\n",
     1,
     0,
     {0},
     {":6: error: MAX_PROCS=x"}},
    {"continued lines: joined",
     "[SERVICE=SMTP]\nIMAGE=w\nPORT=25,\\\n  26\n",
     0,
     0,
     {"SMTP.PORT=25,26"},
     {0}},
    {"LOGFILE", SMTP "LOGFILE=x_%s.log\n", 0, 0, {"SMTP.LOGFILE=/logs/x_%s.log"}, {0}},
    {"logical name",
     "[SERVICE=SMTP]\nIMAGE=IMTA_BIN:tcp_smtp_server\nPORT=25\n",
     0,
     0,
     {"SMTP.IMAGE=/workers/tcp_smtp_server"},
     {0}},

    /* Other cases. */
    {"aliases",
     "[SERVICE=SMTP]\nIMAGE=w\nTCP_PORTS=25\nSSL_PORTS=465\nLOGFILENAME=x\n",
     0,
     0,
     {"SMTP.PORT=25", "SMTP.TLS_PORT=465", "SMTP.LOGFILE=/logs/x"},
     {0}},
    {"defaults give way in silence",
     SMTP "MAX_CONNS=1\nMAX_PROCS=1\n",
     0,
     0,
     {"SMTP.MIN_CONNS=1", "SMTP.MAX_HANDOFFS=1", "SMTP.MAX_SHUTDOWN=1"},
     {0}},
    {"minima above maxima",
     "MIN_PROCS=6\n" SMTP "MIN_CONNS=60\nMAX_HANDOFFS=11\nMAX_SHUTDOWN=9\n" OTHER,
     0,
     4,
     {"SMTP.MIN_PROCS=5", "SMTP.MIN_CONNS=10", "SMTP.MAX_HANDOFFS=10", "SMTP.MAX_SHUTDOWN=5"},
     {":1: warning: MIN_PROCS=6 is more than MAX_PROCS=5 (the default); 5 is used",
      ":5: warning: MIN_CONNS=60 is more than MAX_CONNS=10", ":6: warning: MAX_HANDOFFS=11 is more",
      ":7: warning: MAX_SHUTDOWN=9 is more than MAX_PROCS=5"}},
    {"the line that sets the limit",
     "MIN_PROCS=3\n" SMTP "MAX_PROCS=2\n",
     0,
     1,
     {"SMTP.MIN_PROCS=2"},
     {":1: warning: MIN_PROCS=3 is more than MAX_PROCS=2 (dispatcher.cnf:5); 2 is used"}},
    {"MAX_SHUTDOWN=0",
     SMTP "MAX_SHUTDOWN=0\n",
     0,
     1,
     {"SMTP.MAX_SHUTDOWN=1"},
     {":4: warning: MAX_SHUTDOWN=0 is below the minimum; 1 is used"}},
    {"MAX_PROCS has an end",
     SMTP "MAX_PROCS=1025\n",
     1,
     0,
     {0},
     {":4: error: MAX_PROCS=1025 is out of range; allowed: 1 to 1024"}},
    {"stack sizes",
     SMTP "STACKSIZE=0\n" OTHER "STACKSIZE=65535\n",
     1,
     0,
     {0},
     {":8: error: STACKSIZE=65535 is out of range; allowed: 0, or 65536 to 2147483647"}},
    {"BACKLOG has a least",
     SMTP "BACKLOG=4\n",
     1,
     0,
     {0},
     {":4: error: BACKLOG=4 is out of range; allowed: 5 to"}},
    {"BACKLOG of the kernel",
     SMTP "BACKLOG=2147483647\n",
     0,
     1,
     {"SMTP.BACKLOG=2147483647"},
     {":4: warning: BACKLOG=2147483647 is more than the kernel's net.core.somaxconn="}},
    {"only in a section",
     "PORT=24\nTLS_PORT=465\nENABLE=0\n" SMTP,
     0,
     3,
     {"SMTP.PORT=25", "SMTP.TLS_PORT=", "SMTP.ENABLE=1"},
     {":1: warning: PORT is ignored here", ":2: warning: TLS_PORT is ignored here"}},
    {"IMAGE for all",
     "IMAGE=all\n[SERVICE=SMTP]\nPORT=25\n",
     0,
     1,
     {"SMTP.IMAGE=/workers/all"},
     {":1: warning: IMAGE applies to every service"}},
    {"PROXY protocol",
     "PROXY_UPSTREAMS=::1\n" SMTP "PROXY_PROTOCOL=1\n" OTHER
     "PROXY_PROTOCOL=1\nPROXY_UPSTREAMS = 192.0.2.0/24 ,2001:DB8::/32, 127.0.0.1\n",
     0,
     0,
     {"SMTP.PROXY_UPSTREAMS=::1", "OTHER.PROXY_UPSTREAMS=192.0.2.0/24,2001:db8::/32,127.0.0.1"},
     {0}},
    {"recording",
     "[SERVICE=DISPATCHER]\nRECORD=/var/lib/x/recording\n" SMTP,
     0,
     0,
     {"DISPATCHER.RECORD=/var/lib/x/recording"},
     {0}},
    {"recording in a service",
     SMTP "RECORD=/var/lib/x/recording\n",
     0,
     1,
     {"DISPATCHER.RECORD="},
     {"warning: RECORD is ignored here: it belongs in [SERVICE=DISPATCHER]"}},
    {"name servers",
     "[SERVICE=DISPATCHER]\nDNS_SERVERS= 192.0.2.1 ,192.0.2.2:5353,[2001:DB8::1]:54\n" SMTP,
     0,
     0,
     {"DISPATCHER.DNS_SERVERS=192.0.2.1:53,192.0.2.2:5353,[2001:db8::1]:54"},
     {0}},
    {"name servers with and without brackets",
     "[SERVICE=DISPATCHER]\nDNS_SERVERS=2001:db8::1,[2001:db8::2]\n" SMTP,
     0,
     0,
     {"DISPATCHER.DNS_SERVERS=[2001:db8::1]:53,[2001:db8::2]:53"},
     {0}},
    {"name servers that are none",
     "[SERVICE=DISPATCHER]\nDNS_SERVERS=ns.example\nDNS_SERVERS=192.0.2.1:0\n"
     "DNS_SERVERS=192.0.2.1:65536\nDNS_SERVERS=192.0.2.1,,\n" SMTP,
     4,
     0,
     {0},
     {":2: error: DNS_SERVERS=ns.example: a name server is written as 192.0.2.1",
      ":3: error: DNS_SERVERS=192.0.2.1:0: a port is", ":4: error: ", ":5: error: "}},
    {"too many name servers",
     "[SERVICE=DISPATCHER]\nDNS_SERVERS=192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4\n" SMTP,
     1,
     0,
     {0},
     {":2: error: DNS_SERVERS=192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4: at most three name"}},
#ifdef HAVE_HIREDIS
    {"a fleet",
     "[SERVICE=DISPATCHER]\nFLEET=unix:/run/r.sock, 192.0.2.1 [2001:DB8::1]:7000 store-1.example\n"
     "FLEET_NAME=mx-1.example_org\n" SMTP,
     0,
     0,
     {"DISPATCHER.FLEET=unix:/run/r.sock,192.0.2.1:6379,[2001:db8::1]:7000,"
      "store-1.example:6379",
      "DISPATCHER.FLEET_NAME=mx-1.example_org"},
     {0}},
    {"a fleet that is none",
     "[SERVICE=DISPATCHER]\nFLEET=redis_1.example:6379\nFLEET=192.0.2.1:0\n"
     "FLEET=unix:run/r.sock\nFLEET_NAME=mx 1\n" SMTP,
     4,
     0,
     {0},
     {":2: error: FLEET=redis_1.example:6379: a store is written as unix:/run/redis/redis.sock",
      ":3: error: FLEET=192.0.2.1:0: a port is", ":4: error: FLEET=unix:run/r.sock: the path of",
      ":5: error: FLEET_NAME=mx 1: a name has up to 64 letters, digits"}},
    {"a store whose name is none",
     "[SERVICE=DISPATCHER]\nFLEET=192.0.2.300\nFLEET=a..b\nFLEET=-a.b:1\n" SMTP,
     3,
     0,
     {0},
     {":2: error: FLEET=192.0.2.300: a store", ":3: error: FLEET=a..b: a store",
      ":4: error: FLEET=-a.b:1: a store"}},
    {"too many stores of a fleet",
     "[SERVICE=DISPATCHER]\nFLEET=::1,::2,::3,::4,::5,::6,::7,::8,::9\n" SMTP,
     1,
     0,
     {0},
     {":2: error: FLEET=::1,::2,::3,::4,::5,::6,::7,::8,::9: at most eight"}},
#else
    {"a fleet without the library",
     "[SERVICE=DISPATCHER]\nFLEET=unix:/run/r.sock\n" SMTP,
     1,
     0,
     {0},
     {":2: error: FLEET=unix:/run/r.sock: this dispatcherd was built without libhiredis"}},
#endif
    {"name servers are not a service's",
     "DNS_SERVERS=192.0.2.1\n" SMTP "DNS_SERVERS=192.0.2.1\n",
     0,
     2,
     {"DISPATCHER.DNS_SERVERS="},
     {":1: warning: DNS_SERVERS is ignored here: it belongs in [SERVICE=DISPATCHER]",
      ":5: warning: DNS_SERVERS is ignored here"}},
    {"PROXY protocol from nobody",
     SMTP "PROXY_PROTOCOL=1\n",
     1,
     0,
     {0},
     {":4: error: the service SMTP has PROXY_PROTOCOL=1 without PROXY_UPSTREAMS"}},
    {"PROXY protocol from nobody any more",
     "PROXY_UPSTREAMS=::1\nPROXY_PROTOCOL=1\n" SMTP "PROXY_UPSTREAMS=\n",
     1,
     0,
     {0},
     {":2: error: the service SMTP has PROXY_PROTOCOL=1 without PROXY_UPSTREAMS"}},
    {"a bad list of proxies is no missing one",
     SMTP "PROXY_PROTOCOL=1\nPROXY_UPSTREAMS=proxy.example\n",
     1,
     0,
     {0},
     {":5: error: PROXY_UPSTREAMS=proxy.example: 'proxy.example' is not an address; a network is"}},
    {"bits beyond the prefix",
     SMTP "PROXY_UPSTREAMS=::1,192.0.2.1/24\n",
     1,
     0,
     {0},
     {":4: error: PROXY_UPSTREAMS=::1,192.0.2.1/24: '192.0.2.1/24' has bits set beyond its prefix; "
      "the network is 192.0.2.0/24, the address alone 192.0.2.1"}},
    {"PROXY protocol from everybody",
     SMTP "PROXY_PROTOCOL=1\nPROXY_UPSTREAMS=::/0\n",
     0,
     1,
     {0},
     {":5: warning: PROXY_UPSTREAMS includes all addresses"}},
    {"proxies without their protocol",
     "PROXY_UPSTREAMS=::1\n" SMTP "PROXY_UPSTREAMS=127.0.0.1\n" OTHER,
     0,
     1,
     {"OTHER.PROXY_UPSTREAMS=::1"},
     {":5: warning: PROXY_UPSTREAMS of the service SMTP has no effect without PROXY_PROTOCOL=1"}},
    {"connections of one address",
     "MAX_CONNS_PER_ADDRESS=20\n" SMTP "MAX_CONNS_PER_ADDRESS=0\n" OTHER,
     0,
     0,
     {"SMTP.MAX_CONNS_PER_ADDRESS=0", "OTHER.MAX_CONNS_PER_ADDRESS=20"},
     {0}},
    {"same option twice",
     SMTP "MAX_PROCS=2\nmax_procs=3\n",
     0,
     1,
     {"SMTP.MAX_PROCS=3"},
     {":5: warning: MAX_PROCS is already set at dispatcher.cnf:4; this line takes effect"}},
    {"same section twice",
     SMTP OTHER "[SERVICE=smtp]\nMAX_PROCS=3\n",
     0,
     1,
     {"SMTP.MAX_PROCS=3", "SMTP.PORT=25"},
     {":7: warning: the section smtp continues here; it began at dispatcher.cnf:1"}},
    {"lists in a section replace those of all",
     "PARAMETER=a\nPARAMETER=b\n" SMTP "PARAMETER=c\n" OTHER,
     0,
     0,
     {"SMTP.! dispatcher.cnf:6\nPARAMETER=c\n! dispatcher.cnf:5",
      "OTHER.! dispatcher.cnf:1\nPARAMETER=a\nPARAMETER=b\n! dispatcher.cnf:9"},
     {0}},
    {"an empty value takes back a default",
     "LOGFILE=x\nPARAMETER=a\nINTERFACE_ADDRESS=127.0.0.1\n" SMTP
     "LOGFILE=\nPARAMETER=\nINTERFACE_ADDRESS=\n",
     0,
     0,
     {"SMTP.LOGFILE=", "SMTP.PARAMETER=", "SMTP.INTERFACE_ADDRESS=", "DISPATCHER.LOGFILE=/logs/x"},
     {0}},
    {"TLS alone", "[SERVICE=S]\nIMAGE=w\nTLS_PORT=465\n", 0, 0, {"S.PORT=", "S.TLS_PORT=465"}, {0}},
    {"TLS_PORT of a service that is off",
     "[SERVICE=S]\nIMAGE=tcp_smtp_server\nTLS_PORT=465\nENABLE=0\n" SMTP,
     0,
     0,
     {"S.TLS_PORT=465"},
     {0}},
    {"no IMAGE",
     "[SERVICE=SMTP]\nPORT=25\n",
     1,
     0,
     {0},
     {":1: error: the service SMTP has no IMA"}},
    {"no PORT",
     "[SERVICE=SMTP]\nIMAGE=w\n",
     1,
     0,
     {0},
     {":1: error: the service SMTP has no PORT"}},
    {"a bad PORT is no missing one", "[SERVICE=S]\nIMAGE=w\nPORT=x\n", 1, 0, {0}, {":3: error: "}},
    {"no service",
     "MAX_PROCS=1\n",
     0,
     1,
     {0},
     {"dispatcher.cnf: warning: the file has no service"}},
    {"empty file", "", 0, 1, {0}, {"dispatcher.cnf: warning: the file has no service"}},
    {"quotes",
     SMTP "PARAMETER=\"a\"\n",
     0,
     1,
     {"SMTP.PARAMETER=\"a\""},
     {":4: warning: PARAMETER=\"a\": the quotation marks are part of the value"}},
    {"no =",
     SMTP "hello\n",
     1,
     0,
     {0},
     {":4: error: 'hello' is neither an option (NAME=value), a section"}},
    {"= forgotten",
     SMTP "max_procs 5\n",
     1,
     0,
     {0},
     {"'=' is missing; an option is written as MAX_"}},
    {"no name", SMTP "=5\n", 1, 0, {0}, {":4: error: an option's name is missing before the ="}},
    {"section without brackets",
     SMTP "SERVICE=B\n",
     1,
     0,
     {0},
     {":4: error: a section is written as [SERVICE=B]"}},
    {"two addresses",
     SMTP "INTERFACE_ADDRESS=127.0.0.1,127.0.0.2\n",
     1,
     0,
     {0},
     {"a service has one address"}},
    {"IPv6",
     SMTP "INTERFACE_ADDRESS=[2001:DB8::1]\n",
     0,
     0,
     {"SMTP.INTERFACE_ADDRESS=2001:db8::1"},
     {0}},
    {"a link-local address has a zone",
     SMTP "INTERFACE_ADDRESS=fe80::1%eth0\n",
     0,
     0,
     {"SMTP.INTERFACE_ADDRESS=fe80::1%eth0"},
     {0}},
    {"the zone is missing", SMTP "INTERFACE_ADDRESS=fe80::1\n", 0, 1, {0}, {"needs the interface"}},
    {"one port in two zones",
     SMTP "INTERFACE_ADDRESS=fe80::1%eth0\n[SERVICE=B]\nIMAGE=w\nPORT=25\n"
          "INTERFACE_ADDRESS=fe80::1%eth1\n",
     0,
     0,
     {0},
     {0}},
    {"a zone of another address",
     SMTP "INTERFACE_ADDRESS=::1%lo\n",
     1,
     0,
     {0},
     {"only a link-local"}},
    {"mapped", SMTP "INTERFACE_ADDRESS=::ffff:192.0.2.1\n", 1, 0, {0}, {"as 192.0.2.1"}},
    {"a host is no address",
     SMTP "INTERFACE_ADDRESS=mail\n",
     1,
     0,
     {0},
     {"is written as 192.0.2.1"}},
    {"an address is no list",
     SMTP "DNS_VERIFY_DOMAIN=::1\n",
     1,
     0,
     {0},
     {"an address is not a DNS list"}},
    {"a zone is a name", SMTP "DNS_VERIFY_DOMAIN=a..b\n", 1, 0, {0}, {"is empty"}},
    {"LOGFILE knows %s", SMTP "LOGFILE=a%d\n", 1, 0, {0}, {"only %s (the host's name) and %% "}},
    {"a fault in the global part is said once",
     "MAX_PROCS=0\n" SMTP OTHER,
     1,
     0,
     {0},
     {":1: error: MAX_PROCS=0 is out of range"}},
};

START_TEST(test_loads)
{
    const struct load_case *q = &load_cases[_i];
    int r = fixture_load(&fixture, q->text);

    ck_assert_msg(fixture.problems.n_errors == q->n_errors &&
                      fixture.problems.n_warnings == q->n_warnings,
                  "%s: %zu errors, %zu warnings:\n%s", q->name, fixture.problems.n_errors,
                  fixture.problems.n_warnings, fixture_problems(&fixture));
    ck_assert_int_eq(r, q->n_errors > 0 ? -EINVAL : 0);
    for (size_t i = 0; i < ELEMENTSOF(q->has) && q->has[i]; i++)
        ck_assert_msg(fixture_has(&fixture, q->has[i]), "%s: no %s in:\n%s", q->name, q->has[i],
                      fixture.printed);
    for (size_t i = 0; i < ELEMENTSOF(q->said) && q->said[i]; i++)
        ck_assert_msg(fixture_said(&fixture, q->said[i]), "%s: nobody said '%s', but:\n%s", q->name,
                      q->said[i], fixture_problems(&fixture));
}
END_TEST

START_TEST(test_reports_every_bad_integer_in_one_run)
{
    static const char *const values[] = {"8%8",  "0x10", "",   "1%0",
                                         "37%1", "16%",  "-3", "99999999999"};
    char text[1000], expected[64];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    str_buffer_add(&buffer, "%s", SMTP);
    for (size_t i = 0; i < ELEMENTSOF(values); i++)
        str_buffer_add(&buffer, "MAX_CONNS=%s\n", values[i]);
    ck_assert_int_eq(fixture_load(&fixture, text), -EINVAL);
    ck_assert_uint_eq(fixture.problems.n_errors, ELEMENTSOF(values));
    for (size_t i = 0; i < ELEMENTSOF(values); i++) {
        snprintf(expected, sizeof(expected), "dispatcher.cnf:%zu: error: MAX_CONNS=%s", i + 4,
                 values[i]);
        ck_assert_msg(fixture_said(&fixture, expected), "%s:\n%s", expected,
                      fixture_problems(&fixture));
    }
}
END_TEST

START_TEST(test_names_every_planted_errors_with_its_line)
{
    static const char text[] = "! eleven errors\n"
                               "MAX_PROCS=0\n" /* 2 */
                               "\n"
                               "[SERVICE SMTP]\n" /* 4 */
                               "PORT=25\n"
                               "[SERVICE=SMTP]\n"
                               "PORT=70000\n"              /* 7 */
                               "IMAGE=NOWHERE:smtp\n"      /* 8 */
                               "LOGFILE=../x\n"            /* 9 */
                               "INTERFACE_ADDRESS=1.2.3\n" /* 10 */
                               "DEBUG=0x10\n"              /* 11 */
                               "<missing.cnf\n"            /* 12 */
                               "[SERVICE=B]\n"             /* 13: no IMAGE */
                               "PORT=25;26\n"              /* 14 */
                               "PARAMETER=x\\";            /* 15 */
    static const unsigned lines[] = {2, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    char expected[64];

    ck_assert_int_eq(fixture_load(&fixture, text), -EINVAL);
    ck_assert_msg(fixture.problems.n_errors == ELEMENTSOF(lines), "%s", fixture_problems(&fixture));
    for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
        snprintf(expected, sizeof(expected), "dispatcher.cnf:%u: error: ", lines[i]);
        ck_assert_msg(fixture_said(&fixture, expected), "no %s in\n%s", expected,
                      fixture_problems(&fixture));
    }
}
END_TEST

/* NAME_MAX of the kernel, which systemd holds units to as well. */
START_TEST(test_refuses_a_path_that_no_file_can_have)
{
    static const char *const options[] = {"IMAGE", "LOGFILE"};
    static const char *const formats[] = {"%s=/a/%s/b\n", "%s=/a/b/%s\n", "%s=%s\n"};
    char part[NAME_MAX + 2], text[1000];

    for (size_t i = 0; i < ELEMENTSOF(options); i++)
        for (size_t j = 0; j < ELEMENTSOF(formats); j++) {
            char format[64];

            memset(part, 'x', sizeof(part));
            part[NAME_MAX + 1] = '\0';
            snprintf(format, sizeof(format), "%s%s", SMTP, formats[j]);
            snprintf(text, sizeof(text), format, options[i], part);
            ck_assert_int_eq(fixture_load(&fixture, text), -EINVAL);
            snprintf(text, sizeof(text), "dispatcher.cnf:4: error: %s=", options[i]);
            ck_assert_msg(fixture_said(&fixture, text), "%s", fixture_problems(&fixture));
            ck_assert(fixture_said(&fixture, "longer than 255 bytes"));
            part[NAME_MAX] = '\0';
            snprintf(text, sizeof(text), format, options[i], part);
            ck_assert_int_eq(fixture_load(&fixture, text), 0);
        }
}
END_TEST

START_TEST(test_counts_the_lines_of_an_included_file)
{
    fixture_write(&fixture, "site.cnf", "MAX_PROCS=3\nMAX_CONNS=x\n");
    ck_assert_int_eq(fixture_load(&fixture, SMTP "<site.cnf\nMIN_PROCS=y\n"), -EINVAL);
    ck_assert(fixture_said(&fixture, "site.cnf:2: error: MAX_CONNS=x"));
    ck_assert(fixture_said(&fixture, "dispatcher.cnf:5: error: MIN_PROCS=y"));
    fixture_write(&fixture, "site.cnf", "MAX_PROCS=3\n[SERVICE=B]\nIMAGE=w\n");
    ck_assert_int_eq(fixture_load(&fixture, SMTP "<site.cnf\nPORT=26\n"), 0);
    ck_assert(fixture_has(&fixture, "SMTP.MAX_PROCS=3"));
    ck_assert(fixture_has(&fixture, "B.PORT=26"));
    ck_assert_uint_eq(fixture.config.files.n_items, 2);
}
END_TEST

START_TEST(test_lets_the_environments_mask_replace_every_other)
{
    static const char text[] = "DEBUG=1\n[SERVICE=DISPATCHER]\nDEBUG=2\n" SMTP "DEBUG=4\n";

    fixture.paths.debug_env_name = "IMTA_DISPATCHER_DEBUG";
    fixture.paths.debug_env = "FFFFFFFF";
    ck_assert_int_eq(fixture_load(&fixture, text), 0);
    ck_assert(fixture_has(&fixture, "DISPATCHER.DEBUG=16%FFFFFFFF"));
    ck_assert(fixture_has(&fixture, "SMTP.DEBUG=16%FFFFFFFF"));
    ck_assert_str_eq(fixture.config.debug_origin.file, "environment");
    fixture.paths.debug_env = "zz";
    ck_assert_int_eq(fixture_load(&fixture, text), 0);
    ck_assert_uint_eq(fixture.problems.n_warnings, 1);
    ck_assert(fixture_said(&fixture, "environment: warning: IMTA_DISPATCHER_DEBUG=zz is ignored"));
    ck_assert(fixture_has(&fixture, "DISPATCHER.DEBUG=16%2") &&
              fixture_has(&fixture, "SMTP.DEBUG=16%4"));
}
END_TEST

START_TEST(test_takes_the_pmdf_variable_where_the_other_is_not_set)
{
    setenv("PMDF_DISPATCHER_DEBUG", "10", 1);
    unsetenv("IMTA_DISPATCHER_DEBUG");
    ck_assert_str_eq(config_paths_default().debug_env_name, "PMDF_DISPATCHER_DEBUG");
    setenv("IMTA_DISPATCHER_DEBUG", "20", 1);
    ck_assert_str_eq(config_paths_default().debug_env, "20");
    unsetenv("IMTA_DISPATCHER_DEBUG");
    unsetenv("PMDF_DISPATCHER_DEBUG");
    ck_assert_ptr_null(config_paths_default().debug_env);
}
END_TEST

START_TEST(test_takes_only_names_that_can_be_units)
{
    static const struct {
        const char *name;
        bool is_good;
    } cases[] = {
        {"SMTP", true},
        {"smtp_submit", true},
        {"a", true},
        {"0-9_x", true},
        {"TLS", true},
        {"workers", true},
        {"a-tlsx", true},
        {"", false},
        {"web", false},
        {"Worker", false},
        {"CONTROL", false},
        {"a-worker", false},
        {"a-TLS", false},
        {"-TLS", false},
        {"_a", false},
        {"-a", false},
        {"a b", false},
        {"a.b", false},
        {"a/b", false},
        {"a@b", false},
        {"a%b", false},
        {"\xc3\xa4", false},
        {"a=b", false},
        {"abcdefghijklmnopqrstuvwxyz012345", true},
        {"abcdefghijklmnopqrstuvwxyz0123456", false},
    };
    char text[200];

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        snprintf(text, sizeof(text), "[SERVICE=%s]\nIMAGE=w\nPORT=25\n", cases[i].name);
        int r = fixture_load(&fixture, text);

        ck_assert_msg(r == (cases[i].is_good ? 0 : -EINVAL), "'%s':\n%s", cases[i].name,
                      fixture_problems(&fixture));
        ck_assert_uint_eq(fixture.problems.n_errors, !cases[i].is_good);
    }
}
END_TEST

START_TEST(test_finds_a_service_without_regard_to_case)
{
    ck_assert_int_eq(fixture_load(&fixture, "[SERVICE=Smtp_Submit]\nPORT=0\n"), 0);
    const struct service_options *service = config_find_service(&fixture.config, "SMTP_SUBMIT");
    ck_assert_ptr_nonnull(service);
    ck_assert_str_eq(service->name, "Smtp_Submit");
    ck_assert_str_eq(service->unit_name, "smtp_submit");
    ck_assert(!service->is_enabled);
    ck_assert_ptr_null(config_find_service(&fixture.config, "SMTP"));
}
END_TEST

START_TEST(test_keeps_the_usable_services_of_a_broken_file)
{
    static const struct {
        const char *text;
        const char *usable; /* names of the services, each after a blank */
    } cases[] = {
        {SMTP OTHER, " SMTP OTHER"},
        {SMTP "MAX_PROCS=x\n" OTHER, " OTHER"},
        {SMTP "hello\n" OTHER, " OTHER"},
        {SMTP "<missing.cnf\n" OTHER, " OTHER"},
        {"hello\n" SMTP, " SMTP"},
        {"[SERVICE=a b]\nPORT=25\n" SMTP, " SMTP"},
        {SMTP "[SERVICE=B]\nIMAGE=w\nPORT=25\n", " SMTP"},
        {SMTP "[SERVICE=B]\n", " SMTP"},
        /* Whoever would inherit what is wrong must not run with something else. */
        {"INTERFACE_ADDRESS=localhost\n" SMTP OTHER "INTERFACE_ADDRESS=127.0.0.1\n", " OTHER"},
        {"INTERFACE_ADDRESS 127.0.0.1\n" SMTP, ""},
        {"nothing", ""},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        char names[100];
        struct str_buffer buffer = str_buffer_init(names, sizeof(names));
        struct problem_list problems = {0};
        struct config config;

        fixture_write(&fixture, "dispatcher.cnf", cases[i].text);
        ck_assert_int_eq(config_load_usable(fixture_path(&fixture, "dispatcher.cnf"),
                                            &fixture.paths, &problems, &config),
                         0);
        for (size_t k = 0; k < config.n_services; k++)
            str_buffer_add(&buffer, " %s", config.services[k].name);
        ck_assert_str_eq(names, cases[i].usable);
        ck_assert((problems.n_errors > 0) == (i > 0));
        config_clear(&config);
        problem_list_clear(&problems);
    }
}
END_TEST

START_TEST(test_reports_a_file_that_cannot_be_read)
{
    struct config untouched = {.n_services = 77}, config = untouched;

    ck_assert_int_eq(
        config_load(fixture_path(&fixture, "missing"), &fixture.paths, &fixture.problems, &config),
        -EINVAL);
    ck_assert(fixture_said(&fixture, "missing: error: the file cannot be read: No such file"));
    ck_assert_uint_eq(fixture.problems.n_errors, 1);
    ck_assert_uint_eq(config.n_services, untouched.n_services);
    ck_assert_int_eq(config_load(fixture.dir, &fixture.paths, &fixture.problems, &config), -EINVAL);
    ck_assert(fixture_said(&fixture, "error: the file is not a regular file"));
}
END_TEST

START_TEST(test_check_wants_programs_that_can_be_run)
{
    char text[400];

    fixture_write(&fixture, "plain", "");
    fixture_write(&fixture, "program", "");
    ck_assert_int_eq(chmod(fixture_path(&fixture, "program"), 0755), 0);
    snprintf(text, sizeof(text),
             "[SERVICE=A]\nPORT=1\nIMAGE=missing\n"
             "[SERVICE=B]\nPORT=2\nIMAGE=%s/plain\n"
             "[SERVICE=C]\nPORT=3\nIMAGE=%s/program.EXE\n"
             "[SERVICE=D]\nPORT=4\nIMAGE=%s\n"
             "[SERVICE=E]\nPORT=0\nIMAGE=missing\n",
             fixture.dir, fixture.dir, fixture.dir);
    ck_assert_int_eq(fixture_load(&fixture, text), 0);
    config_check_images(&fixture.config, &fixture.problems);
    ck_assert_uint_eq(fixture.problems.n_errors, 3);
    ck_assert(fixture_said(&fixture, "dispatcher.cnf:3: error: the IMAGE /workers/missing of the "
                                     "service A cannot be run: No such file"));
    ck_assert(fixture_said(&fixture, "dispatcher.cnf:6: error: "));
    ck_assert(fixture_said(&fixture, "dispatcher.cnf:12: error: "));
}
END_TEST

START_TEST(test_random_bytes_get_a_hundred_errors_in_no_time)
{
    enum {
        SIZE = 10 << 20
    };
    struct random_source random = random_start();
    uint64_t *bytes = malloc(SIZE);

    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < SIZE / sizeof(*bytes); i++)
        bytes[i] = random_next(&random);
    fixture_write_bytes(&fixture, "dispatcher.cnf", bytes, SIZE);
    free(bytes);
    uint64_t start = time_now_usec(CLOCK_PROCESS_CPUTIME_ID);
    ck_assert_int_eq(fixture_load_again(&fixture), -EINVAL);
    uint64_t spent = time_now_usec(CLOCK_PROCESS_CPUTIME_ID) - start;
    ck_assert_uint_gt(fixture.problems.n_errors, PROBLEMS_MAX);
    ck_assert_uint_le(fixture.problems.n_items, 2 * PROBLEMS_MAX);
    ck_assert_uint_lt(spent, 30 * USEC_PER_SEC);
}
END_TEST

/* Lines that are well-formed, and far too many of them. */
START_TEST(test_endless_repetition_is_bounded)
{
    static const struct {
        const char *line;
        int result;
    } cases[] = {
        {"[SERVICE=a]\n", -EINVAL}, {"[SERVICE=a\n", -EINVAL},
        {"PARAMETER=x\n", -EINVAL}, {"<x\n", -EINVAL},
        {"PORT=1,2\n", 0}, /* a service's option outside of one: a warning each */
        {"\\\n", -EINVAL},          {"x", -EINVAL},
        {"MAX_CONS=1\n", -EINVAL},  {"<dispatcher.cnf\n", -EINVAL},
    };
    enum {
        SIZE = 2 << 20
    };
    char *text = malloc(SIZE + 1);

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        const char *line = cases[i].line;
        size_t length = strlen(line);

        for (size_t k = 0; k < SIZE; k++)
            text[k] = line[k % length];
        text[SIZE] = '\0';
        int r = fixture_load(&fixture, text);
        ck_assert_msg(r == cases[i].result, "%s: %d", line, r);
        ck_assert_uint_le(fixture.problems.n_items, 2 * PROBLEMS_MAX);
    }
    free(text);
}
END_TEST

START_TEST(test_a_thousand_services_are_too_many)
{
    size_t size = 1000 * 40;
    char *text = malloc(size);
    struct str_buffer buffer = str_buffer_init(text, size);

    for (unsigned i = 1; i <= 1000; i++)
        str_buffer_add(&buffer, "[SERVICE=s%u]\nIMAGE=w\nPORT=%u\n", i, i);
    ck_assert_int_eq(fixture_load(&fixture, text), -EINVAL);
    ck_assert(fixture_said(&fixture, "dispatcher.cnf:769: error: at most 256 services"));
    ck_assert_uint_eq(fixture.problems.n_errors, 1000 - 256);
    free(text);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("load");
    TCase *tcase = tcase_create("load");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_loads, 0, ELEMENTSOF(load_cases));
    tcase_add_test(tcase, test_reports_every_bad_integer_in_one_run);
    tcase_add_test(tcase, test_names_every_planted_errors_with_its_line);
    tcase_add_test(tcase, test_refuses_a_path_that_no_file_can_have);
    tcase_add_test(tcase, test_counts_the_lines_of_an_included_file);
    tcase_add_test(tcase, test_lets_the_environments_mask_replace_every_other);
    tcase_add_test(tcase, test_takes_the_pmdf_variable_where_the_other_is_not_set);
    tcase_add_test(tcase, test_takes_only_names_that_can_be_units);
    tcase_add_test(tcase, test_finds_a_service_without_regard_to_case);
    tcase_add_test(tcase, test_keeps_the_usable_services_of_a_broken_file);
    tcase_add_test(tcase, test_reports_a_file_that_cannot_be_read);
    tcase_add_test(tcase, test_check_wants_programs_that_can_be_run);
    tcase_add_test(tcase, test_random_bytes_get_a_hundred_errors_in_no_time);
    tcase_add_test(tcase, test_endless_repetition_is_bounded);
    tcase_add_test(tcase, test_a_thousand_services_are_too_many);
    suite_add_tcase(suite, tcase);
    return suite;
}

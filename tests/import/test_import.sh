#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# dispatcherctl import: what it writes passes dispatcherd --check without a word, and says what is left
# out. Run by make check, in the build folder.
set -u

top=$(cd "${srcdir:-.}" && pwd)
data=$top/tests/import/data
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

die()
{
    echo "FAILED: $*" >&2
    failed=1
}

# The programs of this tree are those that IMAGE names.
mkdir "$scratch/workers"
for program in tcp_smtp_server inetd pass proxy; do
    [ -x "./$program" ] || { echo "skipped: $program was not built" && exit 77; }
    ln -s "$PWD/$program" "$scratch/workers/$program"
done

# translate NAME FORM FILE...: into $scratch/NAME.cnf and NAME.mappings.
translate()
{
    local name=$1 form=$2
    shift 2
    tests/import/import_file "$form" "$scratch/workers" "$scratch/$name.mappings" "$@" \
        >"$scratch/$name.cnf" || die "$name: status $?"
    chmod -R go-w "$scratch"
}

# check NAME: the daemon has nothing to say about the result.
check()
{
    local said
    sed "s|^IMAGE=\([a-z_]*\)$|IMAGE=$scratch/workers/\1|" "$scratch/$1.cnf" >"$scratch/$1.checked"
    if ! said=$(./dispatcherd --check --config "$scratch/$1.checked" \
        --mappings "$scratch/$1.mappings" 2>&1) || [ -n "$said" ]; then
        die "$1: --check says: $said"
    fi
}

# says NAME REGEX: a line of the result.
says()
{
    grep -qE -- "$2" "$scratch/$1.cnf" || die "$1 lacks: $2"
}

lacks()
{
    ! grep -qE -- "$2" "$scratch/$1.cnf" || die "$1 has: $2"
}

n=0
for file in "$data"/*.cnf; do
    name=$(basename "$file" .cnf)
    translate "$name" dispatcher.cnf "$file"
    # A store without SMTP has nothing that this host could serve.
    [ "$name" = sun-lmtp-backend ] || check "$name"
    n=$((n + 1))
done
[ "$n" -ge 10 ] || die "only $n files of the original"

says sun-6.3-delivered '^\[SERVICE=SMTP\]$'
says sun-6.3-delivered '^LOGFILE=tcp_submit_server.log$'
says sun-6.3-delivered '^PARAMETER=CHANNEL=tcp_submit$'
says sun-6.3-delivered '^! It was IMAGE=IMTA_BIN:tcp_smtp_server$'
says sun-relay '^MAX_CONNS=50$'
says sun-relay '^! It was MAX_CONNS=60; 50 is the most here$'
says sun-relay '^MAX_SHUTDOWN=1$'
says sun-relay 'NOT TAKEN: DNS_VERIFY_DOMAIN=six.example'
says sun-relay '^PORT=25,2525$'
says sun-lmtp-backend 'NOT TRANSLATED: LMTPSS: IMTA_BIN:tcp_lmtp_server: this host has no such program'
says sun-lmtp-backend '^! PORT=225$'
says sun-submission-tls '^! TLS_PORT=465$'
says sun-submission-tls 'NOT TRANSLATED: SMTPS: it has no port but those of TLS'
says sun-submission-tls '^DEBUG=16%1000004$'
says sun-submission-tls 'NOT TAKEN: STACKSIZE=4096000'
says pmdf-vms '^IMAGE=tcp_smtp_server$'
says pmdf-vms 'NOT TAKEN: BYTLM=200000 \(a quota of OpenVMS'
says pmdf-vms 'NOT TRANSLATED: POP3: PMDF_EXE:POP3D.EXE'
lacks pmdf-vms $'\r'
says pmdf-unix 'NOT READ: <PMDF_TABLE:dispatcher_site.cnf'
says pmdf-windows '^MIN_CONNS=5$'
says pmdf-windows '^LOGFILE=tcp_smtp_server.log$'
says pmdf-windows 'NOT TRANSLATED: COMMAND: PMDF_COM:START_SERVER.COM;3'
says oracle-unified '^PORT=25$'
says oracle-unified '^IMAGE=tcp_smtp_server$'
says oracle-unified '^ENABLE=0$'
says oracle-grown '^MAX_CONNS=40$'
says oracle-grown 'NOT TAKEN: MAX_SHUTDWN=3'
says oracle-grown '^PORT=2525$'
says oracle-grown '^! PARAMETER=OPTION=something$'
says oracle-grown '^LOGFILE=tcp_smtp_server_%s.log$'
says oracle-grown '^! It was called WEB\.$'
lacks oracle-grown '/proc/'
says oracle-grown 'NOT TRANSLATED: the service SECOND has no PORT'
says oracle-grown '^! translated: 2, not: 2$'

# A service never listens on more addresses than it did.
for name in NAMED TWO LINKLOCAL MAYBE; do
    says sun-addresses "^! \\[SERVICE=$name\\]$"
done
lacks sun-addresses '^PORT=260[1-4]$'
says sun-addresses 'NOT TRANSLATED: INTERFACE_ADDRESS=mailhost'
says sun-addresses '^! translated: 3, not: 4$'
lacks sun-common-address '^PORT=2701$'
says sun-common-address '^PORT=2702$'
says sun-common-address '^! translated: 1, not: 1$'

# What a comment says is used is there.
options()
{
    sed -n "/^\[SERVICE=$2\]$/,/^\[/p" "$scratch/$1.cnf" | grep -E "^$3=" | tr '\n' ' '
}
max=$(cat /proc/sys/net/core/somaxconn)
says sun-addresses '^! CHANGED: MIN_CONNS=50 is more than MAX_CONNS=40; 40 is used$'
while read -r name section option wanted; do
    found=$(options "$name" "$section" "$option")
    [ "$found" = "$option=$wanted " ] || die "$name, $section: $found, not $option=$wanted"
done <<END
sun-addresses LOWERED MIN_CONNS 40
sun-addresses COMMON MIN_CONNS 20
sun-addresses COMMON2 MIN_CONNS 10
sun-addresses LOWERED BACKLOG $((max < 2000000000 ? max : 2000000000))
sun-common-address OTHER IMAGE tcp_smtp_server
END
[ "$max" -ge 50000 ] || says sun-common-address "^BACKLOG=$max$"

translate xinetd-examples xinetd "$data/xinetd-examples.conf"
says xinetd-examples 'NOT TRANSLATED: echo-stream: xinetd serves it itself'
says xinetd-examples 'NOT TRANSLATED: chargen-dgram: only TCP is served'
says xinetd-examples '^! includedir /etc/xinetd.d is not followed'

translate xinetd-site xinetd "$data/xinetd-site.conf"
check xinetd-site
says xinetd-site '^PARAMETER=COMMAND=/bin/cat --daemon "\\"a" "b\\"" 100%%$'
says xinetd-site '^MAX_CONNS_PER_ADDRESS=4$'
says xinetd-site '^MAX_PROCS=3$'
says xinetd-site '^MAX_CONNS=40$'
says xinetd-site '^PARAMETER=ENV=PATH=/bin$'
says xinetd-site 'access_times: there are no hours of service'
says xinetd-site 'trusted.example.com is a name'
says xinetd-site '^PARAMETER=COMMAND=/bin/cat -u$'
says xinetd-site '^INTERFACE_ADDRESS=127.0.0.1$'
says xinetd-site '^PARAMETER=BACKEND=127.0.0.1:25$'
says xinetd-site '^PARAMETER=PROXY=v2$'
says xinetd-site 'NOT TRANSLATED: gone: this host has no program /usr/sbin/no-such-program'
says xinetd-site 'NOT TRANSLATED: swat: "wait = yes"'
says xinetd-site '^\[SERVICE=WEB-2\]$'
says xinetd-site '^ENABLE=0$'

translate xinetd-access xinetd "$data/xinetd-access.conf"
check xinetd-access
# section NAME SECTION: its lines.
section()
{
    sed -n "/^\[SERVICE=$2\]$/,/^!$/p" "$scratch/$1.cnf"
}
section xinetd-access LOCAL | grep -qx INTERFACE_ADDRESS=127.0.0.1 || die 'localhost is not bound'
section xinetd-access INTERFACE | grep -qx INTERFACE_ADDRESS=127.0.0.2 || die 'interface is not bound'
section xinetd-access NAMES-DENIED | grep -qx ENABLE=0 || die 'a denied name is forgotten'
says xinetd-access 'NOT TRANSLATED: named: bind: mail.example.com is a name'
lacks xinetd-access '^PORT=10902$'

# verdict MAPPINGS PORT SERVER CLIENT
verdict()
{
    ./dispatcherctl --json --mappings "$scratch/$1.mappings" --port "$2" --server "$3" \
        test-access "$4" | sed 's/.*"verdict": *"\([a-z]*\)".*/\1/'
}
while read -r name port server client wanted; do
    found=$(verdict "$name" "$port" "$server" "$client")
    [ "$found" = "$wanted" ] || die "$name: $client at port $port: $found, not $wanted"
done <<'END'
xinetd-site 10873 192.0.2.1 192.0.2.7 accept
xinetd-site 10873 192.0.2.1 192.0.2.66 reject
xinetd-site 10873 192.0.2.1 203.0.113.3 accept
xinetd-site 10873 192.0.2.1 203.0.113.2 reject
xinetd-site 10873 192.0.2.1 10.1.2.3 accept
xinetd-site 10873 192.0.2.1 198.51.100.7 reject
xinetd-site 10874 127.0.0.1 198.51.100.7 reject
xinetd-site 10874 127.0.0.1 198.51.100.8 accept
xinetd-site 10873 2001:db8::1 2001:db8::7 accept
xinetd-site 10873 2001:db8::1 2001:db9::7 reject
xinetd-site 10875 192.0.2.1 198.51.100.7 reject
xinetd-site 10875 192.0.2.1 198.51.100.8 accept
xinetd-site 10878 192.0.2.1 192.0.2.7 reject
xinetd-access 10901 127.0.0.1 192.0.2.7 accept
xinetd-access 10901 127.0.0.1 172.16.0.1 reject
xinetd-access 10904 192.0.2.1 198.51.100.7 reject
xinetd-access 10904 192.0.2.1 198.51.100.8 accept
xinetd-access 10904 192.0.2.1 203.0.113.5 accept
xinetd-access 10904 192.0.2.1 172.16.0.0 accept
xinetd-access 10904 192.0.2.1 172.16.0.1 accept
xinetd-access 10904 192.0.2.1 172.16.0.2 reject
xinetd-access 10904 192.0.2.1 172.17.0.1 reject
xinetd-access 10904 192.0.2.1 172.20.0.9 accept
xinetd-access 10904 192.0.2.1 172.20.1.9 reject
xinetd-access 10905 192.0.2.1 192.0.2.7 accept
xinetd-access 10905 192.0.2.1 10.1.2.3 reject
xinetd-access 10905 192.0.2.1 203.0.113.5 reject
xinetd-access 10906 192.0.2.1 198.51.100.9 accept
xinetd-access 10906 192.0.2.1 10.1.2.3 reject
END

translate inetd inetd "$data/inetd.conf"
check inetd
says inetd 'NOT TRANSLATED: discard: inetd serves it itself'
says inetd '^PARAMETER=COMMAND=/bin/cat -u$'
says inetd 'tcpd\(8\), hosts.allow and hosts.deny are not asked'
says inetd 'NOT TRANSLATED: 10111: this host has no program /usr/sbin/no-such-daemon'
says inetd '^INTERFACE_ADDRESS=::1$'
says inetd 'At most 40 starts in a minute'
says inetd 'NOT TRANSLATED: 10115: "wait"'
says inetd 'NOT TRANSLATED: ident: line [0-9]+ of .* has too few fields'
says inetd 'NOT TRANSLATED: no-such-port: its port is not known'

translate master master.cf "$data/master.cf"
check master
says master '^PARAMETER=TO=/var/spool/postfix/public/dispatcher-25$'
says master '^MAX_PROCS=4$'
says master '^!         smtpd_sasl_auth_enable=yes$'
says master 'NOT TRANSLATED: 628: only smtpd'
says master 'NOT TRANSLATED: 2525: postscreen'
says master 'NOT TRANSLATED: 26: mail.example.com is a name'
says master 'NOT TRANSLATED: broken: line [0-9]+'

# What Debian's own packages have, if they are here.
if [ -e /usr/share/postfix/master.cf.dist ]; then
    translate postfix master.cf /usr/share/postfix/master.cf.dist
    check postfix
    says postfix '^\[SERVICE=SMTP\]$'
    says postfix 'NOT TRANSLATED: qmgr: type unix'
fi

# Access rules go to a file before anything is printed; services whose rules are only comments are off.
printf '10112 stream tcp nowait.40 nobody /bin/cat cat\n' >"$scratch/one.conf"
import_one()
{
    ./dispatcherctl "$@" --from inetd import "$scratch/one.conf" >"$scratch/out" 2>"$scratch/err"
}
import_one || die "without --mappings: status $?"
grep -qx ENABLE=0 "$scratch/out" || die 'a service is on whose access rules are comments'
grep -q '^! PORT_ACCESS$' "$scratch/out" || die 'the access rules are not printed'
grep -q '1 service has access rules, which are comments' "$scratch/err" || die 'nothing is said of rules'
import_one --mappings "$scratch/one.mappings" || die "with --mappings: status $?"
grep -qx PORT=10112 "$scratch/out" || die 'the service is not printed'
! grep -qx ENABLE=0 "$scratch/out" || die 'a service is off although its rules have a file'
grep -q "add them to .*/mappings first" "$scratch/err" || die 'nobody knows what to do with the rules'
cp "$scratch/one.mappings" "$scratch/two.mappings"
import_one --mappings "$scratch/one.mappings"
[ $? = 1 ] || die 'a file that exists is no failure'
[ ! -s "$scratch/out" ] || die 'services are printed without their access rules'
cmp -s "$scratch/one.mappings" "$scratch/two.mappings" || die 'a file that exists was changed'
if [ -c /dev/full ]; then
    ./dispatcherctl --mappings "$scratch/full.mappings" --from inetd import "$scratch/one.conf" \
        >/dev/full 2>/dev/null && die 'a full disk is no failure'
    [ ! -e "$scratch/full.mappings" ] || die 'rules are left of services that were not printed'
fi

# Usage.
for words in 'import' '--from nothing import x'; do
    # shellcheck disable=SC2086 # words
    ./dispatcherctl $words >/dev/null 2>&1
    [ $? = 2 ] || die "dispatcherctl $words: not wrong usage"
done
./dispatcherctl import "$scratch/no-such-file" 2>"$scratch/err"
[ $? = 1 ] || die 'a missing file is no failure'
grep -q 'cannot read' "$scratch/err" || die 'a missing file is not named'

exit "$failed"

#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# A worker in a third language, written from dispatcher-worker(7) alone: it echoes what its clients say, on
# one process with select(). Debian: libsocket-msghdr-perl.
use strict;
use warnings;
use Errno;
use Fcntl;
use IO::Handle;
use POSIX ();
use Socket;
use Socket::MsgHdr;
use Time::HiRes 'time';

my ($HELLO, $READY, $ACKNOWLEDGE, $REFUSE, $ENDED, $DRAINING) = 1 .. 6;
my ($WELCOME, $CONNECTION, $DRAIN, $DEBUG, $ADOPT, $STOP, $LOG, $STRESS) = 65 .. 72;

my (%sessions, %welcome, $cut_at, @unsent);
my ($draining, $open) = (0, 1);
open(my $channel, '+<&=', 3) or die "no channel: $!";
fcntl($channel, F_SETFD, FD_CLOEXEC);
$channel->blocking(0);
$SIG{PIPE} = 'IGNORE';
pipe(my $wake, my $waker) or die;
$waker->blocking(0);
$SIG{TERM} = sub { syswrite($waker, 't') };

# What a full channel does not take waits. Each message has a function that is told whether it was sent.
sub flush {
    while ($open and @unsent) {
        if (defined send($channel, $unsent[0][0], 0)) {
            (shift @unsent)->[1]->(1);
        } elsif ($!{EAGAIN} or $!{EINTR} or $!{ENOBUFS}) {
            return;
        } else { # dispatcherd has given this worker up
            $_->[1]->(0) for splice @unsent;
        }
    }
}

sub report {
    my ($kind, $value, $body, $then) = @_;
    push @unsent, [pack('LL', $kind, $value) . ($body // ''), $then // sub { }];
    flush();
}

sub notify {
    my $path = $ENV{NOTIFY_SOCKET} or return;
    $path =~ s/^@/\0/;
    socket(my $manager, AF_UNIX, SOCK_DGRAM, 0);
    send($manager, shift, 0, pack_sockaddr_un($path));
}

# A message with its descriptors as handles; type 0 for the end of the channel and for what is none.
sub receive {
    my $packet = Socket::MsgHdr->new(buflen => 65537, controllen => 512);
    my $n;
    do { $n = recvmsg($channel, $packet, 0x40000000) } while !defined $n and $!{ECONNRESET};
    return if !defined $n;
    my @fds;
    my @control = $packet->cmsghdr;
    while (my ($level, $type, $data) = splice(@control, 0, 3)) {
        push @fds, unpack('i*', $data) if $level == SOL_SOCKET and $type == SCM_RIGHTS;
    }
    my @handles = map { open(my $handle, '+<&=', $_) or die; fcntl($handle, F_SETFD, FD_CLOEXEC); $handle } @fds;
    my $bytes = $packet->buf;
    return (0, 0, '', @handles) if $n < 8 or $n > 65536;
    return (unpack('LL', $bytes), substr($bytes, 8), @handles);
}

sub identifiers {
    my ($count, $body) = @_;
    my ($offset, @found) = (0);
    while ($offset + 72 <= length $body) {
        push @found, substr($body, $offset, 8);
        my ($tag, $note) = unpack('SS', substr($body, $offset + 68, 4));
        $offset += (72 + $tag + $note + 7) & ~7;
    }
    return $offset == length $body && @found == $count ? @found : ();
}

sub take {
    my ($identifier, $client) = @_;
    if (!$client or $draining or keys %sessions >= $welcome{MAX_CONNS}) {
        close $client if $client;
        return report($REFUSE, 1, $identifier);
    }
    $client->blocking(0);
    $sessions{$identifier} = {client => $client, text => '', begun => 0};
    report($ACKNOWLEDGE, 1, $identifier,
        sub { $_[0] ? $sessions{$identifier}{begun} = 1 : close((delete $sessions{$identifier})->{client}) });
}

sub serve {
    my ($identifier) = @_;
    my $session = $sessions{$identifier};
    my $n = length $session->{text} ? 1 : sysread($session->{client}, $session->{text}, 4096);
    return if !defined $n and $!{EAGAIN};
    my $sent = $n ? syswrite($session->{client}, $session->{text}) : undef;
    return if $n and !defined $sent and $!{EAGAIN};
    return substr($session->{text}, 0, $sent, '') if $sent;
    close((delete $sessions{$identifier})->{client});
    report($ENDED, 1, $identifier);
}

sub drain {
    my $at = time + shift;
    $cut_at = $at if !$cut_at or $at < $cut_at;
    $draining = 1;
}

sub log_to {
    my $file = shift or return;
    POSIX::dup2(fileno $file, $_) for 1, 2;
}

sub attend {
    my ($kind, $value, $body, @fds) = receive() or return;
    return if !defined $kind;
    my @offered = $kind == $CONNECTION ? identifiers($value, $body) : ();
    if (@offered) { take($_, shift @fds) for @offered }
    elsif ($kind == $DRAIN || $kind == $STOP) { drain($value) }
    elsif ($kind == $LOG) { log_to(@fds) }
    elsif ($kind != $DEBUG and $kind != $STRESS) { # the end, or no message, as ADOPT is to us
        shutdown($channel, 2);
        $open = 0;
        $_->[1]->(0) for splice @unsent;
        drain($welcome{DRAIN_LIMIT});
    }
}

report($HELLO, 0, join '', map { "$_\0" } qw(VERSION_MIN=1 VERSION_MAX=1 STOP=1 LOG=1 STRESS=1));
vec(my $in = '', 3, 1) = 1;
select($in, undef, undef, 30) or die "no welcome\n";
my ($kind, undef, $body, @fds) = receive();
%welcome = map { split /=/, $_, 2 } reverse split /\0/, $body;
die "no welcome\n" if $kind != $WELCOME or ($welcome{VERSION} // '') ne '1';
log_to(@fds);
@fds = ();
report($READY, $welcome{MAX_CONNS});
notify('READY=1');
my $watchdog = ($ENV{WATCHDOG_USEC} // 0) / 2e6;
until ($draining and !%sessions and (!@unsent or !$open)) {
    my ($reads, $writes) = ('', '');
    vec($reads, 3, 1) = 1 if $open;
    vec($reads, fileno $wake, 1) = 1;
    vec($writes, 3, 1) = 1 if $open and @unsent;
    for my $session (grep { $_->{begun} } values %sessions) {
        vec(length $session->{text} ? $writes : $reads, fileno $session->{client}, 1) = 1;
    }
    my $wait = $watchdog || 3600;
    $wait = $cut_at - time if $cut_at and $cut_at - time < $wait;
    select(my $readable = $reads, my $writable = $writes, undef, $wait < 0 ? 0 : $wait);
    exit 1 if $cut_at and time >= $cut_at;
    notify('WATCHDOG=1') if $watchdog;
    if (vec($readable // '', fileno $wake, 1)) {
        sysread($wake, my $byte, 1);
        $SIG{TERM} = 'DEFAULT'; # a second one ends this at once
        report($DRAINING, 0) unless $draining;
        drain($welcome{DRAIN_LIMIT});
    }
    for my $identifier (grep { $sessions{$_}{begun} } keys %sessions) {
        my $fd = fileno $sessions{$identifier}{client};
        serve($identifier) if vec($readable, $fd, 1) or vec($writable, $fd, 1);
    }
    attend() if $open and vec($readable, 3, 1);
    flush();
}

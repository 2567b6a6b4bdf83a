# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""What the message TLS of dispatcher-worker(7) says of a handshake."""

from __future__ import annotations

import hashlib
import ssl

_REASONS = {
    "no_shared_cipher": (
        "NO_SHARED_CIPHER",
        "NO_SHARED_GROUPS",
        "NO_SUITABLE_GROUPS",
        "NO_SUITABLE_KEY_SHARE",
        "NO_SUITABLE_SIGNATURE_ALGORITHM",
        "NO_SHARED_SIGNATURE_ALGORITHMS",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_INSUFFICIENT_SECURITY",
    ),
    "version": (
        "UNSUPPORTED_PROTOCOL",
        "NO_PROTOCOLS_AVAILABLE",
        "UNKNOWN_PROTOCOL",
        "VERSION_TOO_LOW",
        "INAPPROPRIATE_FALLBACK",
        "TLSV1_ALERT_PROTOCOL_VERSION",
    ),
    "bad_certificate": (
        "CERTIFICATE_VERIFY_FAILED",
        "PEER_DID_NOT_RETURN_A_CERTIFICATE",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "TLSV1_ALERT_UNKNOWN_CA",
    ),
    # OpenSSL takes any first line but those of HTTP for a record of a strange version.
    "plain_text": ("HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "WRONG_VERSION_NUMBER"),
    "gone": ("UNEXPECTED_EOF_WHILE_READING",),
}
_REASON_OF = {name: reason for reason, names in _REASONS.items() for name in names}

# The short names of RFC 4514.
_SHORT = {
    "commonName": "CN",
    "countryName": "C",
    "domainComponent": "DC",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "stateOrProvinceName": "ST",
    "userId": "UID",
}
_SUBJECT_BYTES_MAX = 255


def failure_reason(error: BaseException) -> str:
    """The reason for which dispatcherd counts a handshake that ended by the exception."""
    if isinstance(error, ssl.SSLError):
        if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return "gone"
        return _REASON_OF.get(error.reason or "", "error")
    # asyncio ends a handshake that takes too long by ConnectionAbortedError.
    if isinstance(error, (TimeoutError, ConnectionAbortedError)):
        return "timeout"
    return "gone" if isinstance(error, (ConnectionError, EOFError)) else "error"


def _escape(value: str) -> str:
    text = "".join("\\" + each if each in ',+"\\<>;' else each for each in value)
    return text if text[:1] not in ("#", " ") else "\\" + text


def _subject(certificate: dict | None) -> str:
    parts = [
        "+".join(f"{_SHORT.get(name, name)}={_escape(value)}" for name, value in part)
        for part in reversed((certificate or {}).get("subject", ()))
    ]
    text = ",".join(parts).replace("\0", "?")
    return text.encode(errors="replace")[:_SUBJECT_BYTES_MAX].decode(errors="ignore")


def facts(tls: ssl.SSLObject | ssl.SSLSocket) -> list[tuple[str, str]]:
    """Strings of the message about a handshake that is done."""
    cipher = tls.cipher()
    pairs = [("PROTOCOL", tls.version() or "?"), ("CIPHER", cipher[0] if cipher else "?")]
    certificate = tls.getpeercert(binary_form=True)
    if certificate:
        pairs += [("SHA256", hashlib.sha256(certificate).hexdigest()), ("SUBJECT", _subject(tls.getpeercert()))]
    return pairs

"""Who calls: a name for the caller's key from which nobody learns the key.

Knows headers; neither routes nor stores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

CREDENTIAL_HEADERS = ("authorization", "api-key", "x-api-key")
"""Where a caller's key may stand, in the order in which they count."""
_DOMAIN = b"laconic key\0"
_SHORT_DIGITS = 12


def credential(headers: Mapping[str, str]) -> str:
    """The caller's key without its scheme word (`Bearer`); empty if there is none. `headers` has lower-case names."""
    for name in CREDENTIAL_HEADERS:
        value = headers.get(name, "").strip()
        if value:
            scheme, _, rest = value.partition(" ")
            return (rest.strip() or scheme) if name == "authorization" else value
    return ""


def key_hash(key: str) -> str:
    """The name of a key in configuration files: `sha256:` and 32 hexadecimal digits.

    It is neither salted nor slow, so that a request costs a microsecond: API keys are random, and nobody finds
    one of 100 random bits by trying. A password that can be guessed could be found, and must not be used as a key.
    The prefix to the key keeps the hash from being equal to one that other software publishes.
    """
    digest = hashlib.sha256(_DOMAIN + key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"sha256:{digest[:32]}"


def caller_hash(headers: Mapping[str, str]) -> str:
    """The hash of the caller's key; empty without one. `headers` has lower-case names."""
    key = credential(headers)
    return key_hash(key) if key else ""


def short_hash(hashed: str) -> str:
    """The first 12 digits of a hash: enough to tell callers apart in reports; empty stays empty."""
    return hashed.partition(":")[2][:_SHORT_DIGITS]

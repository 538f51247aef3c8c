"""The way to the upstream: one pooled client, headers as they came, raw bytes both ways."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from policies.config import Upstream
from policies.routes import OVERRIDE_HEADERS
from proxy.errors import upstream_error

HeaderPairs = list[tuple[bytes, bytes]]

# RFC 9110 §7.6.1: these speak of one connection only.
_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
_OWN_REQUEST_HEADERS = _HOP_BY_HOP | {b"host", b"expect"} | {name.encode() for name in OVERRIDE_HEADERS}
_KEEPALIVE_S = 15.0


class UpstreamClient:
    """One connection pool for all upstreams of this process."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            read_bufsize=2**18,
        )

    async def send(
        self,
        upstream: Upstream,
        method: str,
        target: str,
        headers: CIMultiDict[str],
        body: bytes | AsyncIterator[bytes] | None,
    ) -> aiohttp.ClientResponse:
        """Send a request to `base_url` + `target`; returns once the upstream's headers are there.

        The caller must release or close the response. Raises `UpstreamError`.
        """
        try:
            return await self._session.request(
                method,
                _url(upstream.base_url + target),
                headers=headers,
                data=body,
                allow_redirects=False,
                timeout=_timeout(upstream.connect_timeout_s, upstream.read_timeout_s),
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise upstream_error(error, upstream.base_url) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def request_headers(pairs: HeaderPairs, api_key: str | None) -> CIMultiDict[str]:
    """Headers for the upstream: the caller's without those of its connection, with the route's own key if any."""
    dropped = _dropped(pairs, _OWN_REQUEST_HEADERS)
    headers = CIMultiDict(
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs if name not in dropped]
    )
    if api_key is not None:
        headers["Authorization"] = f"Bearer {api_key}"
    return headers


def response_headers(response: aiohttp.ClientResponse) -> HeaderPairs:
    """The upstream's headers for the caller, names in lower case, duplicates and order kept."""
    pairs = [(name.lower(), value) for name, value in response.raw_headers]
    dropped = _dropped(pairs, _HOP_BY_HOP)
    return [
        (name, value) for name, value in pairs if name not in dropped and not name.startswith(b"x-laconic-")
    ]


def _dropped(pairs: HeaderPairs, always: frozenset[bytes]) -> frozenset[bytes]:
    """`always` and the headers that the connection's own header names."""
    for name, value in pairs:
        if name == b"connection" and value.lower() not in (b"keep-alive", b"close"):
            always |= {token.strip().lower() for token in value.split(b",")}
    return always


@functools.lru_cache(maxsize=1024)
def _url(url: str) -> URL:
    return URL(url, encoded=True)


@functools.lru_cache(maxsize=1024)
def _timeout(connect_s: float, read_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=connect_s, sock_read=read_s)

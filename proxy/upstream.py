"""The way to the upstream: one pooled client, headers as they came, raw bytes both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

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
_OWN_REQUEST_HEADERS = _HOP_BY_HOP | {b"host"} | {name.encode() for name in OVERRIDE_HEADERS}
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
        self._timeouts: dict[Upstream, aiohttp.ClientTimeout] = {}

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
            response = await self._session.request(
                method,
                URL(upstream.base_url + target, encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
                timeout=self._timeout(upstream),
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise upstream_error(error, upstream.base_url) from error
        _end_with_connection(response)
        return response

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    def _timeout(self, upstream: Upstream) -> aiohttp.ClientTimeout:
        timeout = self._timeouts.get(upstream)
        if timeout is None:
            timeout = aiohttp.ClientTimeout(
                total=None, sock_connect=upstream.connect_timeout_s, sock_read=upstream.read_timeout_s
            )
            self._timeouts[upstream] = timeout
        return timeout


def _end_with_connection(response: aiohttp.ClientResponse) -> None:
    """Make reading fail once the connection is gone: aiohttp waits for ever after a malformed chunk."""
    connection, content = response.connection, response.content
    protocol = connection.protocol if connection is not None else None
    if protocol is None or protocol.closed is None:
        return

    def end(_: object) -> None:
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError("the connection is gone"))

    protocol.closed.add_done_callback(end)


def request_headers(pairs: Iterable[tuple[bytes, bytes]], api_key: str | None) -> CIMultiDict[str]:
    """Headers for the upstream: the caller's without those of its connection, with the route's own key if any."""
    pairs = list(pairs)
    dropped = _OWN_REQUEST_HEADERS | _named_by_connection(pairs)
    headers = CIMultiDict(
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs if name not in dropped]
    )
    if api_key is not None:
        headers["Authorization"] = f"Bearer {api_key}"
    return headers


def response_headers(response: aiohttp.ClientResponse) -> HeaderPairs:
    """The upstream's headers for the caller, names in lower case, duplicates and order kept."""
    pairs = [(name.lower(), value) for name, value in response.raw_headers]
    dropped = _HOP_BY_HOP | _named_by_connection(pairs)
    return [
        (name, value) for name, value in pairs if name not in dropped and not name.startswith(b"x-laconic-")
    ]


def _named_by_connection(pairs: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    named = [value for name, value in pairs if name == b"connection"]
    if not named:
        return frozenset()
    return frozenset(token.strip().lower() for value in named for token in value.split(b","))

"""Everything that can go wrong on the way through, with the answer it gets, in OpenAI's error shape.

LaconicError                      500  internal_error
├── RequestError                  400
│   ├── MalformedJsonError        400  malformed_json
│   ├── BadOverrideError          400  invalid_override
│   ├── UnknownRouteError         404  unknown_route
│   └── BodyTooLargeError         413  body_too_large
├── UpstreamError                 502
│   ├── UpstreamRefusedError      502  upstream_refused
│   ├── UpstreamResetError        502  upstream_reset
│   ├── UpstreamGarbageError      502  upstream_invalid_response
│   └── UpstreamTimeoutError      504  upstream_timeout
├── OverloadedError               503  overloaded
└── UncompressedError             503  compression_unavailable
"""

from __future__ import annotations

import json

import aiohttp


class LaconicError(Exception):
    """A failure with its HTTP status and OpenAI error `type` and `code`."""

    status = 500
    type = "api_error"
    code = "internal_error"
    retry_after_s: int | None = None

    def body(self) -> bytes:
        """The JSON body of the answer."""
        error = {"message": str(self), "type": self.type, "param": None, "code": self.code}
        return json.dumps({"error": error}).encode()


class RequestError(LaconicError):
    """The caller sent something that can't be used."""

    status = 400
    type = "invalid_request_error"


class MalformedJsonError(RequestError):
    """A chat request that isn't a JSON object in UTF-8."""

    code = "malformed_json"


class BadOverrideError(RequestError):
    """An `x-laconic-*` header with a value that means nothing."""

    code = "invalid_override"


class UnknownRouteError(RequestError):
    """No route of the configuration matches."""

    status = 404
    code = "unknown_route"


class BodyTooLargeError(RequestError):
    """A chat request above `max_body_bytes`."""

    status = 413
    code = "body_too_large"


class UpstreamError(LaconicError):
    """The upstream gave no answer."""

    status = 502


class UpstreamRefusedError(UpstreamError):
    """No connection could be made."""

    code = "upstream_refused"


class UpstreamResetError(UpstreamError):
    """The connection broke."""

    code = "upstream_reset"


class UpstreamGarbageError(UpstreamError):
    """What came back isn't HTTP."""

    code = "upstream_invalid_response"


class UpstreamTimeoutError(UpstreamError):
    """Nothing came back in time."""

    status = 504
    code = "upstream_timeout"


class OverloadedError(LaconicError):
    """More requests in flight than `max_in_flight`."""

    status = 503
    type = "server_error"
    code = "overloaded"
    retry_after_s = 1


class UncompressedError(LaconicError):
    """Compression failed on a policy with `on_failure: reject`."""

    status = 503
    type = "server_error"
    code = "compression_unavailable"
    retry_after_s = 1


def upstream_error(error: Exception, upstream: str) -> UpstreamError:
    """The kind of failure behind an aiohttp or socket error; the message names the upstream, not the request."""
    if isinstance(error, TimeoutError):
        return UpstreamTimeoutError(f"upstream {upstream} did not answer in time")
    if isinstance(error, aiohttp.ClientConnectorError):
        return UpstreamRefusedError(f"upstream {upstream} could not be reached")
    if isinstance(error, aiohttp.ClientResponseError):
        return UpstreamGarbageError(f"upstream {upstream} answered something that is not HTTP")
    return UpstreamResetError(f"upstream {upstream} closed the connection before its answer was complete")

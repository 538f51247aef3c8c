"""Why texts are left as they came."""

from __future__ import annotations

from enum import StrEnum


class Skip(StrEnum):
    """Why a text was left as it was; the words stand in headers, metrics and logs."""

    OFF = "off"  # a target rule says so
    ROLE = "role"  # no target rule speaks of this role
    SHORT = "too_short"  # fewer tokens than the rules and ranges ask for
    PROTECTED = "protected"  # nothing in it may be dropped
    SMALL_SAVING = "small_saving"  # less to save than min_saved_tokens
    UNREADABLE = "unreadable"  # not a language that the model reads
    INVARIANT = "invariant"  # the result broke a guard
    NOT_WORTH = "not_worth"  # the time would cost more than the tokens
    ADOPTED = "adopted"  # sent before, by others or under another policy
    CACHE_MINIMUM = "cache_minimum"  # the provider's cache could take back more than is saved
    HOLDOUT = "holdout"  # the conversation is one of those that savings are measured against
    DEADLINE = "deadline"
    OVERLOADED = "overloaded"
    FAILED = "failed"
    NOT_READY = "not_ready"  # the model is still loading
    CONTENT_ENCODING = "content_encoding"  # the whole body, compressed in a way that isn't read here
    SHADOW = "shadow"  # shortened on record only

    @property
    def is_failure(self) -> bool:
        """Whether the text would have been shortened had all gone well."""
        return self in _FAILURES

    @property
    def is_of_the_moment(self) -> bool:
        """Whether the same text may be shortened in another conversation."""
        return self in _FAILURES or self in (Skip.NOT_WORTH, Skip.ADOPTED, Skip.CACHE_MINIMUM)


_FAILURES = frozenset((Skip.DEADLINE, Skip.OVERLOADED, Skip.FAILED, Skip.NOT_READY))

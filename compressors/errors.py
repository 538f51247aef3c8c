"""What goes wrong in this package."""

from __future__ import annotations


class CompressionError(Exception):
    """A job, a setting or a model that a compressor can't work with; the message names what and why."""


class ModelError(CompressionError):
    """A job asks for what its model can't do; the message holds nothing of the text, so that it may be logged."""

"""A compressor's strategy from `key=value` settings. Knows the fields by introspection, no method."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from pydantic import TypeAdapter, ValidationError

from compressors import CompressionError, Strategy


def strategy(settings: Iterable[str]) -> Strategy:
    """The strategy that differs from the default in `settings`: `key=value`, lists as `a,b`.

    Raises `ValueError` naming an unknown key or a value that doesn't fit.
    """
    kinds = {field.name: str(field.type) for field in fields(Strategy)}
    values: dict[str, object] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or key not in kinds:
            raise ValueError(f"{setting}: expected KEY=VALUE with one of the keys {', '.join(kinds)}")
        values[key] = value.split(",") if kinds[key].startswith("tuple") else value
    try:
        return TypeAdapter(Strategy).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}={first['input']}: {first['msg']}") from error
    except CompressionError as error:
        raise ValueError(str(error)) from error

"""From the text of a YAML file to a `Config`, or to errors that say where and what is allowed.

Reads no file and no environment: both are handed in.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from policies import builtin
from policies.config import Config, Method
from policies.policy import Policy

Path = tuple[int | str, ...]
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file; `line` counts from 1."""

    line: int
    key: str
    message: str


class ConfigError(Exception):
    """A file that can't be used, with everything that is wrong with it."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(f"{source}:{p.line}: {p.key}: {p.message}" for p in self.problems))


def load_config(text: str, source: str, environment: Mapping[str, str]) -> Config:
    """Parse and check a configuration file.

    `source` names the file in errors; `${NAME}` in a value is replaced from `environment`.
    Raises `ConfigError` naming line, key, what was found, what is allowed and the closest valid name.
    """
    problems: list[Problem] = []
    lines: dict[Path, int] = {}
    data = _substitute(_parse(text, source, lines, problems), (), environment, lines, problems)
    if problems:
        raise ConfigError(source, problems)
    _add_builtin(data)
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(
            source, [_problem(dict(e), lines) for e in error.errors(include_url=False)]
        ) from None
    problems.extend(_dangling(config, lines))
    if problems:
        raise ConfigError(source, problems)
    return config


def _add_builtin(data: dict[str, Any]) -> None:
    """Write out what is named of the built-in policies, and the compressors that are named by their methods."""
    policies, compressors = data.setdefault("policies", {}), data.setdefault("compressors", {"default": {}})
    routes = data.get("routes")
    if not (isinstance(policies, dict) and isinstance(compressors, dict) and isinstance(routes, list)):
        return  # which the schema will refuse
    for name in (route.get("policy") for route in routes if isinstance(route, dict)):
        if name in builtin.NAMES and name not in policies:
            policies[name] = builtin.policy(name)
    for name, policy in policies.items():
        if isinstance(policy, dict) and policy.get("extends") in builtin.NAMES:
            policies[name] = builtin.policy(policy["extends"]) | policy
    for method in get_args(Method):
        if any(
            isinstance(policy, dict) and policy.get("compressor") == method for policy in policies.values()
        ):
            compressors.setdefault(method, {"method": method})


class _Loader(yaml.SafeLoader):
    """Takes only `true` and `false` for booleans, as YAML 1.2 does: `mode: off` is a word."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"true|True|false|False"), list("tTfF"))


def _parse(text: str, source: str, lines: dict[Path, int], problems: list[Problem]) -> Any:
    """The file's values, with the line of each in `lines`; raises `ConfigError` for what is no mapping."""
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            kind = "a list" if isinstance(root, yaml.SequenceNode) else "a single value"
            message = f"found {kind if root else 'nothing'}; allowed: a mapping of sections"
            raise ConfigError(source, [Problem(1, "(file)", message)])
        lines.update(_lines(root, (), problems))
        return loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(
            source, [Problem(mark.line + 1 if mark else 1, "yaml", str(error.problem))]
        ) from error
    except RecursionError as error:
        raise ConfigError(
            source, [Problem(1, "yaml", "found an alias to its own parent; allowed: none")]
        ) from error
    except yaml.YAMLError as error:  # characters that YAML doesn't allow
        raise ConfigError(source, [Problem(1, "yaml", str(error).splitlines()[0])]) from error
    finally:
        loader.dispose()


def _lines(node: yaml.Node, path: Path, problems: list[Problem]) -> Iterator[tuple[Path, int]]:
    """The line of every value; keys given twice, which YAML would silently drop, are problems."""
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                problems.append(
                    Problem(key.start_mark.line + 1, _dotted((*path, name)), "given twice; allowed: once")
                )
            seen.add(name)
            for inner, line in _lines(value, (*path, name), problems):
                yield inner, key.start_mark.line + 1 if inner == (*path, name) else line
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*path, index), problems)


def _substitute(
    value: Any, path: Path, environment: Mapping[str, str], lines: Mapping[Path, int], problems: list[Problem]
) -> Any:
    if isinstance(value, dict):
        return {k: _substitute(v, (*path, str(k)), environment, lines, problems) for k, v in value.items()}
    if isinstance(value, list):
        return [_substitute(v, (*path, i), environment, lines, problems) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        name = match[1]
        if name not in environment:
            message = f"found ${{{name}}}, but {name} is not set in the environment"
            problems.append(Problem(_line(path, lines), _dotted(path), message + _closest(name, environment)))
        return environment.get(name, "")

    return _VARIABLE.sub(variable, value)


def _problem(error: dict[str, Any], lines: Mapping[Path, int]) -> Problem:
    path: Path = error["loc"]
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        allowed = sorted(_fields(path[:-1]))
        message = f"unknown key; allowed: {', '.join(allowed)}{_closest(str(path[-1]), allowed)}"
    elif kind == "missing":
        message = "missing; it is required"
    elif kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", context["expected"])
        message = (
            f"found {_found(error)}; allowed: {', '.join(allowed)}{_closest(str(error['input']), allowed)}"
        )
    elif kind == "value_error":
        message = f"found {_found(error)}; allowed: {context['error']}"
    else:
        message = f"found {_found(error)}; allowed: {error['msg'].removeprefix('Input should be ')}"
    return Problem(_line(path, lines), _dotted(path), message)


def _found(error: dict[str, Any]) -> str:
    """What stood there, unless it may hold a secret or is too large to read in a line."""
    value = error["input"]
    may_hold_secret = isinstance(value, dict | list) or any("key" in str(step) for step in error["loc"])
    if may_hold_secret or "@" in str(value):
        return f"a {type(value).__name__}"
    shown = str(value) if isinstance(value, int | float) else repr(value)
    return shown if len(shown) <= 80 else f"a {type(value).__name__}"


def _fields(path: Path) -> Iterable[str]:
    """Keys allowed in the section at `path`, following the schema's own annotations."""
    annotation: Any = Config
    for step in path:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            annotation = _required(annotation.model_fields[str(step)].annotation)
        else:  # a container of sections: dict[str, X] or tuple[X, ...]
            annotation = next(a for a in reversed(get_args(annotation)) if a is not Ellipsis)
    return (
        annotation.model_fields if isinstance(annotation, type) and issubclass(annotation, BaseModel) else ()
    )


def _required(annotation: Any) -> Any:
    """`X` for `X | None`."""
    if isinstance(annotation, UnionType):
        others = [member for member in get_args(annotation) if member is not NoneType]
        return others[0] if len(others) == 1 else annotation
    return annotation


def _dangling(config: Config, lines: Mapping[Path, int]) -> Iterator[Problem]:
    """Names that one section uses and no other defines, and what doesn't go with what is named."""

    def check(path: Path, name: str, section: str, known: Iterable[str]) -> Iterator[Problem]:
        known = sorted(known)
        if name not in known:
            allowed = ", ".join(known) or f"none, {section} is empty"
            message = f"found {name!r}; allowed: a name from {section} ({allowed}){_closest(name, known)}"
            yield Problem(_line(path, lines), _dotted(path), message)

    for name, policy in config.policies.items():
        yield from check(
            ("policies", name, "compressor"), policy.compressor, "compressors", config.compressors
        )
        compressor = config.compressors.get(policy.compressor)
        if compressor is not None and compressor.method != "llmlingua2":
            yield from _for_classifiers(name, policy, compressor.method, lines)
    taken: set[str] = set()
    for index, route in enumerate(config.routes):
        yield from check(("routes", index, "upstream"), route.upstream, "upstreams", config.upstreams)
        if route.policy is not None:
            yield from check(("routes", index, "policy"), route.policy, "policies", config.policies)
        if route.name in taken:
            path = ("routes", index, "name")
            yield Problem(
                _line(path, lines), _dotted(path), f"found {route.name!r} again; allowed: a name of its own"
            )
        taken.add(route.name)


def _for_classifiers(name: str, policy: Policy, method: str, lines: Mapping[Path, int]) -> Iterator[Problem]:
    """What `policy` asks for that takes a token classifier, with another `method`."""
    for index, reach in enumerate(policy.ranges):
        if reach.min_probability is not None:
            path: Path = ("policies", name, "ranges", index, "min_probability")
            message = f"found with {method}, which gives no probabilities; allowed: with llmlingua2"
            yield Problem(_line(path, lines), _dotted(path), message)
    if policy.strategy.question_aware:
        path = ("policies", name, "strategy", "question_aware")
        message = f"found true with {method}; allowed: with llmlingua2"
        yield Problem(_line(path, lines), _dotted(path), message)


def _closest(name: str, allowed: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(allowed), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _line(path: Path, lines: Mapping[Path, int]) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path) or "(file)"

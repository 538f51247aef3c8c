"""A bad file is answered with what, where, what is allowed, and the closest valid name."""

from __future__ import annotations

import json

import pytest

from policies.config import Config, default_config
from policies.loading import ConfigError, load_config

GOOD = """\
upstreams:
  openai: {base_url: "https://api.openai.com/v1/"}
store: sqlite:///laconic.db
compressors:
  default: {method: llmlingua2, model: embedded, device: auto}
policies:
  careful:
    compressor: default
    targets:
      - {role: [user, tool], min_tokens: 200}
      - {role: system, mode: off}
    ranges:
      - {min_tokens: 200, max_tokens: 1000, rate: 0.7}
      - {min_tokens: 1000, rate: 0.5}
    protect: [code, json, urls, numbers, negations, quotes, identifiers, tables, tags]
    force_tokens: ["\\n", "?"]
    min_saved_tokens: 50
    deadline_ms: 300
    on_failure: forward
routes:
  - {name: rag, path: /rag/v1, upstream: openai, policy: careful, overrides: [mode, rate]}
  - name: default
    match: {model: "gpt-*", header: {X-Team: search}}
    upstream: openai
    policy: careful
    api_key: ${OPENAI_API_KEY}
"""


def _load(text: str, **environment: str) -> Config:
    return load_config(text, "laconic.yaml", {"OPENAI_API_KEY": "sk-very-secret"} | environment)


def test_a_good_file() -> None:
    config = _load(GOOD)
    assert config.upstreams["openai"].base_url == "https://api.openai.com/v1"
    assert config.store.url == "sqlite:///laconic.db"
    assert config.routes[1].match.model == ("gpt-*",)
    assert config.routes[1].match.header == {"x-team": "search"}
    assert config.policies["careful"].targets[1].mode == "off"
    key = config.routes[1].api_key
    assert key is not None
    assert key.get_secret_value() == "sk-very-secret"
    assert "sk-very-secret" not in repr(config)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("min_saved_tokens: 50", "min_save_tokens: 50", 17, ["careful.min_save_tokens", "mean min_saved_tokens?"]),
        ("rate: 0.7", "rate: 1.7", 13, ["ranges.0.rate", "1.7", "less than or equal to 1"]),
        ("rate: 0.7", "rat: 0.7", 13, ["did you mean rate?"]),
        ("rate: 0.5}", "min_tokens: 3}", 14, ["given twice"]),
        (", rate: 0.5}", "}", 14, ["exactly one of rate, target_tokens, min_probability"]),
        ("max_tokens: 1000", "max_tokens: 100", 13, ["max_tokens above min_tokens"]),
        ("mode: off", "mode: of", 11, ["'of'", "on, off", "did you mean off?"]),
        ("identifiers, ", "identifier, ", 15, ["identifier", "did you mean identifiers?"]),
        ("compressor: default", "compressor: defautl", 8, ["compressors (default)", "did you mean default?"]),
        ("upstream: openai, policy", "upstream: opena, policy", 21, ["upstreams (openai)", "did you mean openai?"]),
        ("name: rag", "name: default", 22, ["again"]),
        ("store: sqlite:///laconic.db", "store: postgres://x", 3, ["store.url", "postgres"]),
        ("/rag/v1", "rag/v1", 21, ["routes.0.path"]),
        ("https://api", "api", 2, ["http:// or https://"]),
        ("deadline_ms: 300", "deadline_ms: soon", 18, ["deadline_ms", "'soon'"]),
        ("overrides: [mode, rate]", "overrides: [mood]", 21, ["mode", "'mood'"]),
        ("llmlingua2,", "llmlingua3,", 5, ["llmlingua3", "llmlingua2"]),
    ],
)  # fmt: skip
def test_errors_name_line_key_found_allowed_and_closest(
    old: str, new: str, line: int, words: list[str]
) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        _load(GOOD.replace(old, new, 1))
    first = str(caught.value).splitlines()[0]
    assert first.startswith(f"laconic.yaml:{line}: ")
    for word in words:
        assert word in first


def test_every_problem_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        _load(
            GOOD.replace("rate: 0.7", "rate: 7")
            .replace("min_saved_tokens", "min_saved")
            .replace("mode: off", "mode: x")
        )
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "a: [", "a: b: c", "\t- x", "routes: !!python/object:os.system x"]
)
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"laconic.yaml:\d+"):
        _load(text)


def test_a_variable_that_is_not_set_is_named_with_the_closest() -> None:
    with pytest.raises(ConfigError, match=r"OPENAI_KEY is not set.*did you mean OPENAI_API_KEY\?"):
        _load(GOOD.replace("${OPENAI_API_KEY}", "${OPENAI_KEY}"))


def test_a_bad_key_is_never_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        _load(GOOD.replace("api_key: ${OPENAI_API_KEY}", "api_key: [sk-secret]"))
    assert "sk-secret" not in str(caught.value)


def test_the_schema_allows_what_the_loader_allows() -> None:
    schema = Config.model_json_schema()
    assert schema["additionalProperties"] is False
    assert {"type": "string"}.items() <= json.loads(
        json.dumps(schema["properties"]["store"]["anyOf"][0])
    ).items()
    assert "Share of the tokens" in json.dumps(schema)


def test_without_a_file_everything_goes_to_one_upstream_carefully() -> None:
    config = default_config("https://api.openai.com/v1")
    assert config.routes[0].path == "/v1"
    assert config.policies["careful"].targets[1].mode == "off"


def test_probabilities_need_a_method_that_gives_them() -> None:
    text = GOOD.replace("{method: llmlingua2,", "{method: longllmlingua,").replace(
        "rate: 0.7", "min_probability: 0.7"
    )
    with pytest.raises(ConfigError, match=r"laconic.yaml:13: .*min_probability: found with longllmlingua"):
        _load(text)


@pytest.mark.parametrize("method", ["llmlingua", "longllmlingua"])
def test_only_classifiers_are_made_aware_of_questions(method: str) -> None:
    text = GOOD.replace("    deadline_ms: 300", "    strategy: {question_aware: true}")
    _load(text)
    with pytest.raises(
        ConfigError, match=rf"question_aware: found true with {method}; allowed: with llmlingua2"
    ):
        _load(text.replace("{method: llmlingua2,", f"{{method: {method},"))


def test_an_unknown_key_of_an_optional_section_is_told_what_is_allowed() -> None:
    text = GOOD.replace("    deadline_ms: 300", "    documents: {splt: auto}")
    with pytest.raises(
        ConfigError, match=r"documents.splt: unknown key; allowed: .*split; did you mean split\?"
    ):
        _load(text)

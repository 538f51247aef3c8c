"""What is recognised as untouchable in a text, and what is not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.invariants import violations
from policies.protection import KINDS, Protection, ProtectKind, Span, protect
from policies.protection.spans import covers, union

_TRAFFIC = Path(__file__).parents[3] / "shared" / "data" / "traffic"
_HARD = st.lists(
    st.sampled_from(
        [*"aZ1 _-./\\:;,'\"’“”`~()[]{}<>|=%#@$\n\t\r", "n't", "no", "不", "안", "é", "١", "<b>", "{{", "}}"]
    )
).map("".join)


def _inline(text: str, *kinds: ProtectKind) -> list[str]:
    return [text[start:end] for start, end in protect(text, kinds).inline]


def _blocks(text: str, kinds: Collection[ProtectKind] = KINDS) -> list[str]:
    return [text[start:end] for start, end in protect(text, kinds).blocks]


def _all(protection: Protection) -> list[Span]:
    return sorted((*protection.blocks, *protection.inline))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it took 1,240ms to answer", ["1,240ms"]),
        ("from 1,240 ms to 38.5 % of it", ["1,240 ms", "38.5 %"]),
        ("it fell by -3.5°C to +2", ["-3.5°C", "+2"]),
        ("costs $1,299.99 or €5 or US$20 or 30 EUR", ["$1,299.99", "€5", "US$20", "30 EUR"]),
        ("5 million dollars and 3-year plans", ["5 million dollars", "3-year"]),
        ("born 12 May 1987, died March 3, 2004.", ["12 May 1987", "March 3, 2004"]),
        ("at 2024-05-15T15:00:00Z or 10:30 am", ["2024-05-15T15:00:00Z", "10:30 am"]),
        ("v1.2.3-beta2 of python3.11", ["v1.2.3-beta2", "python3.11"]),
        ("ping 192.168.0.1:8080 now", ["192.168.0.1:8080"]),
        ("call +49 30 1234567 or (555) 123-4567", ["+49 30 1234567", "(555) 123-4567"]),
        ("HAT069 in COVID-19 wards", ["HAT069", "COVID-19"]),
        ("at most ≤ 5 kg, not <10 GB", ["≤ 5 kg", "<10 GB"]),
        ("2024年5月15日に1,200円です", ["2024年5月15日", "1,200円"]),
        ("第三次会议有二十人", ["三次", "二十人"]),
        ("am 3. Januar um 15 Uhr", ["3. Januar", "15 Uhr"]),
        ("no figures here", []),
    ],
)
def test_numbers_with_sign_unit_and_date(text: str, expected: list[str]) -> None:
    assert _inline(text, "numbers") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It does not work without a key.", ["not", "without"]),
        ("I don't, can’t and NEVER will", ["don't", "can’t", "NEVER"]),
        ("unless only none except", ["unless", "only", "none", "except"]),
        ("a read-only, non-empty, sugar-free no-one", ["read-only", "non-empty", "sugar-free", "no-one"]),
        ("a notable nonsense, another knot", []),
        ("Das ist nicht ohne Grund kein Fehler, außer heute", ["nicht", "ohne", "kein", "außer"]),
        ("Il n'est pas venu, sans jamais rien dire", ["n'est", "pas", "sans", "jamais", "rien"]),
        ("No lo sabe nadie, ni sin él", ["No", "nadie", "ni", "sin"]),
        ("他不是没有无人机", ["不", "没有无"]),
        ("非常特别的未来", []),
        ("并非如此，别去", ["非", "别"]),
        ("食べない。行きません。飲まずに", ["ない", "ません", "ずに"]),
        ("비가 안 오지 않았다. 없는 것이 아니다", ["안", "않았다", "없는", "아니다"]),
        ("안녕하세요", []),
    ],
)
def test_negations(text: str, expected: list[str]) -> None:
    assert _inline(text, "negations") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://x.com/a_(b)?q=1#z. Then", ["https://x.com/a_(b)?q=1#z"]),
        ("(www.example.com), mail me@ex-ample.co.uk!", ["www.example.com", "me@ex-ample.co.uk"]),
        ("edit /etc/hosts, ~/.ssh/config and ./run.", ["/etc/hosts", "~/.ssh/config", "./run"]),
        ("in src/app.py:12 and C:\\Temp\\x.txt", ["src/app.py:12", "C:\\Temp\\x.txt"]),
        ("见https://x.com/a。然后", ["https://x.com/a"]),
        ("and/or, he said", []),
    ],
)
def test_addresses(text: str, expected: list[str]) -> None:
    assert _inline(text, "urls") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("set max_tokens, __init__ and MAX_SIZE", ["max_tokens", "__init__", "MAX_SIZE"]),
        ("a camelCase, PascalCase name", ["camelCase", "PascalCase"]),
        ("call os.path.join or run() in setup.py", ["os.path.join", "run()", "setup.py"]),
        ("`inline code` and ``a b``", ["`inline code`", "``a b``"]),
        ("ticket ABC-1234, flight HAT069, XEHM4B", ["ABC-1234", "HAT069", "XEHM4B"]),
        (
            "commit 4f3a9c1, 550e8400-e29b-41d4-a716-446655440000",
            ["4f3a9c1", "550e8400-e29b-41d4-a716-446655440000"],
        ),
        ("as shown [3] and [1, 2] and [^4]", ["[3]", "[1, 2]", "[^4]"]),
        ("pass --no-cache=1 to @alice on $HOME", ["--no-cache=1", "@alice", "$HOME"]),
        ("C++ and C# and plain Words, well-known", ["C++", "C#"]),
    ],
)
def test_identifiers(text: str, expected: list[str]) -> None:
    assert _inline(text, "identifiers") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('He said "well done" and left', ['"well done"']),
        ("the 'name' of the dogs' owner isn't 'o'clock'", ["'name'", "'o'clock'"]),
        ("“Ja”, „Nein“, «oui», 「はい」", ["“Ja”", "„Nein“", "«oui»", "「はい」"]),
        ('an unmatched " stays alone', []),
        ('a 5" disk and a 3" one', []),
        ('"' + "three pages " * 500 + '"', []),
        ('one "broken\nover" lines', []),
    ],
)
def test_quotes(text: str, expected: list[str]) -> None:
    assert _inline(text, "quotes") == expected


@pytest.mark.parametrize(
    ("before", "block", "after"),
    [
        ("Look:\n", "```python\nx = 1\n```", "\nDone, as you see."),
        ("Look:\n", "~~~\nanything at all\n~~~", "\nDone, as you see."),
        ("A cut off answer:\n", "```js\nlet x\nwhile", ""),
        ("This fails:\n\n", "def f(a):\n    return a / 0\n\nprint(f(3))", "\n\nCan you tell me why?"),
        (
            "I see\n",
            'Traceback (most recent call last):\n  File "a.py", line 3\nValueError: bad',
            "\nagain and again.",
        ),
        ("Change it:\n", "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n-old words\n+new words", "\nThat is all."),
        ("Run\n", "$ cd src\n$ pip install x", "\nand wait a moment."),
        ("Minified:\n", "!function(e,t){e.x=t(e)}(this,function(e){return!1});" * 5, "\nWhat does it do?"),
        ("Query:\n", "SELECT a\nFROM t\nWHERE b = 1;", "\nHow long will it take?"),
        ("The result is ", '{"a": [1, 2], "b": null}', " and nothing else."),
        ("As lines:\n", '{"a": 1}\n{"a": 2}\n', "\nThat was it.".lstrip()),
        ("Python prints ", "{'a': True, 'b': (1, None)}", " for it."),
        ("It was cut: ", '[{"id": 17, "name": "x"}, {"id": 18, "name": "un', ""),
        ("A list ", '["x"]', " of one."),
        ("A table:\n", "| a | b |\n|---|---|\n| 1 | 2 |", "\nand its end."),
        ("Data:\n", "name,age\nAnn,31\nBob,29", "\nThat is everyone."),
        ("Data:\n", "name\tage\nAnn\t31", "\nThat is everyone."),
        ("This is ", '<a href="x">', "the link"),
        ("Dear ", "{{ user.name }}", ", welcome"),
        ("Then ", "{% if x %}", " you win"),
        ("Then ", "<|im_start|>", " begins"),
    ],
)
def test_blocks(before: str, block: str, after: str) -> None:
    assert _blocks(before + block + after) == [block.rstrip("\n")]


@pytest.mark.parametrize(
    "text",
    [
        "as shown in [1] and [2, 3] (see [docs])",
        "- first item;\n- second item, which is longer;\n- third item",
        "Project Manager: Okay, so we start.\nMarketing: Yes, we do.\nUser Interface: Um, right.",
        "# Heading\n\nSome prose follows here, and a list:\n\n1. One thing\n2. Another thing\n   with more words",
        "Roses are red,\nviolets are blue,\nsugar is sweet,\nand so are you.",
        "For example: if you want it, return it to sender; else keep it.\nWhile we wait, try again.",
        "a < b and c > d, so {this} holds",
        "Dear Sir,\n\n    I write to you in some haste.\n    The weather is fine.\n\nYours, A. Name",
        "- [ ] buy milk\n- [x] call home",
        "User: Perfect\nAssistant: Should I play it\nUser: Sure",
        "1. **Flight HAT271**\n   - Departure: 19:00 EST\n   - Arrival: 21:00 EST\n   - Price: $174",
        "[00:01:02] Ann: so we start\n[00:01:09] Bob: yes, we do",
        "From: Ann\n\nHello Bob,\nhow are you\n\nBest, Ann",
        "Order #1897\nDate: 2024-07-08\nTotal: $753.00",
        "Background\n==========\n\n  Some words that are\n  set in, as quotes are.",
        "Pros:\n- cheap\n- fast\nCons:\n- it may break",
        '"""\nThe quick brown fox jumps over the lazy dog.\nNobody knows why it does so.\n"""',
    ],
)
def test_prose_is_no_block(text: str) -> None:
    assert _blocks(text) == []


def test_prose_between_tags_stays_compressible() -> None:
    text = "<p>Some words of <b>prose</b> here</p>"
    assert _blocks(text) == ["<p>", "<b>", "</b>", "</p>"]


def test_a_block_wins_over_what_lies_in_it() -> None:
    text = 'Say {"not": 5} not 6'
    assert _blocks(text) == ['{"not": 5}']
    assert _inline(text, *KINDS) == ["not", "6"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_alone_finds_no_more_than_all(kind: ProtectKind) -> None:
    text = 'x_y "q" not 5 https://a.b/c {"a": 1} <b> `c`\n| a |\n| b |\n'
    assert covers(union(_all(protect(text, KINDS))), _all(protect(text, [kind])))
    assert protect(text, []) == Protection((), ())


@given(st.text() | _HARD)
def test_spans_are_ascending_disjoint_and_in_range(text: str) -> None:
    protection = protect(text, KINDS)
    for spans in (protection.blocks, protection.inline, _all(protection)):
        edges = [edge for span in spans for edge in span]
        assert edges == sorted(edges)
        assert all(0 <= start < end <= len(text) for start, end in spans)


@given(st.text() | _HARD)
def test_what_is_protected_passes_the_independent_check(text: str) -> None:
    protection = protect(text, KINDS)
    assert violations(text, union(_all(protection)), protection, KINDS) == ()


@pytest.mark.parametrize(
    "unit",
    [
        *"\"'`([{<|/\\_-$@.,1a \n不",
        "``` ",
        "```\n",
        '["',
        "{'a': ",
        '{"a":1}\n',
        "{{a",
        "<a ",
        "http://",
        "a@",
        "a-1-",
        "$a",
        "a/",
        "\\[",
        "“",
        "一",
        "ない ",
        "a|b\n",
        "a,b\n",
        "x = 1\n",
        "  x\n",
        "<pre>",
        "May ",
        "don't ",
        "1 ",
        "- a: b\n",
        "k=1\n",
        "/*x\n",
        "2026-11-23T04:00:00Z x\n",
        "a  b  c\n",
        "$ ls\n",
        "ab:",
        "at least ",
    ],
)
def test_a_megabyte_of_anything_is_done_in_linear_time(unit: str) -> None:
    text = unit * (2**20 // len(unit))
    protect(text, KINDS)  # the test's time limit says the rest


def test_json_tool_results_are_wholly_protected() -> None:
    results = _texts("agent_airline", "tool")
    values = [text for text in results if _is_json(text)]
    assert len(values) > 50
    for text in values:
        assert protect(text, KINDS).blocks == ((0, len(text)),)


def test_real_prose_is_mostly_free_and_code_mostly_not() -> None:
    assert _share("rag_nq", "user", "blocks") < 0.01
    assert _share("rag_nq", "user", "inline") < 0.10
    assert _share("swe_agent", "tool", "blocks") > 0.60
    assert _share("agent_airline", "tool", "blocks") > 0.95


@pytest.mark.parametrize("name", ["chat_sharegpt", "rag_nq", "swe_agent"])
def test_real_traffic_passes_the_independent_check(name: str) -> None:
    for role in ("user", "tool", "system", "assistant"):
        for text in _texts(name, role):
            protection = protect(text, KINDS)
            assert violations(text, union(_all(protection)), protection, KINDS) == ()


def _texts(name: str, role: str) -> set[str]:
    """The distinct messages of a role in real traffic; skips where there is no data."""
    path = _TRAFFIC / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"no traffic data at {path}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        messages = [message for line in lines for message in json.loads(line)["request"]["messages"]]
    return {message["content"] for message in messages if message["role"] == role and message.get("content")}


def _share(name: str, role: str, field: str) -> float:
    texts = _texts(name, role)
    found: int = sum(end - start for text in texts for start, end in getattr(protect(text, KINDS), field))
    return found / sum(map(len, texts))


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), (dict, list))
    except ValueError:
        return False

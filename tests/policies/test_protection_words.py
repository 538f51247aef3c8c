"""Words that must never be dropped, by kind: what is found of a sentence, and what is left to the compressor."""

from __future__ import annotations

import pytest

from policies.protection import ProtectKind, protect

_NUMBERS = [
    ("latency of 1,240ms or 1 240 ms", ["1,240ms", "1", "240 ms"]),
    ("fell by -3.5 % to −2", ["-3.5 %", "−2"]),
    ("fell by −3.5 per cent", ["−3.5 per cent"]),
    ("raised $1.2M, €3,5 Mio. and £20k", ["$1.2M", "€3,5 Mio", "£20k"]),
    (
        "due 2026-11-23T04:00Z or 2026-11-23T04:00:00+09:00",
        ["2026-11-23T04:00Z", "2026-11-23T04:00:00+09:00"],
    ),
    ("version 1.2.3, v2.0.0-rc.1+build.5, 3.11", ["version 1.2.3", "v2.0.0-rc.1+build.5", "3.11"]),
    ("at 10.0.0.0/8, 192.168.0.1:8080 and 127.0.0.1", ["10.0.0.0/8", "192.168.0.1:8080", "127.0.0.1"]),
    (
        "on 2001:db8::1, fe80::1%eth0, ::1 and [2001:db8::1]:443",
        ["2001:db8::1", "fe80::1%eth0", "::1", "[2001:db8::1]:443"],
    ),
    ("net 2001:db8::/32 and ::ffff:10.0.0.1", ["2001:db8::/32", "::ffff:10.0.0.1"]),
    ("address beef:cafe::dead here", ["beef:cafe::dead"]),
    (
        "mac 00:1A:2b:3C:4d:5E or 00-1a-2b-3c-4d-5e or fa:ce:b0:0c:ab:cd or 001a.2b3c.4d5e",
        ["00:1A:2b:3C:4d:5E", "00-1a-2b-3c-4d-5e", "fa:ce:b0:0c:ab:cd", "001a.2b3c.4d5e"],
    ),
    (
        "call +1 (555) 123-4567, 555-123-4567 or 030/1234567",
        ["+1 (555) 123-4567", "555-123-4567", "030/1234567"],
    ),
    (
        "call +44 20 7946 0958, +82-10-1234-5678 or 010-1234-5678",
        ["+44 20 7946 0958", "+82-10-1234-5678", "010-1234-5678"],
    ),
    ("ratio 16:9, 3:1 and 1/3 or 2½", ["16:9", "3:1", "1/3", "2½"]),
    ("from 10–20 kg, 3-5 days, 5 to 7, 1990—1995", ["10–20 kg", "3-5 days", "5", "7, 1990—1995"]),
    ("hex 0xFF, 0b1010, #ff8800, 0o755 and DEADBEEF", ["0xFF", "0b1010", "#ff8800", "0o755"]),
    ("about 6.02e23, 1.5E-9 and 3×10⁸ or 10^-9", ["6.02e23", "1.5E-9", "3×10⁸", "10^-9"]),
    ("at 5 µm, 3 km², 12 V, 7 °C, 20°, 5′11″", ["5 µm", "3 km²", "12 V", "7 °C", "20°", "5′11″"]),
    ("the 1st, 22nd and 3rd of 4th", ["1st", "22nd", "3rd", "4th"]),
    ("a 50/50 split, 24/7, 9/11", ["50/50", "24/7", "9/11"]),
    ("is ≥ 5, <= 3, > 10, ~7, ±2, !=4", ["≥ 5", "<= 3", "> 10", "~7", "±2", "!=4"]),
    ("x = 5 and y=-2.5e-3", ["= 5", "=-2.5e-3"]),
    ("(5) and [7] and {3}", ["5", "7", "3"]),
    (
        "costs 5 USD, USD 5, 5€, ¥500, ₩5,000, 500円, 5,000원, 30元",
        ["5 USD", "USD 5", "5€", "¥500", "₩5,000", "500円", "5,000원", "30元"],
    ),
    (
        "5 GB, 10 Gbps, 100Mbit/s, 60 fps, 2x, 10× faster",
        ["5 GB", "10 Gbps", "100Mbit/s", "60 fps", "2x", "10×"],
    ),
    ("12:30, 12.30 Uhr, 12h30, 3 p.m., 9am-5pm", ["12:30", "12.30 Uhr", "12h30", "3 p.m.", "9am-5pm"]),
    ("ISBN 978-3-16-148410-0 and DOI 10.1000/xyz123", ["ISBN 978-3-16-148410-0", "DOI 10.1000/xyz123"]),
    ("1.000,50 Euro, 1'000.50 CHF, 1 000 000 €", ["1.000,50 Euro", "1'000.50 CHF", "1", "000", "000 €"]),
    ("Q3 2025, FY24, H1N1, 90s, 1990's, '90s", ["Q3 2025", "FY24", "H1N1", "90s, 1990'", "90s"]),
    (
        "am 3. März 2024, le 12 mai 2024, el 5 de mayo de 2024",
        ["3. März 2024", "12 mai 2024", "5 de mayo de 2024"],
    ),
    (
        "2024年5月15日 14時30分, 3억 5천만 원, 제3조",
        ["2024年5月15日", "14時30分", "3억", "5천만 원", "제3조"],
    ),
    ("１２３と٣٤٥と५", ["１２３", "٣٤٥", "५"]),
    ("約１０％、第２回", ["１０％", "第２回"]),
    ("RFC 2119, § 5, No. 7, p. 12, Fig. 3", ["RFC 2119", "§ 5", "No. 7", "p. 12", "Fig. 3"]),
    ("lat 52.5200° N, 13.4050° E", ["52.5200° N", "13.4050° E"]),
    ("1⁄2 and ¾ and x² and H₂O and Ⅳ", ["1⁄2", "¾", "x²", "H₂O", "Ⅳ"]),
    ("T-1000, F-16, MP3, 4K, B2B", ["T-1000", "F-16", "MP3", "4K", "B2B"]),
    ("5+3=8, 2*3, 7%2", ["5+3=8", "2*3", "7%2"]),
    ("5,000+ users and 100% sure", ["5,000+", "100%"]),
    ("1.5-2x, 3-in-1, 5-star, 20-year-old", ["1.5-2x", "3-in-1", "5-star", "20-year-old"]),
    ("S$5, A$10, NT$300, Rs. 500, 5k-10k", ["S$5", "A$10", "NT$300", "500", "5k-10k"]),
]
_NEGATIONS = [
    ("It does not work without a key.", ["not", "without"]),
    ("at least 5 and at most 7 or fewer", ["at least", "at most", "or fewer"]),
    ("all but one of them, none of us", ["all but", "none"]),
    ("few people know; a little-known fact", ["few", "little-known"]),
    ("nobody ever, neither nor", ["nobody", "neither", "nor"]),
    ("unable to connect, it failed to start", ["unable", "failed"]),
    ("cannot, can't, won’t, AIN'T", ["cannot", "can't", "won’t", "AIN'T"]),
    ("only if, unless, except for, excluding tax", ["only", "unless", "except", "excluding"]),
    ("every user may use any file, all of it", []),
    ("any notable knot in another notion", []),
    ("up to 5 items, up to you", ["up to"]),
    ("more than 3, other than that", ["more than", "other than"]),
    ("non-empty read-only no-op sugarless", ["non-empty", "read-only", "no-op"]),
    ("kein Zugriff ohne Konto, außer sonntags", ["kein", "ohne", "außer"]),
    ("höchstens drei, mindestens zwei, nicht mehr", ["höchstens", "mindestens", "nicht", "mehr"]),
    ("weder noch, niemals, bloß, sondern", ["weder", "noch", "niemals", "bloß", "sondern"]),
    ("der Knoten nichtig, einkeilen", []),
    ("il n'est plus là, ne … jamais, sans rien", ["n'est", "plus", "ne", "jamais", "sans", "rien"]),
    ("au moins deux, sauf lundi, aucun, nulle part", ["au moins", "sauf", "aucun", "nulle part"]),
    ("no hay nada, nunca, sin él, salvo, tampoco", ["no", "nada", "nunca", "sin", "salvo", "tampoco"]),
    ("al menos dos, como máximo, solo uno", ["al menos", "como máximo", "solo"]),
    ("não há ninguém sem isso; mai più; niet zonder", ["não", "ninguém", "sem", "mai", "niet", "zonder"]),
    ("не надо, нельзя, никогда, кроме, только", ["не", "нельзя", "никогда", "кроме", "только"]),
    ("他不是没有无人机，至少五个", ["不", "没有无", "至少"]),
    ("除非你来，否则别去；仅限会员，禁止入内", ["除非", "否", "别", "仅", "禁止"]),
    ("只有三个以上才行，几乎没有", ["只", "以上", "几乎没有"]),
    ("非常特别的未来，三只猫，区别", []),
    ("食べない。行きません。飲まずに、だけ、のみ", ["ない", "ません", "ずに", "だけ", "のみ"]),
    ("少なくとも三人以上、十人未満、以外は禁止", ["少なくとも", "以上", "未", "以外", "禁止"]),
    ("비가 안 오지 않았다. 없는 것이 아니다", ["안", "않았다", "없는", "아니다"]),
    ("세 명 이상, 다섯 개 이하, 최소 두 명만", ["이상", "이하", "최소", "만"]),
    ("하지만 안녕하세요, 불만이 미만", ["미만"]),
    ("못 가요, 하지 마세요, 절대 금지, 밖에 없다", ["못", "지 마세요", "절대", "금지", "밖에", "없다"]),
    ("오직 하나뿐, 제외하고", ["오직", "나뿐", "제외하고"]),
]
_ADDRESSES = [
    ("see https://x.com/a_(b)?q=1#z. Then", ["https://x.com/a_(b)?q=1#z"]),
    ("HTTP://EX.ORG:8080/p?x[]=1&y=%20 works", ["HTTP://EX.ORG:8080/p?x[]=1&y=%20"]),
    (
        "ftp://f.org, s3://bucket/key, git+ssh://git@h.org/r.git, file:///etc/x",
        ["ftp://f.org", "s3://bucket/key", "git+ssh://git@h.org/r.git", "file:///etc/x"],
    ),
    (
        "postgres://u:p@h:5432/db and redis://localhost:6379/0",
        ["postgres://u:p@h:5432/db", "redis://localhost:6379/0"],
    ),
    (
        "http://[2001:db8::1]:80/x and http://localhost:3000",
        ["http://[2001:db8::1]:80/x", "http://localhost:3000"],
    ),
    (
        "mail a.b+c@ex-ample.co.uk, <me@x.org>, mailto:x@y.de",
        ["a.b+c@ex-ample.co.uk", "me@x.org", "mailto:x@y.de"],
    ),
    ("www.example.com/x and example.com/path/to", ["www.example.com/x", "example.com/path/to"]),
    (
        "/etc/hosts ~/.ssh/config ./run ../up/x.py /usr/bin/env",
        ["/etc/hosts", "~/.ssh/config", "./run", "../up/x.py", "/usr/bin/env"],
    ),
    ("src/app.py:12:5 and a/b/c and lib/x.so.1", ["src/app.py:12:5", "a/b/c", "lib/x.so.1"]),
    ("C:\\Temp\\x.txt, \\\\host\\share\\f, D:\\a", ["C:\\Temp\\x.txt", "\\\\host\\share\\f", "D:\\a"]),
    ("$HOME/bin/x and %APPDATA%\\x\\y.ini", ["$HOME/bin/x", "%APPDATA%\\x\\y.ini"]),
    ("@scope/package and user/repo#12 and ghcr.io/o/i:1.2", ["@scope/package", "ghcr.io/o/i:1.2"]),
    ("git@github.com:o/r.git or arn:aws:s3:::b/k", ["git@github.com:o/r.git"]),
    ("见https://x.com/a。然后，写信给a@b.cn。", ["https://x.com/a。", "a@b.cn"]),
    ("https://x.com/a에서 보세요, a@b.kr로", ["https://x.com/a", "a@b.kr"]),
    ("„https://x.de/ä“ (https://x.de/a)", ["https://x.de/", "https://x.de/a"]),
    ("data:image/png;base64,iVBORw0KGgo= here", ["data:image/png;base64,iVBORw0KGgo="]),
    ("/api/v1/users/{id}/orders and GET /health", ["/api/v1/users/{id}/orders", "/health"]),
    ("and/or, he/she, 5/6, w/o", []),
]
_IDENTIFIERS = [
    ("set max_tokens, __init__, MAX_SIZE, _x", ["max_tokens", "__init__", "MAX_SIZE", "_x"]),
    (
        "camelCase PascalCase XMLHttpRequest iPhone McDonald",
        ["camelCase", "PascalCase", "XMLHttpRequest", "iPhone", "McDonald"],
    ),
    ("os.path.join, a.b.c, std::vector<int>, $x->y, Foo#bar", ["os.path.join", "std::vector<", "$x->y"]),
    (
        "run() foo.bar() x.y().z setup.py .env README.md",
        ["run()", "foo.bar()", "setup.py", ".env", "README.md"],
    ),
    ("kebab-case-name data-test-id aria-label", []),
    (
        "ABC-1234 JIRA-7 CVE-2024-12345 GHSA-jfh8-c2jp-5v3q",
        ["ABC-1234", "JIRA-7", "CVE-2024-12345", "GHSA-jfh8-c2jp-5v3q"],
    ),
    (
        "da39a3ee5e6b4b0d3255bfef95601890afd80709 deadbeef",
        ["da39a3ee5e6b4b0d3255bfef95601890afd80709", "deadbeef"],
    ),
    (
        "sha256:9f86d081884c7d65 md5 d41d8cd98f00b204e9800998ecf8427e",
        ["sha256:9f86d081884c7d65", "md5", "d41d8cd98f00b204e9800998ecf8427e"],
    ),
    (
        "550e8400-e29b-41d4-a716-446655440000 abcdefab-cdef-abcd-efab-cdefabcdefab",
        ["550e8400-e29b-41d4-a716-446655440000", "abcdefab-cdef-abcd-efab-cdefabcdefab"],
    ),
    (
        "sk-proj-abcDEF123 ghp_abcDEF AKIAIOSFODNN7EXAMPLE",
        ["sk-proj-abcDEF123", "ghp_abcDEF", "AKIAIOSFODNN7EXAMPLE"],
    ),
    (
        "[3] [1, 2] [4-7] [^4] [@key] [1][2] [Smith2020]",
        ["[3]", "[1, 2]", "[4-7]", "[^4]", "[@key]", "[1][2]", "Smith2020"],
    ),
    ("(Smith et al., 2020) and Smith (2020)", []),
    (
        "--no-cache=1 -v -rf --dry-run @alice #topic $HOME ${VAR}",
        ["--no-cache=1", "-v", "-rf", "--dry-run", "@alice", "#topic", "$HOME", "${VAR}"],
    ),
    ("C++ C# F# .NET Node.js asp.net e.g. i.e.", ["C++", "C#", "F#", ".NET", "Node.js", "asp.net"]),
    ("`inline code` and ``a ` b``", ["`inline code`", "``a ` b``"]),
    ("user_id的值是camelCase吗", ["user_id的", "camelCase"]),
    ("변수 max_tokens를 바꾸고 getUser()를", ["max_tokens", "getUser()"]),
    (
        "x86_64 utf-8 UTF-8 ISO-8859-1 gpt-4o-mini Llama-3.1-8B",
        ["x86_64", "utf-8", "UTF-8", "ISO-8859-1", "gpt-4o-mini", "Llama-3.1-8B"],
    ),
    ("I am Mr. Smith, U.S. born. End.Next one", ["End.Next"]),
]
_QUOTES = [
    ('He said "well done" and left', ['"well done"']),
    ("the 'name' of the dogs' owner isn't 'o'clock'", ["'name'", "'o'clock'"]),
    ("“Ja”, „Nein“, ‚ach‘, «oui», »ja«, ‹si›", ["“Ja”", "„Nein“", "‚ach‘", "«oui»", "»ja«", "‹si›"]),
    ("« oui » et “non”", ["« oui »", "“non”"]),
    (
        "「はい」と『本』、《书》、〈篇〉、“好”、【注】",
        ["「はい」", "『本』", "《书》", "〈篇〉", "“好”", "【注】"],
    ),
    ('"first" and "second" and "third"', ['"first"', '"second"', '"third"']),
    ("say \"it's 5 o'clock\" now", ["\"it's 5 o'clock\""]),
    ("``quoted'' in TeX", []),
    ('an unmatched " stays alone', []),
]


def _inline(text: str, kind: ProtectKind) -> list[str]:
    return [text[start:end] for start, end in protect(text, [kind]).inline]


@pytest.mark.parametrize(("text", "expected"), _NUMBERS)
def test_numbers_keep_their_signs_units_and_parts(text: str, expected: list[str]) -> None:
    assert _inline(text, "numbers") == expected


@pytest.mark.parametrize(("text", "expected"), _NEGATIONS)
def test_negations_and_bounds_in_many_languages(text: str, expected: list[str]) -> None:
    assert _inline(text, "negations") == expected


@pytest.mark.parametrize(("text", "expected"), _ADDRESSES)
def test_addresses_end_before_the_sentence_goes_on(text: str, expected: list[str]) -> None:
    assert _inline(text, "urls") == expected


@pytest.mark.parametrize(("text", "expected"), _IDENTIFIERS)
def test_names_that_mean_nothing_once_altered(text: str, expected: list[str]) -> None:
    assert _inline(text, "identifiers") == expected


@pytest.mark.parametrize(("text", "expected"), _QUOTES)
def test_quotations_with_their_marks(text: str, expected: list[str]) -> None:
    assert _inline(text, "quotes") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Section 56.1(2) of it", ["Section 56.1(2"]),
        ("a 501(c)(4) status", ["501(", ")(4"]),
        ("{4.8}{0} or 0x1d0))/0x2", ["4.8}{0", "0x1d0))/0x2"]),
        ("共有1500以及2000和3个", ["1500以", "2000和", "3个"]),
        ("根据1，国内外有很多生成器，比如6pen", ["1，", "6pen"]),
        ("(5) (6), 7", ["5", "6", "7"]),
    ],
)
def test_what_parts_two_numbers_stays_with_them(text: str, expected: list[str]) -> None:
    assert _inline(text, "numbers") == expected


def test_names_stay_apart_from_the_words_around_them() -> None:
    text = "call plotDispEsts(dds) or f(max_tokens), not x=fooBar-y"
    assert _inline(text, "identifiers") == ["plotDispEsts(", "(max_tokens", "=fooBar-"]

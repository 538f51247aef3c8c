"""Texts that a model can't read stay whole; texts that it can read are cut where words end."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import regex  # type: ignore[import-untyped]

from compressors import Compressor, Job

EVAL = Path(__file__).parents[3] / "shared" / "data" / "eval"
SENTENCES = {
    "ko": "오늘은 날씨가 매우 좋아서 우리는 공원에서 산책을 하고 점심을 먹었습니다. 내일은 비가 올 것 같습니다.",
    "ja": "今日は天気がとても良いので、公園を散歩して昼ご飯を食べました。明日は雨が降りそうです。",
    "zh": "今天天气很好，我们去公园散步并吃了午饭。明天可能会下雨，所以我们待在家里。",
    "ru": "Сегодня очень хорошая погода, поэтому мы гуляли в парке. Завтра, кажется, будет дождь.",
    "ar": "الطقس جميل جدا اليوم لذلك تنزهنا في الحديقة وتناولنا الغداء. غدا قد تمطر السماء.",
}


def paragraphs(language: str) -> list[str]:
    """Real paragraphs where the data is present, and always one sentence."""
    found = [SENTENCES[language]]
    path = EVAL / ("jsquad.jsonl.gz" if language == "ja" else "xquad.jsonl.gz")
    if path.exists():
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        found += [row["context"] for row in rows if row.get("lang", "ja") == language][:40]
    return found


@pytest.mark.parametrize("language", SENTENCES)
def test_the_embedded_model_leaves_what_it_cannot_read(embedded: Compressor, language: str) -> None:
    texts = paragraphs(language)
    results = embedded.compress([Job(text=text, rate=0.5) for text in texts])
    assert all(result.unreadable for result in results)
    assert [result.text for result in results] == texts


def test_the_embedded_model_leaves_another_language_in_its_own_script(embedded: Compressor) -> None:
    text = (
        "Der Ausschuss hat gestern Abend beschlossen, die Versammlung auf den kommenden Donnerstag zu "
        "verschieben, weil mehrere Mitglieder wegen einer Erkrankung abwesend waren und die Unterlagen der "
        "Haushaltsberatung noch nicht vollständig vorlagen; außerdem fehlten die Stellungnahmen der Gemeinden."
    )
    assert embedded.compress([Job(text=text, rate=0.5)])[0].unreadable


@pytest.mark.parametrize("kind", ["mbert", "xlm-roberta"])
@pytest.mark.parametrize("language", SENTENCES)
def test_multilingual_tokenizers_shorten_and_never_mangle(
    tiny: Callable[[str], Compressor], kind: str, language: str
) -> None:
    if not EVAL.exists():
        pytest.skip("a generated vocabulary holds too few characters")
    texts = paragraphs(language)
    results = tiny(kind).compress([Job(text=text, rate=0.5) for text in texts])
    for text, result in zip(texts, results, strict=True):
        assert not result.unreadable
        assert result.compressed_tokens <= 0.5 * result.original_tokens
        inside = {at for m in regex.finditer(r"\X", text) for at in range(m.start() + 1, m.end())}
        assert not inside & {edge for span in result.spans for edge in span}


def test_byte_fallback_is_unreadable(tiny: Callable[[str], Compressor]) -> None:
    [result] = tiny("modernbert").compress([Job(text=SENTENCES["ko"], rate=0.5)])
    assert result.unreadable


def test_a_few_foreign_words_stay_in_a_shortened_text(embedded: Compressor) -> None:
    text = (
        "The guide said that the old market, called 南大門市場 by the locals there, opens rather early. " * 3
    )
    [result] = embedded.compress([Job(text=text, rate=0.5)])
    assert not result.unreadable
    assert result.compressed_tokens < result.original_tokens
    assert result.text.count("南大門市場") == 3


def test_emoji_are_kept_or_dropped_whole(tiny: Callable[[str], Compressor]) -> None:
    text = "So we won 👩\u200d🚀 the cup 🇩🇪 again 👍🏽 and again ☀️ today. " * 5
    for kind in ("bert", "xlm-roberta"):
        for rate in (0.3, 0.5, 0.8):
            [result] = tiny(kind).compress([Job(text=text, rate=rate)])
            rest = regex.sub("👩\u200d🚀|🇩🇪|👍🏽|☀️", "", result.text)
            assert rest.isascii()

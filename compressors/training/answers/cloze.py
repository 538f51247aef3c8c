"""Questions made from a sentence by leaving out a part of it. Knows spaCy's annotations, no labels and no model.

Source: cloze questions in the words of the text (Lewis et al. 2019, Unsupervised Question Answering by Cloze
Translation, sections 2.1 to 2.3: the answer's kind becomes a question word, the words around it are thinned out).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from compressors.training.answers.synonyms import Synonyms
from compressors.training.answers.worth import NUMBERS

_ASKING: dict[str, tuple[str, ...]] = {
    "PERSON": ("who", "who", "which person", "whom", "what is the name of the person"),
    "NORP": ("which group", "what nationality", "who", "what"),
    "ORG": ("which organization", "what company", "who", "what", "which team"),
    "GPE": ("where", "which country", "which city", "what place", "in which state"),
    "LOC": ("where", "what place", "which region"),
    "FAC": ("where", "which building", "what place"),
    "DATE": ("when", "when", "what year", "what date", "on which day", "how long"),
    "TIME": ("when", "what time", "at what time", "how long"),
    "CARDINAL": ("how many", "how many", "what number", "how much"),
    "ORDINAL": ("which", "what place"),
    "QUANTITY": ("how much", "how far", "how big", "how many"),
    "MONEY": ("how much", "how much money", "what price", "what did it cost"),
    "PERCENT": ("what percentage", "how much", "what share"),
}
_OTHERWISE = ("what", "what", "which", "what is the name of")
_CLAUSES: dict[str, tuple[str, ...]] = {
    "xcomp": ("what", "how", "what do"),
    "ccomp": ("what", "what happens"),
    "advcl": ("why", "how", "when", "under what condition"),
    "acomp": ("how", "what", "in what way"),
    "attr": ("what", "who", "which"),
    "dobj": ("what", "whom", "which"),
    "pobj": ("what", "which", "where"),
    "nsubj": ("what", "who", "which"),
    "nsubjpass": ("what", "who", "which"),
}
"""What asks for a part of a sentence, by its relation in spaCy's English trees."""
_HELPING = ("did", "does", "do", "is", "was", "are", "were", "has", "can")
_LONGEST = 10
_CONTENT = frozenset({"NOUN", "PROPN", "VERB", "ADJ", "NUM", "ADV"})
_LEAST_CONTENT, _LEAST_ASKED, _MOST_ASKED = 3, 2, 7
_NEAR = 10.0
_HEAD, _LEMMA, _FUNCTION, _HELP, _TOPIC, _IN_PLACE, _LOWER, _MARK = 0.5, 0.3, 0.35, 0.4, 0.35, 0.2, 0.5, 0.7
_NAMES, _WHOLE = 0.55, 0.5
"""How often a name is asked for, and else a whole part of the sentence and not only a phrase's core."""
_WORDS = 0.75
_REWORDABLE = frozenset({"NOUN", "VERB", "ADJ", "ADV"})
_REWORDED = 0.35


@dataclass(frozen=True, slots=True)
class Cloze:
    """A question and the part of the text that answers it."""

    text: str
    answer: tuple[int, int]
    """The answer's first token in the document, and the one after its last."""
    sentence: tuple[int, int]
    """The same of the sentence that it stands in."""
    kind: str
    """spaCy's kind of name, empty for another noun phrase."""


def ask(doc: Any, chance: random.Random, synonyms: Synonyms | None = None) -> Cloze | None:
    """A question about `doc`, a `spacy.tokens.Doc`, if there is enough in one of its sentences to ask by.

    Some of its words but names and numbers give way to their `synonyms`.
    """
    names = list(_names(doc))
    phrases = [span for span in doc.noun_chunks if span.root.pos_ in ("NOUN", "PROPN")]
    parts = [span for span in map(_part, doc) if span is not None]
    for _ in range(4):
        others = parts if chance.random() < _WHOLE else phrases
        some = names if names and (not others or chance.random() < _NAMES) else others
        if not some:
            continue
        answer = chance.choice(some)
        sentence = answer.root.sent
        around = [token for token in sentence if not answer.start <= token.i < answer.end]
        content = [token for token in around if token.pos_ in _CONTENT and not token.is_stop]
        if len(content) >= _LEAST_CONTENT and _is_prose(sentence) and any(map(str.isalnum, answer.text)):
            return Cloze(
                text=_question(doc, answer, around, content, chance, synonyms),
                answer=_undetermined(answer),
                sentence=(sentence.start, sentence.end),
                kind=answer.root.ent_type_,
            )
    return None


def _names(doc: Any) -> Iterator[Any]:
    """The names of a text; places with commas between them (Paris, Texas) are one as well."""
    before = None
    for span in doc.ents:
        if not span.text.strip():
            continue
        yield span
        if (
            before is not None
            and span.label_ == before.label_ == "GPE"
            and _is_comma(doc[before.end : span.start])
        ):
            yield doc[before.start : span.end]
        before = span


def _is_comma(between: Any) -> bool:
    return bool(between.text == ",")


def _part(token: Any) -> Any:
    """What hangs on a token, if it is a part that can be asked for."""
    if token.dep_ not in _CLAUSES or token.pos_ == "PRON":
        return None
    start, end = token.left_edge.i, token.right_edge.i + 1
    return token.doc[start:end] if 1 < end - start <= _LONGEST else None


def _is_prose(sentence: Any) -> bool:
    """Whether most of it is words, as against code, tables and lists of numbers."""
    inked = [token for token in sentence if not token.is_space]
    return bool(sum(token.is_alpha for token in inked) >= _WORDS * len(inked))


def _undetermined(answer: Any) -> tuple[int, int]:
    """Without the article before it."""
    start = answer.start
    return (start + 1 if len(answer) > 1 and answer[0].pos_ == "DET" else start), answer.end


def _question(
    doc: Any,
    answer: Any,
    around: list[Any],
    content: list[Any],
    chance: random.Random,
    synonyms: Synonyms | None,
) -> str:
    number = chance.randint(_LEAST_ASKED, min(_MOST_ASKED, len(content)))
    keys = {
        token.i: -math.log(1.0 - chance.random()) * math.exp(abs(token.i - answer.root.i) / _NEAR)
        for token in content
    }  # the smallest of exponential times: drawn by weight (Efraimidis and Spirakis 2006)
    kept = set(sorted(keys, key=keys.__getitem__)[:number])
    words = [
        (token.i, _form(token, chance, synonyms))
        for token in around
        if token.i in kept or (_beside(token, kept) and chance.random() < _FUNCTION)
    ]
    asking = _asking(answer, chance)
    place = sum(i < answer.start for i, _ in words) if chance.random() < _IN_PLACE else 0
    parts = [word for _, word in words]
    if chance.random() < _HELP:
        asking = f"{asking} {chance.choice(_HELPING)}"
    parts.insert(place, asking)
    topic = _topic(doc, answer)
    if topic and topic not in parts and chance.random() < _TOPIC:
        parts.insert(chance.randint(1, len(parts)), topic)
    question = " ".join(" ".join(parts).split())
    if chance.random() < _LOWER:
        question = question.lower()
    return question + ("?" if chance.random() < _MARK else "")


def _form(token: Any, chance: random.Random, synonyms: Synonyms | None) -> str:
    is_rewordable = token.pos_ in _REWORDABLE and not token.ent_type_ and not token.is_stop
    if synonyms is not None and is_rewordable and chance.random() < _REWORDED:
        return synonyms.draw(token.text, chance)
    lemma: str = token.lemma_ or token.text
    return lemma if chance.random() < _LEMMA else token.text


def _beside(token: Any, kept: set[int]) -> bool:
    return token.pos_ not in _CONTENT and not token.is_punct and (token.i - 1 in kept or token.i + 1 in kept)


def _asking(answer: Any, chance: random.Random) -> str:
    kind = answer.root.ent_type_
    if kind in _ASKING:
        return chance.choice(_ASKING[kind])
    if len(answer) > 1 and answer.root.pos_ == "NOUN" and chance.random() < _HEAD:
        return f"{chance.choice(('which', 'what', 'what kind of'))} {answer.root.text}"
    return chance.choice(_CLAUSES.get(answer.root.dep_, _OTHERWISE))


def _topic(doc: Any, answer: Any) -> str:
    """The name that the text mentions most often, apart from the answer; the earliest of equals."""
    counts: dict[str, int] = {}
    for name in doc.ents:
        if name.label_ not in NUMBERS and name.text.lower() not in answer.text.lower():
            counts[name.text] = counts.get(name.text, 0) + 1
    return max(counts, key=counts.__getitem__) if counts else ""

"""A spaCy pipeline that knows a few sentences by heart, so that no trained one need be downloaded."""

from __future__ import annotations

from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

_TAGS = {
    "the": "DET",
    "a": "DET",
    "in": "ADP",
    "of": "ADP",
    "by": "ADP",
    "was": "AUX",
    "not": "PART",
    "Marie": "PROPN",
    "Curie": "PROPN",
    "Warsaw": "PROPN",
    "University": "PROPN",
    "Paris": "PROPN",
    "1867": "NUM",
    "born": "VERB",
    "taught": "VERB",
    "discovered": "VERB",
    "famous": "ADJ",
    "great": "ADJ",
    ".": "PUNCT",
    ",": "PUNCT",
}
_NAMES = {
    ("Marie", "Curie"): "PERSON",
    ("Warsaw",): "GPE",
    ("University", "of", "Paris"): "ORG",
    ("1867",): "DATE",
}


def pipeline() -> Language:
    """A pipeline with parts called `parser` and `ner` that annotate by the tables above."""
    nlp = spacy.blank("en")
    nlp.add_pipe("laconic_test_parser", name="parser")
    nlp.add_pipe("laconic_test_ner", name="ner")
    return nlp


@Language.component("laconic_test_parser")
def _parse(doc: Doc) -> Doc:
    """Flat sentences: a noun takes what stands before it along, everything hangs on the verb or last word."""
    for token in doc:
        token.pos_ = _TAGS.get(token.text, _TAGS.get(token.lower_, "NOUN"))
        token.lemma_ = token.lower_
        token.is_sent_start = token.i == 0 or doc[token.i - 1].text == "."
    for sentence in list(doc.sents):
        root = next((t for t in sentence if t.pos_ == "VERB"), sentence[-1])
        for token in sentence:
            _hang(token, root, sentence)
    return doc


def _hang(token: Any, root: Any, sentence: Span) -> None:
    token.head, token.dep_ = root, "ROOT" if token == root else "dep"
    if token.pos_ in ("NOUN", "PROPN"):
        token.dep_ = "nsubj"
        after = token.i + 1
        if after < sentence.end and token.doc[after].pos_ == "PROPN":
            token.head, token.dep_ = token.doc[after], "compound"
    elif token.pos_ in ("DET", "ADJ"):
        nouns = (t for t in token.doc[token.i : sentence.end] if t.pos_ in ("NOUN", "PROPN"))
        token.head, token.dep_ = next(nouns, root), "amod"


@Language.component("laconic_test_ner")
def _name(doc: Doc) -> Doc:
    found = []
    for words, label in _NAMES.items():
        size = len(words)
        found += [
            Span(doc, i, i + size, label)
            for i in range(len(doc) - size + 1)
            if tuple(token.text for token in doc[i : i + size]) == words
        ]
    doc.ents = tuple(sorted(found, key=lambda span: span.start))
    return doc

"""The words by which a prompt announces its context, its question and its answer.

Knows single lines and paragraphs; where they stand in the prompt is for others to judge.
"""

from __future__ import annotations

import re
from enum import Enum, auto

_QUESTION = r"""question|query|q(?=\ ?[:：])|(?:(?:user|human|follow[\ -]up)\ )(?:input|message|request|prompt)
    |frage|anfrage|nutzerfrage|pregunta|consulta|requête|domanda|pergunta|vraag|вопрос|запрос|pytanie|soru
    |问题|問題|提问|用户问题|質問|質問文|クエリ|질문|질의|사용자\ 질문"""
_ANSWER = r"""answer|response|reply|output|a(?=\ ?[:：])|summary|assistant|ai|chatbot|antwort|zusammenfassung|respuesta
    |réponse|risposta|resposta|antwoord|ответ|回答|答案|答え|要約|总结|답변|답|대답"""
_INSTRUCTION = r"""(?:original|existing|previous)\ answer|instructions?|tasks?|rules?|guidelines?|requirements
    |important\ notes?|anweisung(?:en)?|aufgabe|instrucciones|tarea|consignes?|istruzioni|инструкции|задача
    |指示|任务|要求|说明|지시(?:사항)?|작업"""
_CONTEXT = r"""contexts?|context\ information|documents|docs|sources|passages|excerpts|extracts|snippets|chunks|articles
    |references|evidence|results|knowledge(?:\ base)?|background|kontext|dokumente|quellen|textstellen
    |contexte|contexto|documentos|fragmentos|fuentes|contesto|documenti|fonti|контекст|документы|источники
    |上下文|背景|参考资料|参考文档|参考信息|资料|検索結果|文脈|コンテキスト|参考情報|資料|検索文書
    |문맥|컨텍스트|맥락|참고\ ?자료|참고\ ?문서|문서|검색\ ?결과"""
_LABEL = re.compile(
    rf"""(?P<mark>\#{{1,6}}\ *|\*\*|__)?\ ?
      (?:[^\W\d_]+(?:['’]s)?[ _-]){{0,3}}?
      (?:(?P<question>{_QUESTION})|(?P<answer>{_ANSWER})|(?P<instruction>{_INSTRUCTION})|(?P<context>{_CONTEXT}))
      (?:\ ?\([^()]{{0,60}}\))?
      (?:\*\*|__)?
      (?:\ ?[:：]\ *(?:\*\*|__)?|(?(mark)$|(?!)))""",
    re.VERBOSE | re.IGNORECASE,
)
_INLINE_QUESTION = re.compile(
    rf"(?<!\w)(?:{_QUESTION})(?:\ is)?(?:\ as\ follows)?\ ?[:：]\ *(?=\S)", re.VERBOSE | re.IGNORECASE
)
_INLINE_CUE = re.compile(rf"\ (?:\w+\ )?(?:{_ANSWER})\ ?[:：]$", re.VERBOSE | re.IGNORECASE)
_PASSAGES = r"(?:contexts?|documents|passages|sources|excerpts|extracts|search\ results|articles)"
_ANNOUNCEMENT = re.compile(
    rf"""\bfollowing\ (?:\w+\ ){{0,2}}(?:{_PASSAGES}\b|(?:pieces|parts|chunks|bits|snippets)\ of\ )
      | \b(?:{_PASSAGES}|context\ information)\b(?:\ \w+){{0,4}}\ below\b
      | \bbelow\ (?:is|are)\ (?:\w+\ ){{0,4}}{_PASSAGES}\b
      | \bhere\ (?:is|are)\ (?:\w+\ ){{0,4}}{_PASSAGES}\b
      | \b(?:based|only|use|using|from|given)\b[^.\n]{{0,60}}\ {_PASSAGES}\ ?:$
      | \bfolgende[nr]?\ (?:\w+\ )?(?:kontext|dokumente|textstellen|quellen|auszüge)
      | \bsiguientes?\ (?:\w+\ )?(?:contexto|fragmentos|documentos|fuentes)
      | \b(?:contexte|documents|extraits|passages)\ suivants?\b
      | 以下[のは是为]?[^。\n]{{0,12}}(?:上下文|内容|资料|文档|文脈|コンテキスト|情報|文書|資料)
      | 다음[^.\n]{{0,12}}(?:문맥|컨텍스트|맥락|문서|자료)""",
    re.VERBOSE | re.IGNORECASE,
)
_TASK = re.compile(
    r"""\b(?:answer|question|quer(?:y|ies)|respond|reply|summari[sz]e\b|frage|antwort|pregunta|respuesta|respond|répon)
      | 问|答|問|总结|要約|질문|답|요약""",
    re.VERBOSE | re.IGNORECASE,
)
_DIRECTION = re.compile(
    r"""(?:please|use|using|answer|respond|reply|if\ you|do\ not|don['’]t|always|never|you\ (?:are|must|should|can)
      |remember|cite|keep|provide|make\ sure|be|return|write|given\ the|based\ on|bitte|por\ favor|请|必ず)\b""",
    re.VERBOSE | re.IGNORECASE,
)
_LONGEST = 4000  # characters of a line that are searched


class Label(Enum):
    """What a line's first words announce."""

    QUESTION = auto()
    ANSWER = auto()
    INSTRUCTION = auto()
    CONTEXT = auto()


def label(line: str) -> tuple[Label, int] | None:
    """The label that a line begins with (`Question: …`, `**Context**`, `### Answer`) and how long it is."""
    if not (":" in line[:200] or "：" in line[:200] or line.startswith(("#", "**", "__"))):
        return None
    match = _LABEL.match(line, 0, 200)
    if match is None:
        return None
    return Label[(match.lastgroup or "").upper()], match.end()


def inline_question(text: str, start: int, end: int) -> int | None:
    """Where a question begins that is announced within a sentence of `text[start:end]`: `… the query: …`."""
    match = _INLINE_QUESTION.search(text, start, end)
    return match.end() if match else None


def without_cue(text: str, start: int, end: int) -> int:
    """`end`, or where a call for an answer begins that ends the line `text[start:end]`."""
    match = _INLINE_CUE.search(text, max(start, end - 60), end)
    return match.start() if match else end


def announces_context(line: str) -> bool:
    """Whether a line says that passages follow it."""
    return _ANNOUNCEMENT.search(line, 0, _LONGEST) is not None


def sets_task(line: str) -> bool:
    """Whether a line speaks of a question, of answering or of summing up."""
    return _TASK.search(line, 0, _LONGEST) is not None


def directs(line: str) -> bool:
    """Whether a line tells the reader what to do."""
    return _DIRECTION.match(line) is not None or sets_task(line)

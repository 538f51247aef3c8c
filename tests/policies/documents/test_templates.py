"""Prompts in the default templates of LangChain and LlamaIndex, as far as their build goes.

The instructions are shortened; what announces the context, what parts it from the rest, and the labels are
those of the templates.
"""

from __future__ import annotations

import pytest

from policies.documents import find, find_in_group
from tests.policies.documents.passages import AUTO, PASSAGES, QUESTION, contents, documents, heads, question

_CONTEXT = "\n\n".join(PASSAGES)
_NODES = tuple(f"page_label: {n}\nfile_path: docs/{n}.pdf\n\n{p}\n\n{p}" for n, p in enumerate(PASSAGES))
_DASHES = "-" * 12
_REFINE = (
    "The original {word} is as follows: {question}\nWe have provided an existing answer: A month.\n"
    "We have the opportunity to refine the existing answer (only if needed) with some more context below.\n"
    "------------\n{context}\n------------\n"
    "Given the new context, refine the original answer to better answer the {word}."
)
_QA = (
    "Context information{sources} is below.\n---------------------\n{context}\n---------------------\n"
    "Given the {what} and not prior knowledge, answer the query.\nQuery: {question}\nAnswer: "
)


@pytest.mark.parametrize(
    "template",
    [
        # LangChain: question_answering, stuff
        "Use the following pieces of context to answer the question at the end. Don't make up an answer.\n\n"
        "{context}\n\nQuestion: {question}\nHelpful Answer:",
        # LangChain hub: rlm/rag-prompt
        "You are an assistant for question-answering tasks. Use the following pieces of retrieved context to "
        "answer the question. Keep the answer concise.\nQuestion: {question} \nContext: {context} \nAnswer:",
        # LangChain: question_answering, refine, first and further steps
        "Context information is below. \n------------\n{context}\n------------\n"
        "Given the context information and not prior knowledge, answer the question: {question}\n",
        _REFINE.replace("{word}", "question"),
        # LlamaIndex: text_qa_template, tree_summarize_template
        _QA.replace("{sources}", "").replace("{what}", "context information"),
        _QA.replace("{sources}", " from multiple sources").replace("{what}", "information from multiple sources"),
        # LlamaIndex: refine_template, and as chat
        _REFINE.replace("{word}", "query") + "\nRefined Answer: ",
        "You are an expert Q&A system that strictly operates in two modes:\n1. **Rewrite** an original answer.\n"
        "2. **Repeat** the original answer if the new context isn't useful.\nWhen in doubt, just repeat it.\n"
        "New Context: {context}\nQuery: {question}\nOriginal Answer: A month.\nNew Answer: ",
        "New Context:\n---------------------\n{context}\n---------------------\n"
        "Query: {question}\nOriginal Answer: A month.\nNew Answer:",
        # Common ones of people's own
        "Answer based only on this context:\n{context}\n\nQuestion: {question}",
        "CONTEXT:\n{context}\n\nQUESTION:\n{question}\n\nANSWER (cite sources):",
        "Use the context below.\n\n### Context\n\n{context}\n\n### Question\n\n{question}\n\n### Answer",
        "Question:\n{question}\n\nContext:\n{context}",
        "**Context:** {context}\n\n**Question:** {question}",
        "Answer from the excerpts below.\n========\n{context}\n========\nUser question: {question}\nA:",
        "Beantworte die Frage mit dem folgenden Kontext.\n\n{context}\n\nFrage: {question}\nAntwort:",
        "다음 문맥을 사용하여 질문에 답하세요.\n\n{context}\n\n질문: {question}\n답변:",
        "根据以下上下文回答问题。\n\n{context}\n\n问题：{question}\n回答：",
    ],
)  # fmt: skip
def test_contents_joined_by_blank_lines(template: str) -> None:
    text = template.replace("{context}", _CONTEXT).replace("{question}", QUESTION)
    assert documents(text) == list(PASSAGES)
    assert question(text) == QUESTION
    text = template.replace("{context}", "\n\n".join(_NODES)).replace("{question}", QUESTION)
    assert documents(text) == list(_NODES)
    assert question(text) == QUESTION


@pytest.mark.parametrize(
    "system",
    [
        # LangChain: question_answering as chat; create_retrieval_chain; refine as chat
        f"Use the following pieces of context to answer the user's question. \nDon't guess.\n{_DASHES}\n{{context}}",
        "You are an assistant for question-answering tasks. Use the following pieces of retrieved context to answer "
        "the question. Keep the answer concise.\n\n{context}",
        "Context information is below.\n------------\n{context}\n------------\n"
        "Given the context information and not prior knowledge, answer any questions",
        # LlamaIndex: the chat engine that condenses a question
        "The following is a friendly conversation between a user and an AI assistant.\n\n"
        "Here are the relevant documents for the context:\n\n{context}\n\n"
        "Instruction: Based on the above documents, answer the user question below.",
    ],
)
def test_context_in_the_system_message(system: str) -> None:
    for passages in (PASSAGES, _NODES):
        texts = [system.replace("{context}", "\n\n".join(passages)), QUESTION]
        found = find_in_group(texts, ["system", "user"], AUTO)
        assert contents(texts[0], found[0]) == list(passages)
        assert found[0].question is None
        assert found[1].documents == ()


def test_langchain_with_sources() -> None:
    parts = [f"Content: {p}\nSource: {n}-pl" for n, p in enumerate(PASSAGES)]
    text = (
        "Given the following extracted parts of a long document and a question, create a final answer.\n\n"
        f"QUESTION: {QUESTION}\n=========\n" + "\n\n".join(parts) + "\n=========\nFINAL ANSWER:"
    )
    assert documents(text) == parts
    assert heads(text, find(text, AUTO))[1] == ["Content:", "Source: 1-pl"]
    assert question(text) == QUESTION


def test_llamaindex_with_citations() -> None:
    parts = [f"Source {n}:\n{p}" for n, p in enumerate(PASSAGES, 1)]
    text = (
        "Please provide an answer based solely on the provided sources. For example:\nSource 1:\nThe sky is red.\n"
        "Source 2:\nWater is wet.\nQuery: When is water wet?\nAnswer: When the sky is red [2].\n"
        "Now it's your turn. Below are several numbered sources of information:\n------\n"
        + "\n\n\n".join(parts)
        + f"\n\n------\nQuery: {QUESTION}\nAnswer: "
    )
    assert documents(text) == parts
    assert question(text) == QUESTION


def test_llamaindex_choosing_documents() -> None:
    parts = [f"Document {n}:\n{p}" for n, p in enumerate(PASSAGES, 1)]
    text = (
        "A list of documents is shown below. Example format: \nDocument 1:\n<summary of document 1>\n\n"
        "Document 2:\n<summary of document 2>\n\n...\n\nQuestion: <question>\nAnswer:\nDoc: 9, Relevance: 7\n\n"
        "Let's try this now: \n\n" + "\n\n".join(parts) + f"\nQuestion: {QUESTION}\nAnswer:\n"
    )
    assert documents(text) == parts
    assert question(text) == QUESTION


def test_llamaindex_excerpts() -> None:
    parts = [
        f"[Excerpt from document]\npage_label: {n}\nExcerpt:\n-----\n{p}" for n, p in enumerate(PASSAGES)
    ]
    text = _QA.format(
        sources="",
        context="\n-----\n\n".join(parts) + "\n-----",
        what="context information",
        question=QUESTION,
    )
    assert documents(text) == parts
    assert heads(text, find(text, AUTO))[0][0].startswith("[Excerpt from document]\npage_label: 0")

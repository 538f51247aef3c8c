"""Functional languages: Haskell, Elm, OCaml, F#, Lisp, Clojure, Erlang, Scala without braces."""

from __future__ import annotations

LINES = {
    "Haskell": r"""
      \{- | -\}$ | module\s+[A-Z][\w.]*(?:\s*\(.*|\s+where|\s+exposing\b.*)?$ | [a-z_(][\w',()]*\s+::\s
      | import\s+(?:qualified\s+)?[A-Z][\w.]*(?:\s+(?:as|hiding|exposing|qualified)\b.*|\s*\(.*)?$
      | (?:data|newtype|type|class|instance|deriving)\s+(?:[A-Z(].*(?:=|where$|=>)|instance\b)
      | deriving\s*[\s(A-Z]
      | [a-z_][\w']*(?=[^=]*\s(?:[\[(_"]|\w{1,2}\s))
        (?:\s+(?:[\w']+|\([^()]*+(?:\([^()]*+\)[^()]*+)*+\)|\[[^\]]*+\]|"[^"]*+")){1,8}\s*=\s\S
      | \|\s[^|=]*\s=\s | (?:case\s.*\sof|where|let|of)$ | \w+'?\s*<-\s | \\\w+(?:\s\w+)*\s*->
      | [\w']+\s.*(?:\$|<\$>|>>=|<>)\s.*
    """,
    "OCaml and F#": r"""
      let\s+(?:rec\s+|mutable\s+)?\w+.*= | match\s.*\swith$ | open\s+[A-Z][\w.]*$ | .*;;$ | \|\s*[\w_:]+.*->
      | (?:and|in|fun)\s+\w+.*(?:=|->)
    """,
    "Scala": r"""
      def\s+\w++(?:\[[^\]]*+\])?+(?:\([^()]*+\))*+(?:\s*+:\s*[\w\[\],.\s]+)?= | given\s+\w.*= | extension\s+[(\[\w]
      | import\s+[\w.]+\.(?:[*_]|given|\{.*\})(?:,.*)?$ | import\s+\w+\.\*$ | case\s.*=>
      | (?:yield|then|end)(?:\s*[({].*|\s+\w+)?$
    """,
    "Lisp": r"""
      \((?:def\w*[-*]?|define\b\S*|ns|let\*?|require|setq|lambda|fn|cond|if|when|loop|println|import|in-package)[\s(]
      | \(:\w+\s
    """,
    "Erlang": r"""
      -(?:module|export|import|define|record|include|behaviou?r|spec|type)\( | \w+\(.*\)\s*(?:when\s.*)?->
    """,
}

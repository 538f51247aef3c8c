"""What lines of program text look like, a table for each family of languages.

A table maps what a line is of to a verbose regular expression for the line's beginning, white space and line
numbers left out. A shape belongs here if a line of prose hardly ever begins so; what languages share stands in
the family that it is best known from. Lines have at most a few hundred characters, so that no shape can be slow.
"""

from __future__ import annotations

from policies.protection.languages import braces, functional, queries, reports, scripting, shells

TABLES = (
    braces.LINES,
    scripting.LINES,
    functional.LINES,
    shells.LINES,
    queries.LINES,
    reports.LINES,
)

ANY = "|".join(f"(?:{shape})" for table in TABLES for shape in table.values())
"""Matches the beginning of a line of any language, to be compiled with `re.VERBOSE`."""
PROMPT = f"{shells.PROMPT}|{reports.PANIC}"
"""Matches the beginning of a line after which a program speaks, such as what was typed in a terminal."""
DIFF = reports.DIFF
"""Matches the lines that come before the changed ones."""
EDIT = reports.EDIT
"""Matches a classic diff's commands."""

"""Short programs in many languages with comments that have words to lose, and with strings that look like comments."""

from __future__ import annotations

PROGRAMS = {
    "python": '''#!/usr/bin/env python
# Copyright 2019 The Bridge Authors, who keep all of their rights to this.
"""Counts the carts that cross the old bridge on any day of the long year.

The numbers come from a book in the town hall, and nobody knows who wrote them
down. Do not trust them before 1907.

Args:
    path (str): where the book lies, if somebody has brought it back by then.

    >>> count("the book") == 3 or count("another book that was not there")
"""
from os import path as place  # noqa: F401 somebody somewhere still reads it from here, they say

TEXT = "# not a comment, whatever it may look like to anybody who is in a hurry"
QUERY = dict(
    a="""
    # this is no comment and no docstring either, as it stands within brackets
    """,
    b=[
        \'\'\'nor is this one, which stands on a line of its own in the middle of a list\'\'\',
    ],
)
LONG = \\
    """and not this one, for the line before it goes on over the end of that line"""


class Cart:
    r"""A cart with \\d wheels that has crossed the bridge at least once in its life."""

    def cross(self, toll: float) -> str:  # type: ignore[no-untyped-def]
        # TODO(ann): the toll was raised by 3.5 % in the spring, and we should not
        # forget to ask the people at the bridge whether `toll` is the new one or the old one
        x = {"a": 1}  # a plain word or two about the number that stands on this line
        return f"{x['a']} # {toll!r}" + 'it\\'s' + "\\"# no"
''',
    "javascript": r"""/**
 * Adds the tolls of all of the carts that have crossed the bridge since the morning.
 * @param {number[]} tolls what each of the carts has paid, in the order in which they came
 * @returns {number} the sum of all of them, or nothing at all if there were none
 */
export function total(tolls) {
  // the sum is never rounded here, because the caller wants to do that for himself
  const pattern = /\/\/ not a comment ["'`]/g, half = tolls.length / 2 / 1;
  const text = `// not one ${tolls.map((t) => `<${t}>`)} either`; // but this one has words that can be lost
  const address = "https://example.com/a // b"; /* eslint-disable-line because of the long address there */
  return tolls.reduce((a, b) => a + b, 0) /* the initial value matters where the list is empty */ + 'it\'s'.length;
}
""",
    "typescript": r"""// Describes a cart by what is known of it when it comes near to the bridge in the morning.
export interface Cart { wheels: number; name?: string } // all of the other things are not known by then
// @ts-ignore because the types of that package have been wrong for many years now
const label = (c: Cart): string => c.name ?? `no // name`;
""",
    "go": r"""// Package bridge counts carts, and does it better than the people at the gate ever did.
package bridge

//go:generate stringer -type=Cart with some more words that nobody but the tool may read

/*
Count tells how many of the carts have crossed, without those that turned back
before they had come to the middle of the bridge.
*/
func Count(carts []string) int {
	s := `// a raw string, which goes on
// over the line's end`
	r, t := '"', "/* no comment */"
	_ = s // the string is only here to show what a string may look like in this language
	_, _ = r, t
	return len(carts) // not one of them is ever counted twice, or so they say
}
""",
    "sql": """-- All of the carts that have crossed the bridge, with the people who were on them.
CREATE TABLE carts (
  id INTEGER PRIMARY KEY, -- the number on the side of the cart, as far as anybody could read it
  name TEXT DEFAULT '-- none, and it''s /* not */ known' /* a name that somebody gave to it a long time ago */
);
SELECT /*+ INDEX(carts by_name and by nothing else at all, please) */ "na--me" FROM carts;
""",
    "c": r"""/* Keeps the books of the bridge, which are older than anybody who reads them now.
 * They were written by hand, so that 7 of them can't be read at all. */
#include <stdio.h>
#define TOLL 3 /* in the old coins, which are not made any longer */ + 1
char *text = "/* no comment */ // nor this \" one";
char quote = '"', slash = '\'';
int main(void) { // the only function there is, and the last one that there will be \
   as this comment goes on over the line's end, because of the sign there
    return 6 / 2 // * 3 and this is a comment with enough words in it to lose some
        ;
}
""",
    "java": r"""package bridge;

/** A toll that has been paid, in {@link Coin}s of the old kind, by the driver of a cart. */
public final class Toll {
    // the value is kept in the smallest coin there is, so that nothing is ever rounded
    private static final String TEXT = "// none";
    char c = '"'; /* the sign that begins and ends all of the strings in this language */
}
""",
    "rust": r"""//! Counts carts on the bridge, in a way that is safe even if two of them come at the same time.
use std::fmt;

/// A cart that lives for as long as the bridge does, and not for a single day longer.
struct Cart<'a> { name: &'a str, sign: char }

fn name<'a>(cart: &Cart<'a>) -> &'a str {
    let _quote = '"'; // a character that has to be told from the beginning of a string
    let _text = "// no comment"; /* but this one is, and it has words enough to lose a few */
    cart.name
}
""",
    "csharp": r"""using System;
/// <summary>Opens the gate of the bridge for all of the carts that have paid before.</summary>
class Gate {
    string path = @"C:\new\"; // the folder in which the pictures of all of the carts are kept
    string text = $"// {1 + 1}"; /* and here there is a number in the middle of a string */
}
""",
    "kotlin": '''/** Says who may cross the bridge at night, when there is nobody at the gate to ask. */
class Night(val name: String) { // the name is the one that was written down in the evening
    val text = """// none, and "quotes" in it"""
    val sign = '"' /* a sign that would begin a string if it stood there by itself */
}
''',
    "bash": """#!/bin/bash
# Counts all of the carts that have been seen at the bridge since the first of the month.
count=$# # the number of the words that were given to this script by whoever called it
echo "# not a comment, $count" '# nor is this one' \\# ${count#0}
""",
    "yaml": """# Where the bridge is, and who looks after it while all of the others are asleep.
bridge:
  name: "# not a comment" # the name that the people in the town have given to it
  keeper: it's ann#2 # the second one of that name, as the first one has left the town
""",
}
"""Each is valid in its language."""

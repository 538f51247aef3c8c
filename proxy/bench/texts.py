"""Made-up English of any length, the same each time. Knows no model and no measure."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

WORDS = (  # noqa: SIM905
    "the of and to in a is that for it as was with be by on not he his but at are this have from they which one you "
    "were all her she there would their we him been has when who will no more if out so up said what its about than "
    "into them can only other time new some could these two may first then do any like my now over such our man me "
    "even most made after also did many off before must well back through years much where your way down should "
    "because long each just state those people too mister how little good world make very year still see own work "
    "men day get here old life both between being under three never know same last another while us might great go "
    "come since against right came take used himself few house use place during high without again home around small "
    "however found part school thought went say general once upon war every left fact though water less public put "
    "almost hand enough far took head yet government system better set told nothing night end why called eyes find "
    "going look asked later point knew next city business give group toward young days let room word committee "
    "bridge budget river meeting report market question answer number price letter office engineer contract council "
    "measure result weather harbour library teacher station window garden account history project evidence machine "
    "language problem program service student company minister decision agreement discussion, proposal, estimate "
    "floodplain counterproposal unenforceable reconsidered Marchetti Okonkwo Thorvaldsen 3,450 2019 17.5 subcontractor "
    "scaffolding cofferdam embankment procurement indemnification tendering geotechnical Brzezinski decommissioned "
    "abutments surveyor's well-drained overspending misallocated piezometer 1,280,000 retrofitting, bypass turbidity"
).split()
QUESTION = (
    "What did the committee decide about the price of the new bridge, and who said that it will cost more?"
)
_PARAGRAPH = 6
"""Sentences of a paragraph."""

Count = Callable[[str], int]
"""Tokens of a text."""


def seeded(seed: float) -> random.Random:
    """The same draws each time."""
    return random.Random(seed)  # noqa: S311 (nothing is kept secret by it)


def prose(draw: random.Random, words: int) -> str:
    """So many words in sentences of 6 to 24 words and paragraphs of a few sentences."""
    parts: list[str] = []
    sentences = 0
    while words > 0:
        length = min(words, draw.randint(6, 24))
        sentence = " ".join(draw.choices(WORDS, k=length)).rstrip(",").capitalize()
        words -= length
        sentences += 1
        parts += [sentence, draw.choice("....?"), "\n\n" if sentences % _PARAGRAPH == 0 else " "]
    return "".join(parts[:-1])


def of_tokens(tokens: int, count: Count, draw: random.Random) -> str:
    """A text of about so many tokens."""
    seed = draw.random()
    words = max(1, round(tokens / _tokens_per_word(count)))
    text = prose(seeded(seed), words)
    words = max(1, round(words * tokens / max(count(text), 1)))
    return prose(seeded(seed), words)


def chat_messages(number: int, count: Count, seed: int = 0, longest: int = 300) -> list[str]:
    """Messages of 20 to `longest` tokens, short ones more often: lengths are spread evenly over their logarithm."""
    draw = seeded(seed)
    return [of_tokens(round(20 * (longest / 20) ** draw.random()), count, draw) for _ in range(number)]


def mixed(sizes: Sequence[int], number: int, draw: random.Random) -> Iterator[int]:
    """Sizes in random order, each half as often as the next smaller one."""
    ordered = sorted(sizes)
    weights = [2.0**-rank for rank in range(len(ordered))]
    shares = [weight / sum(weights) * number for weight in weights]
    rounded = [size for size, share in zip(ordered, shares, strict=True) for _ in range(round(share))]
    found = (rounded + ordered * number)[:number]
    draw.shuffle(found)
    yield from found


def _tokens_per_word(count: Count) -> float:
    text = prose(seeded(0), 400)
    return max(count(text), 1) / 400

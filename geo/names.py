"""People's names without a title in free text: given names, told from the names of places by what stands beside them."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

from geo.wordlists import (
    ALSO_WORDS,
    FIRST_NAMES,
    MEETING_WORDS,
    NOT_SURNAMES,
    PERSON_VERBS,
    PERSON_WORDS,
    PLACE_LEADS,
    PLACE_NAMES,
    PLACE_WORDS,
    SHORT_WORDS,
)

_TOKEN: Final = re.compile(r"[A-Za-z\u00c0-\u017f][\w\u2019']*(?:-[A-Za-z\u00c0-\u017f][\w\u2019']*)*")
_APOSTROPHES: Final = ("'", "\u2019")
_POSSESSIVES: Final = ("'s", "\u2019s")
# What people do, but other things too.
NO_SURE_VERBS: Final = frozenset({"is", "was", "has", "and", "had"})


class _Token(NamedTuple):
    start: int
    end: int
    text: str
    plain: str  # lower case, without a possessive
    possessive: bool

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()

    @property
    def name(self) -> str:
        """The part of a double-barrelled token that is looked up."""
        return self.plain.split("-")[0]


def find_names(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each person's name begins and ends.

    Examples
    --------
    >>> list(find_names("Chloe Smith was in Victoria Park"))
    [(0, 11)]
    """
    tokens = [_token(match) for match in _TOKEN.finditer(text)]
    shouted = text.isupper()
    i = 0
    while i < len(tokens):
        last = _name_at(text, tokens, i, shouted=shouted) if tokens[i].name in _GIVEN_NAMES else None
        if last is None:
            i += 1
            continue
        yield _begin(text, tokens, i), tokens[last].start + len(_unpossessed(tokens[last].text))
        i = last + 1


_GIVEN_NAMES: Final = FIRST_NAMES | ALSO_WORDS


def _token(match: re.Match[str]) -> _Token:
    text = match[0]
    plain = _unpossessed(text)
    return _Token(match.start(), match.end(), text, _without_accents(plain.lower()), plain != text)


def _unpossessed(text: str) -> str:
    if text.endswith(_APOSTROPHES):
        return text[:-1]
    return text[:-2] if text.endswith(_POSSESSIVES) else text


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    return "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))


def _begin(text: str, tokens: list[_Token], i: int) -> int:
    """Where a name begins: before it may stand the surname, in capitals and with a comma."""
    if i and tokens[i - 1].text.isupper() and len(tokens[i - 1].text) > 1:
        between = text[tokens[i - 1].end : tokens[i].start]
        if between.strip() == ",":
            return tokens[i - 1].start
    return tokens[i].start


def _name_at(text: str, tokens: list[_Token], i: int, *, shouted: bool) -> int | None:
    """Position of the last token of the name that begins at ``i``, or None when it is no person's name.

    In a text all in capitals a capital says nothing.
    """
    token = tokens[i]
    capital = token.capital and not shouted
    before = tokens[i - 1] if i and _touch(text, tokens[i - 1], token) else None
    if before is not None and ((before.plain in PLACE_LEADS and before.capital >= capital) or before.text == "removed"):
        return None
    last = i
    while last + 1 < len(tokens) and last - i < 2 and _goes_on(text, tokens, last, shouted=shouted):
        last += 1
    after = tokens[last + 1] if last + 1 < len(tokens) and _touch(text, tokens[last], tokens[last + 1]) else None
    named_place = any(one.plain in PLACE_WORDS for one in tokens[i + 1 : last + 1])
    followed = after is not None and (after.plain in PLACE_WORDS or (token.possessive and after.capital))
    if named_place or followed:
        return None
    context = _beside(text, tokens, i)
    if token.name in ALSO_WORDS and (last == i or not capital):
        return i if _surely_a_name(token, context, after, capital=capital) else None
    if not capital and token.possessive and not shouted:
        return None
    return last


def _beside(text: str, tokens: list[_Token], i: int) -> list[_Token]:
    """Up to two tokens right before, in the same sentence."""
    found: list[_Token] = []
    while i - len(found) > 0 and len(found) < 2 and _touch(text, tokens[i - len(found) - 1], tokens[i - len(found)]):
        found.insert(0, tokens[i - len(found) - 1])
    return found


def _goes_on(text: str, tokens: list[_Token], at: int, *, shouted: bool) -> bool:
    """Whether the next token carries the name on: a capitalised word right beside it."""
    this, following = tokens[at], tokens[at + 1]
    ordinary = following.plain in NOT_SURNAMES or (shouted and following.plain in PERSON_VERBS | SHORT_WORDS)
    return not this.possessive and this.capital and following.capital and not ordinary and _touch(text, this, following)


def _surely_a_name(token: _Token, context: list[_Token], after: _Token | None, *, capital: bool) -> bool:
    """Whether its neighbours say that a word which is also an ordinary one is a person's name."""
    if context and context[-1].plain in PERSON_WORDS:
        return True
    if token.possessive and after is not None and after.plain in PERSON_WORDS:
        return True
    if capital and any(one.plain in MEETING_WORDS for one in context[-2:]) and token.plain not in PLACE_NAMES:
        return True
    return capital and after is not None and after.plain in PERSON_VERBS - NO_SURE_VERBS


def _touch(text: str, first: _Token, second: _Token) -> bool:
    """Whether only blanks, or the stop of an initial, stand between two tokens."""
    between = text[first.end : second.start]
    return between.strip() == "" or (between.strip() == "." and len(first.text) == 1)

"""Words for probabilities, from a published scale and never from code."""

from dataclasses import dataclass
from datetime import date

from geo.errors import InvalidParameter


@dataclass(frozen=True)
class Term:
    """A word of the scale, the phrase that puts it before a place, and the probability it stays below."""

    term: str
    phrase: str
    below: float


@dataclass(frozen=True)
class Yardstick:
    """A scale in force from a day on; ``terms`` rise.

    Raises
    ------
    InvalidParameter
        When the terms do not rise from zero to one.
    """

    name: str
    valid_from: date
    source: str
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        """Refuse a scale that leaves a probability without a word."""
        limits = [term.below for term in self.terms]
        if not limits or limits != sorted(set(limits)) or limits[0] <= 0 or limits[-1] <= 1:
            raise InvalidParameter(f"The scale {self.name!r} does not cover every probability once.")

    def term(self, probability: float) -> Term:
        """Return the term of a probability, 0 to 1."""
        if not 0 <= probability <= 1:
            raise InvalidParameter(f"{probability} is not a probability.")
        return next(term for term in self.terms if probability < term.below)

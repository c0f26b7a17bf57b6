"""What is said of places and hot areas, to whom."""

from collections.abc import Mapping
from typing import Any

from data.reference_data import yardstick
from geo.disclosure import THRESHOLDS
from geo.fields import MAX_TEXT
from geo.model import AREA, ComparedWith, Place, Profile, Run
from geo.narrative import lower_bound, span_words, when_and_doubt
from geo.sentences import place_sentence
from geo.temporal import LONDON, from_micros


def place_words(place: Place, run: Run, profile: Profile = Profile.OPERATIONAL) -> str:
    """Say in plain sentences why a place is listed; probability words are those in force on the day of the analysis."""
    threshold = THRESHOLDS[profile]
    if threshold:
        return lower_bound(place.evidence, place.records // threshold.records * threshold.records)
    return _words(place.evidence, place, run)


def area_words(evidence: Mapping[str, Any], place: Place | None, run: Run) -> str:
    """Say the same of a hot area, with the place in it that stands first."""
    return _words(evidence, place, run)


def _words(evidence: Mapping[str, Any], place: Place | None, run: Run) -> str:
    if run.summary.get("compared_with") == ComparedWith.EFFORT and place is not None:
        evidence = {**evidence, "rate_ratio": None}  # of what looking found alone, and the reports are all
    scale = yardstick(from_micros(run.generated_at_us).astimezone(LONDON).date())
    # Text fields of GIS formats are short: the candidates go first, for they have fields of their own; doubt goes last.
    for named, doubts in ((2, True), (1, True), (0, True), (1, False), (0, False)):
        sentence = place_sentence(
            evidence,
            kind=place.kind if place else AREA,
            name=evidence.get("found_name", place.name) if place else None,
            probability=place.probability if place else None,
            alternatives=place.alternatives if place else (),
            yardstick=scale,
            named=named,
        )
        words = f"{sentence} {when_and_doubt(evidence) if doubts else span_words(evidence) + '.'}"
        if len(words) <= MAX_TEXT:
            break
    return words

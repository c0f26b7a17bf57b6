"""What is said of a place, to whom."""

from data.reference_data import yardstick
from geo.disclosure import THRESHOLDS
from geo.model import Place, Profile, Run
from geo.narrative import lower_bound, when_and_doubt
from geo.sentences import place_sentence
from geo.temporal import LONDON, from_micros


def place_words(place: Place, run: Run, profile: Profile = Profile.OPERATIONAL) -> str:
    """Say in plain sentences why a place is listed; probability words are those in force on the day of the analysis."""
    threshold = THRESHOLDS[profile]
    if threshold:
        return lower_bound(place.evidence, place.records // threshold.records * threshold.records)
    sentence = place_sentence(
        place.evidence,
        kind=place.kind,
        name=place.name,
        probability=place.probability,
        alternatives=place.alternatives,
        yardstick=yardstick(from_micros(run.generated_at_us).astimezone(LONDON).date()),
    )
    return f"{sentence} {when_and_doubt(place.evidence)}"

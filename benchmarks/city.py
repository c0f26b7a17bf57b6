"""A city of points for the benchmarks: snapped stacks, dense spots and open land, as police files have them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SNAPPED, SPOTTED = 0.4, 0.3
EAST_M, NORTH_M = 350_000.0, 150_000.0
KINDS = np.array(["anti-social behaviour", "violence", "drugs", "missing", "theft"])
SENTENCES_A_NOTE = 4
SENTENCES = np.array(
    """
Group of young people by the swings, left when staff came over.
The park was quiet and nobody was about until after dark.
Car parked across the entrance with its lights off for twenty minutes.
Two adults in a silver hatchback, windows tinted, engine running.
Cannabis smell on the stairwell, windows open on the second floor.
The back room is let by the hour and paid for in cash.
Shutter half down, music from inside, door locked when we knocked.
Different cars each night, blinds always down, lights on until late.
Young people said they are given food and cigarettes here.
The lighting in the underpass is out again, reported to the council.
Bench by the pavilion moved into the bushes, bottles underneath.
Taxi waited at the corner and drove off without a fare.
The till camera was switched off at the time of the visit.
Girls in school uniform seen outside the shop during lessons.
The manager was helpful and will keep the recordings for a month.
No signing-in book at the desk, staff did not know the rule.
Litter and canisters by the bins, cleared by the morning team.
A bicycle without lights went round the block several times.
Neighbours hear shouting at weekends but did not want to be named.
The bus shelter has been broken and there is glass on the ground.
Talked to three pupils who said they come here to charge their phones.
One of them had a new coat and would not say who bought it.
The gate to the allotments was open although it should be locked.
Staff at the takeaway said the same group comes most evenings.
Older man offered a lift, they refused and walked home together.
Shop sells single cigarettes, trading standards have been told.
The flat above has its own entrance from the yard behind.
Nothing seen on a second visit, all calm, a few dog walkers.
People waiting in the stairwell went upstairs when they saw us.
A van was seen here and again near the station an hour later.
They were picked up from the car park by a driver they seemed to know.
The door at the rear leads to a corridor with several rooms.
The area feels unsafe after dark, says the residents' group.
Security asked them to leave the arcade, they moved to the steps.
Graffiti on the wall of the youth club, removed within the week.
The licence allows opening until eleven, it was open well after that.
Counter staff could not tell how old the customers were.
Footpath overgrown, sight lines poor, needs cutting back.
One person seemed upset and was offered support, which they declined.
Will return with the detached team at the end of the week.
""".strip().splitlines()
)


@dataclass(frozen=True)
class City:
    """How dense a city is for each hundred thousand rows: its side, its snap points, its spots and how wide these are."""

    extent_m: float = 20_000.0
    snap_points: int = 1_000
    spots: int = 30
    spread_m: float = 60.0


WIDE, DENSE = City(), City(extent_m=10_000.0, snap_points=200, spots=20, spread_m=30.0)


def points(rows: int, city: City = WIDE, *, seed: int = 1) -> tuple[Floats, Floats]:
    """Eastings and northings in no order: 40 % on snap points, 30 % in spots, 30 % anywhere; as dense for any number of rows."""
    rng = np.random.default_rng(seed)
    snapped, spotted = int(rows * SNAPPED), int(rows * SPOTTED)
    share = rows / 100_000
    extent_m = city.extent_m * share**0.5
    snaps = rng.uniform(0, extent_m, (max(round(city.snap_points * share), 1), 2))
    middles = rng.uniform(0, extent_m, (max(round(city.spots * share), 1), 2))
    parts = [
        snaps[rng.integers(0, len(snaps), snapped)],
        middles[rng.integers(0, len(middles), spotted)] + rng.normal(0, city.spread_m, (spotted, 2)),
        rng.uniform(0, extent_m, (rows - snapped - spotted, 2)),
    ]
    x_m, y_m = rng.permutation(np.concatenate(parts)).T
    return x_m + EAST_M, y_m + NORTH_M


def write_csv(path: Path, rows: int, *, seed: int = 1, notes: bool = False) -> Path:
    """A file of incidents of two years at such points, to six decimals of a degree, a hundredth of them without a position.

    Its words are short: a reference, a time and a kind. With ``notes`` each row has one of four plain sentences, most of them unlike all others.
    """
    import pandas as pd
    import pyproj

    rng = np.random.default_rng(seed)
    x_m, y_m = points(rows, seed=seed)
    lon, lat = pyproj.Transformer.from_crs(27700, 4326, always_xy=True).transform(x_m, y_m)
    minute = rng.integers(0, 2 * 365 * 24 * 60, rows).astype("timedelta64[m]")
    frame = pd.DataFrame(
        {
            "id": [f"R{i:07d}" for i in range(rows)],
            "date": np.datetime_as_string(np.datetime64("2024-01-01T00:00") + minute, unit="m"),
            "longitude": lon,
            "latitude": lat,
            "kind": rng.choice(KINDS, rows),
        }
    )
    if notes:
        chosen = SENTENCES[rng.integers(0, len(SENTENCES), (rows, SENTENCES_A_NOTE))]
        frame["notes"] = [" ".join(one) for one in chosen.tolist()]
    frame.loc[::100, ["longitude", "latitude"]] = np.nan
    frame.to_csv(path, index=False, float_format="%.6f")
    return path

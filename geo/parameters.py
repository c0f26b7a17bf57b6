"""What an analysis was asked for, and the name that it has by its content."""

import json
import math
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from geo.errors import InvalidParameter
from geo.model import MIN_VEHICLES, SHARED_RESOLUTION, ClusterAlgorithm, ComparedWith, RecordKind, content_hash
from geo.view import EARLIEST, LATEST

# No coordinate is known to less.
LEAST_EPS_M: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class AnalysisParameters:
    """Everything an analysis was asked for; stored with the run and hashed into its id.

    Parameters
    ----------
    date_from, date_to : date or None
        Inclusive Europe/London dates from 1900 to 2199, as those of a view; a record matches when its midpoint lies inside.
    record_kinds : tuple of str
        Record kinds that count as evidence of a place.
    categories : tuple of str
        Keep only these values of ``category``; empty keeps all.
    resolution : int
        H3 resolution of the cells.
    eps_m, min_weight : float
        DBSCAN radius in metres and core threshold in records.
    area : str or None
        Name of an imported boundary or area; None studies the surroundings of what was observed.
    footprint_resolution : int
        H3 resolution of place footprints, whatever that of the cells: places are known again by their footprints.
    max_place_width_m : float
        A wider cluster is an area, not one place.
    compared_with : str
        What counts are compared with: ground inside the area, every cell alike, all stored records, premises, buildings,
        or hours of outreach (then only what outreach found is counted).
    alpha : float
        Level of the tests.
    simulations : int
        Of the scan.
    harm_weights : tuple of (str, float)
        Weight of a record of a category in the order of places; 1 where it is not named.
    min_vehicles : int
        Distinct vehicles, or groups of reports, without which no route and no shared-vehicle link is shown.
    algorithm : str
        Who computes the clusters; the labels are the same.

    Raises
    ------
    InvalidParameter
        Naming every parameter that is outside its meaning.

    Examples
    --------
    >>> AnalysisParameters(eps_m=100).eps_m
    100
    """

    date_from: date | None = None
    date_to: date | None = None
    record_kinds: tuple[str, ...] = (RecordKind.INCIDENTS, RecordKind.OBSERVATIONS)
    categories: tuple[str, ...] = ()
    resolution: int = 9
    eps_m: float = 150.0
    min_weight: float = 5.0
    area: str | None = None
    footprint_resolution: int = 11
    max_place_width_m: float = 500.0
    crs_epsg: int = 27700
    compared_with: str = ComparedWith.AREA
    alpha: float = 0.05
    simulations: int = 999
    harm_weights: tuple[tuple[str, float], ...] = ()
    min_vehicles: int = MIN_VEHICLES
    algorithm: str = ClusterAlgorithm.GRID

    def __post_init__(self) -> None:
        """Gather every problem before refusing."""
        problems = self._date_problems()
        if not 5 <= self.resolution <= 12:
            problems.append(f"resolution {self.resolution} is outside 5..12")
        if not LEAST_EPS_M <= self.eps_m <= 5000:
            problems.append(f"eps_m {self.eps_m:g} is outside {LEAST_EPS_M:g}..5000 metres")
        if not 0 < self.min_weight < 1e6:
            problems.append(f"min_weight {self.min_weight:g} must be positive")
        if unknown := sorted(set(self.record_kinds) - set(RecordKind)):
            problems.append(f"unknown record kinds {', '.join(unknown)}")
        if not self.record_kinds:
            problems.append("no record kind is chosen")
        if not MIN_VEHICLES <= self.min_vehicles <= 100:
            problems.append(
                f"min_vehicles {self.min_vehicles} is outside {MIN_VEHICLES}..100: the ways of fewer are nobody's to see"
            )
        if self.algorithm not in set(ClusterAlgorithm):
            problems.append(f"unknown algorithm {self.algorithm!r}; choose {', '.join(ClusterAlgorithm)}")
        problems += self._statistical_problems()
        if problems:
            raise InvalidParameter("; ".join(problems) + ".")

    def _date_problems(self) -> list[str]:
        problems = []
        if self.date_from and self.date_to and self.date_from > self.date_to:
            problems.append(f"--from {self.date_from} is after --to {self.date_to}")
        for name, day in (("--from", self.date_from), ("--to", self.date_to)):
            if day and not EARLIEST <= day <= LATEST:
                problems.append(f"{name} {day} is outside {EARLIEST} to {LATEST}")
        return problems

    def _statistical_problems(self) -> list[str]:
        problems = []
        if self.compared_with not in set(ComparedWith):
            problems.append(f"counts cannot be compared with {self.compared_with!r}; choose {', '.join(ComparedWith)}")
        if not 0 < self.alpha < 0.5:
            problems.append(f"alpha {self.alpha:g} is outside 0..0.5")
        if not 19 <= self.simulations <= 99_999:
            problems.append(f"simulations {self.simulations} is outside 19..99999")
        elif 0 < self.alpha < 0.5 and self.alpha * (self.simulations + 1) < 1 - 1e-9:
            problems.append(
                f"with {self.simulations} simulations no p-value falls to {self.alpha:g}; take {math.ceil(1 / self.alpha) - 1:,} or more"
            )
        if bad := [f"{category}={weight:g}" for category, weight in self.harm_weights if not 0 <= weight <= 1000]:
            problems.append(f"weight {bad[0]} is outside 0..1000")
        return problems

    @property
    def shared_resolution(self) -> int:
        """The one H3 resolution that every audience outside operations gets, whatever the run's own."""
        return SHARED_RESOLUTION

    @classmethod
    def from_json(cls, text: str) -> "AnalysisParameters":
        """Read what :meth:`as_json` wrote."""
        plain = json.loads(text)
        for name in ("date_from", "date_to"):
            plain[name] = date.fromisoformat(plain[name]) if plain[name] else None
        for name in ("record_kinds", "categories"):
            plain[name] = tuple(plain[name])
        plain["harm_weights"] = tuple((category, weight) for category, weight in plain.get("harm_weights", ()))
        return cls(**plain)

    def as_json(self) -> str:
        """Return canonical JSON text: sorted keys, numbers as floats where they are measures."""
        plain = asdict(self)
        plain["date_from"] = self.date_from.isoformat() if self.date_from else None
        plain["date_to"] = self.date_to.isoformat() if self.date_to else None
        plain["record_kinds"] = sorted(str(kind) for kind in self.record_kinds)
        plain["categories"] = sorted(self.categories)
        for name in ("eps_m", "min_weight", "max_place_width_m", "alpha"):
            plain[name] = float(plain[name])
        plain["compared_with"] = str(self.compared_with)
        plain["algorithm"] = str(self.algorithm)
        plain["harm_weights"] = sorted([category, float(weight)] for category, weight in self.harm_weights)
        return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def run_id(*, parameters: AnalysisParameters, input_hashes: tuple[str, ...], code_version: str, seed: int) -> str:
    """Name a run by its content: parameters, sorted file hashes, code version and seed."""
    return content_hash(parameters.as_json(), *sorted(input_hashes), code_version, str(seed))

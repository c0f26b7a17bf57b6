"""How often records speak of each kind of place, learnt from the records themselves, from a stated starting point."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.attribution import Stated, weigh
from geo.model import UNATTRIBUTED
from geo.place_shapes import CROWD
from geo.reference import Reference

# The starting prior counts like so many records.
PSEUDO_RECORDS: Final = 200.0
# A coarser position names no building, so that learning from it would unlearn them.
MAX_PRECISION_M: Final = 50.0
# Moved positions name no building anyhow, and tell parks from streets.
MAX_SNAPPED_M: Final = 100.0
_ROUNDS: Final = 50
_STEADY: Final = 1e-4


@dataclass(frozen=True)
class Shares:
    """Shares of the kinds of place among records, and among those whose positions were moved to map points."""

    plain: dict[str, float]
    snapped: dict[str, float]


def learn_shares(stated: Stated, reference: Reference) -> Shares:
    """Learn both from distinct positions; where there are none, the reference's own shares stay."""
    finely = ~stated.snapped & (stated.precision_m <= MAX_PRECISION_M)
    moved = stated.snapped & (stated.precision_m <= MAX_SNAPPED_M)
    return Shares(
        _learn(stated.take(np.flatnonzero(finely)), reference, reference.mass),
        _learn(stated.take(np.flatnonzero(moved)), reference, reference.snapped_mass),
    )


def _learn(stated: Stated, reference: Reference, mass: NDArray[np.float64]) -> dict[str, float]:
    """Shares of the kinds of place among records, by expectation-maximisation.

    Notes
    -----
    Maximum a posteriori of the mixing shares of a finite mixture whose components are known densities (Dempster, Laird and
    Rubin 1977), from the reference's own shares as the mean of a Dirichlet prior that counts like ``PSEUDO_RECORDS``; the likelihood is
    concave in the shares, so that the starting point does not matter. Order of rows does not matter.
    """
    groups = sorted(set(reference.groups[mass > 0].tolist()))
    names = [*groups, UNATTRIBUTED]
    begin = np.asarray([*(mass[reference.groups == group].sum() for group in groups), 0.0])
    begin[-1] = 1.0 - begin.sum()
    densities = _densities(stated, reference, groups, mass)
    if not len(densities):
        return dict(zip(names, begin.tolist(), strict=True))
    share = begin.copy()
    for _ in range(_ROUNDS):
        weighed = densities * share
        weighed /= weighed.sum(axis=1, keepdims=True)
        new = (weighed.sum(axis=0) + PSEUDO_RECORDS * begin) / (len(densities) + PSEUDO_RECORDS)
        moved, share = float(np.abs(new - share).max()), new
        if moved < _STEADY:
            break
    return dict(zip(names, (share / share.sum()).tolist(), strict=True))


def _densities(
    stated: Stated, reference: Reference, groups: list[str], mass: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Density of each position under each group of kinds, and under none of them; shape (n, groups + 1)."""
    own = {group: i for i, group in enumerate(groups)}
    columns = np.asarray([own.get(group, -1) for group in reference.groups.tolist()], np.int64)
    held = columns >= 0
    total = np.bincount(columns[held], mass[held], minlength=len(groups))
    found = np.zeros((len(stated.points_m), len(groups) + 1))
    found[:, -1] = 1.0 / reference.area_m2
    for rows, weighed in weigh(stated, reference):
        named = (weighed.feature != CROWD) & held[weighed.feature]
        slot = weighed.point[named] * len(groups) + columns[weighed.feature[named]]
        summed = np.bincount(slot, weighed.weight[named], minlength=len(rows) * len(groups))
        found[rows, :-1] = summed.reshape(len(rows), len(groups)) / np.maximum(total, 1e-12)
    return found

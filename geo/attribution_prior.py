"""How often records speak of each kind of place, learnt from the records themselves, from a stated starting point."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from geo.attribution import Stated, weigh
from geo.model import UNATTRIBUTED
from geo.place_kinds import PRIOR
from geo.place_shapes import CROWD
from geo.reference import Reference

# The starting prior counts like so many records.
PSEUDO_RECORDS: Final = 200.0
# A coarser position names no building, so that learning from it would unlearn them.
MAX_PRECISION_M: Final = 50.0
_ROUNDS: Final = 50
_STEADY: Final = 1e-4


def learn_prior(stated: Stated, reference: Reference, *, start: Mapping[str, float] = PRIOR) -> dict[str, float]:
    """Shares of the kinds of place among records, by expectation-maximisation.

    Parameters
    ----------
    stated : Stated
        Distinct positions: a thousand records on one coordinate teach no more than one. Snapped and coarse ones are left out.
    reference : Reference
    start : mapping
        Prior that counts like ``PSEUDO_RECORDS`` records (a Dirichlet distribution's mean).

    Returns
    -------
    dict
        Group of kinds to share; kinds that were not imported keep nothing of their own, their share is ``unattributed``.

    Notes
    -----
    Maximum a posteriori of the mixing shares of a finite mixture whose components are known densities (Dempster, Laird and
    Rubin 1977); the likelihood is concave in the shares, so that the starting point does not matter. Order of rows does not
    matter.
    """
    groups = sorted(set(reference.groups.tolist()))
    names = [*groups, UNATTRIBUTED]
    begin = np.asarray([*(start[group] for group in groups), 0.0])
    begin[-1] = 1.0 - begin.sum()
    learnable = np.flatnonzero(~stated.snapped & (stated.precision_m <= MAX_PRECISION_M))
    densities = _densities(stated.take(learnable), reference, groups)
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


def _densities(stated: Stated, reference: Reference, groups: list[str]) -> np.ndarray:
    """Density of each position under each group of kinds, and under none of them; shape (n, groups + 1)."""
    own = {group: i for i, group in enumerate(groups)}
    columns = np.asarray([own[group] for group in reference.groups.tolist()], np.int64)
    mass = np.bincount(columns, reference.mass, minlength=len(groups))
    found = np.zeros((len(stated.points_m), len(groups) + 1))
    found[:, -1] = 1.0 / reference.area_m2
    for rows, weighed in weigh(stated, reference):
        named = weighed.feature != CROWD
        slot = weighed.point[named] * len(groups) + columns[weighed.feature[named]]
        summed = np.bincount(slot, weighed.weight[named], minlength=len(rows) * len(groups))
        found[rows, :-1] = summed.reshape(len(rows), len(groups)) / np.maximum(mass, 1e-12)
    return found

"""The order in which places are listed, and the components it is made of."""

from typing import Any, Final

RECENCY_HALF_LIFE_DAYS: Final = 180.0


def score(evidence: dict[str, Any]) -> dict[str, float]:
    """Score components of a place and their product.

    Parameters
    ----------
    evidence : dict
        As made by :func:`geo.evidence.summarise`, and ``weight``: its records by their grade and harm.

    Returns
    -------
    dict
        ``weight`` (of its records), ``recency`` (halves every 180 days since the last record), ``corroboration`` (1 with
        two or more sources, 0.5 with one: the same source n times is one source) and ``score``, their product.

    Notes
    -----
    A listing order for people to check, not a measure of danger. Rates, expectations and tests come from the
    statistics, which this does not pretend to be.

    Examples
    --------
    >>> score({"weight": 10, "recency_days": 0, "sources": 2})["score"]
    10.0
    """
    recency = 0.5 ** (evidence["recency_days"] / RECENCY_HALF_LIFE_DAYS)
    corroboration = 1.0 if evidence["sources"] > 1 else 0.5
    total = evidence["weight"] * recency * corroboration
    parts = {
        "weight": float(evidence["weight"]),
        "recency": recency,
        "corroboration": corroboration,
        "score": total,
    }
    return {name: float(f"{value:.6g}") for name, value in parts.items()}

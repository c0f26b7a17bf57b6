"""The one way out. ``release`` is the only maker of ``ReleasedLayer``, and nothing else may be drawn or exported."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.cells import cell_number, resolutions
from geo.errors import DisclosureError
from geo.field import Field, FieldType
from geo.fields import DICTIONARY_VERSION, MAX_TEXT, fields_for
from geo.model import MIN_VEHICLES, FeatureKind, Layer, Profile, Run
from geo.parameters import AnalysisParameters
from geo.place_kinds import is_residential
from geo.temporal import from_micros

MARKING: Final = "OFFICIAL-SENSITIVE"
SYNTHETIC_NOTICE: Final = "SYNTHETIC DATA. No real place, person or event."
COORDINATE_DECIMALS: Final = 6

# Control columns: read here to decide, and never released under these names unless the field table says so.
_CONTROL: Final = frozenset({"id", "records", "days", "months", "month_only", "decision", "kind", "name"})
_COUNTED: Final = frozenset({Layer.CELLS, Layer.PLACES, Layer.MAP})
_SEAL: Final = object()


@dataclass(frozen=True)
class Threshold:
    """What a feature must rest on before an audience may see it."""

    records: int
    days: int
    months: int


THRESHOLDS: Final[Mapping[Profile, Threshold | None]] = {
    Profile.OPERATIONAL: None,
    Profile.PARTNER: Threshold(records=5, days=3, months=2),
    Profile.PUBLIC: Threshold(records=10, days=3, months=2),
}


@dataclass(frozen=True, eq=False)
class ReleasedLayer:
    """A layer that has passed disclosure control. Only :func:`release` can make one.

    Parameters
    ----------
    layer : Layer
    profile : Profile
    fields : tuple of Field
        Columns, in order.
    features : DataFrame
        ``id`` and one column a field, ordered by id (reference layers: by position).
    geometry : ndarray of shapely geometry, shape (n,)
        WGS 84.
    metadata : dict
        Marking, run, profile, times and the number of features suppressed: travels with every output.
    """

    layer: Layer
    profile: Profile
    fields: tuple[Field, ...]
    features: pd.DataFrame
    geometry: NDArray[np.object_]
    metadata: Mapping[str, Any]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        """Refuse anything that ``release`` did not make."""
        if seal is not _SEAL:
            raise TypeError("a ReleasedLayer is made by geo.disclosure.release only")

    def __len__(self) -> int:
        """Return the number of features."""
        return len(self.features)


def release(
    layer: Layer,
    features: pd.DataFrame,
    geometry: NDArray[np.object_],
    *,
    run: Run,
    profile: Profile,
    synthetic: bool = False,
) -> ReleasedLayer:
    """Decide what of a layer an audience may have.

    Parameters
    ----------
    layer : Layer
    features : DataFrame
        ``id``, the layer's fields for the audience, and for counted layers ``records, days, months, month_only``.
    geometry : ndarray of shapely geometry, shape (n,)
        WGS 84; cell outlines, never a hull or a record's point.
    run : Run
    profile : Profile
        ``operational``: everything. ``partner``: at least 5 records on at least 3 distinct days (records dated by month
        only: at least 2 months). ``public``: at least 10 records, the same days. Both get the one shared resolution.
    synthetic : bool
        Watermark the layer as made-up data.

    Raises
    ------
    DisclosureError
        When a column is not in the allow-list, a field is missing, or the audience may not have the layer.

    Notes
    -----
    The number suppressed counts *features*, never records, and study-area cells without any record are suppressed
    like those below the threshold, so that it does not say which is which. Outside operations the counts of places
    are rounded down to the threshold, so that a cell minus a place says nothing.
    """
    fields = fields_for(layer, profile)
    if not fields:
        raise DisclosureError(f"The {layer} layer is for the operational audience only.")
    known = {field.name for field in fields} | _CONTROL
    if unknown := sorted(set(features.columns) - known):
        raise DisclosureError(
            f"Column {unknown[0]!r} is not in the field dictionary of {layer} for {profile}; it cannot leave."
        )
    _check_content(layer, features, run, profile)
    keep = _keep(layer, features, profile)
    kept, shapes = features[keep].copy(), np.asarray(geometry, dtype=object)[keep]
    if layer is not Layer.REFERENCE:
        order = np.argsort(kept["id"].to_numpy(str), kind="stable")
        kept, shapes = kept.iloc[order], shapes[order]
    kept = kept.reset_index(drop=True)
    if profile is not Profile.OPERATIONAL:
        kept = _coarsen(kept, layer, profile)
    marking = MARKING + (" (SYNTHETIC)" if synthetic else "")
    generated = from_micros(run.generated_at_us).date().isoformat()
    kept = kept.assign(marking=marking, profile=str(profile), run=run.run_id, generated=generated)
    if missing := [field.name for field in fields if field.name not in kept.columns]:
        raise DisclosureError(f"The {layer} layer lacks its field {missing[0]!r}.")
    table = pd.concat([kept[["id"]], *(_typed(kept[field.name], field) for field in fields)], axis=1)
    metadata = _metadata(layer, run, profile, marking, int((~keep).sum()), synthetic)
    return ReleasedLayer(layer, profile, fields, table, shapely.orient_polygons(shapes), metadata, _SEAL)


def _keep(layer: Layer, features: pd.DataFrame, profile: Profile) -> NDArray[np.bool_]:
    """Whether the audience may have each feature."""
    if layer not in _COUNTED:
        return np.ones(len(features), bool)
    keep = _passes(features, THRESHOLDS[profile])
    if layer is Layer.PLACES and profile is not Profile.OPERATIONAL:
        keep &= (features["decision"] != "reject").to_numpy(bool)
    return keep


def _check_content(layer: Layer, features: pd.DataFrame, run: Run, profile: Profile) -> None:
    """Refuse what no audience may have, whoever asks: protected places, and cells of another resolution."""
    wanted = {
        Layer.CELLS: {"id", "records", "days", "months", "month_only", "cell"},
        Layer.PLACES: {"id", "records", "days", "months", "month_only", "decision", "kind", "name"},
        Layer.REFERENCE: {"id", "kind"},
        Layer.ROUTES: {"id", "vehicles"},
        Layer.NETWORK: {"id", "vehicles"},
        Layer.MAP: {"id", "records", "cell"}
        | (set() if profile is Profile.OPERATIONAL else {"days", "months", "month_only"}),
    }.get(layer, {"id"})
    if missing := sorted(wanted - set(features.columns)):
        raise DisclosureError(f"The {layer} layer lacks {missing[0]!r}, without which it cannot be judged.")
    if layer is Layer.REFERENCE and (
        strange := set(features["kind"]) - (set(map(str, FeatureKind)) - {FeatureKind.PROTECTED})
    ):
        raise DisclosureError(f"Features of kind {min(map(str, strange))!r} are in no layer.")
    if layer in {Layer.ROUTES, Layer.NETWORK}:
        vehicles = features["vehicles"].to_numpy(np.int64)
        nobody = vehicles == 0 if layer is Layer.NETWORK else np.zeros(len(vehicles), bool)
        if (~nobody & (vehicles < MIN_VEHICLES)).any():
            raise DisclosureError(f"What fewer than {MIN_VEHICLES} distinct vehicles did never leaves.")
    if layer in {Layer.CELLS, Layer.MAP} and profile is not Profile.OPERATIONAL:
        shared = AnalysisParameters.from_json(run.parameters).shared_resolution
        numbers = np.asarray([cell_number(cell) for cell in features["cell"]], np.int64)
        if (resolutions(numbers) != shared).any():
            raise DisclosureError(f"Outside operations cells leave at H3 resolution {shared} only.")


def _passes(features: pd.DataFrame, threshold: Threshold | None) -> NDArray[np.bool_]:
    if threshold is None:
        return np.ones(len(features), bool)
    month_only = features["month_only"].to_numpy() >= features["records"].to_numpy()
    often = np.where(month_only, features["months"] >= threshold.months, features["days"] >= threshold.days)
    return np.asarray((features["records"].to_numpy() >= threshold.records) & often, bool)


def _coarsen(features: pd.DataFrame, layer: Layer, profile: Profile) -> pd.DataFrame:
    """Counts of places and of maps down to a multiple of the threshold; homes without their name."""
    if layer not in {Layer.PLACES, Layer.MAP}:
        return features
    threshold = THRESHOLDS[profile]
    step = threshold.records if threshold else 1
    if layer is Layer.MAP:
        return features.assign(records=features["records"] // step * step)
    homes = features["kind"].map(is_residential).to_numpy(bool)
    return features.assign(
        records=features["records"] // step * step, name=features["name"].astype(object).where(~homes, None)
    )


def _typed(values: pd.Series, field: Field) -> pd.Series:
    if field.type is FieldType.INTEGER:
        if not values.isna().any():
            return values.astype("int64")
        whole = [None if value is None or value != value else int(value) for value in values.tolist()]
        return pd.Series(whole, index=values.index, name=field.name, dtype=object)
    if field.type is FieldType.REAL:
        return _significant(values)
    texts = [None if value is None or value != value else str(value) for value in values.tolist()]
    if any(text and len(text) > MAX_TEXT for text in texts):
        raise DisclosureError(f"A value of {field.name!r} is longer than {MAX_TEXT} characters.")
    return pd.Series(texts, index=values.index, name=field.name, dtype=object)


def _significant(values: pd.Series) -> pd.Series:
    """Six significant digits: enough to read an order back, the same text on every machine."""
    return pd.Series(
        [float(f"{value:.6g}") for value in values.astype("float64")], index=values.index, name=values.name
    )


def _metadata(
    layer: Layer, run: Run, profile: Profile, marking: str, suppressed: int, synthetic: bool
) -> dict[str, Any]:
    parameters = AnalysisParameters.from_json(run.parameters)
    threshold = THRESHOLDS[profile]
    metadata = {
        "title": f"Lapwing {layer}",
        "marking": marking,
        "handling": "For the named audience and purpose only. Places of concern are leads for people to check, not facts.",
        "profile": str(profile),
        "run": run.run_id,
        "generated_at": from_micros(run.generated_at_us).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "period": _period(run, parameters, threshold),
        "study_area": run.summary.get("study_area", "observed"),
        "suppressed_features": suppressed,
        "unlocated_records": _banded(int(run.summary.get("unlocated", 0)), threshold),
        "position_accuracy": run.summary.get("crs_method", ""),
        "dictionary_version": DICTIONARY_VERSION,
    }
    if threshold:
        metadata["rule"] = (
            f"at least {threshold.records} records on {threshold.days} days (or {threshold.months} months where only the month is known)"
        )
    if synthetic:
        metadata["notice"] = SYNTHETIC_NOTICE
    return metadata


def _period(run: Run, parameters: AnalysisParameters, threshold: Threshold | None) -> str:
    """Dates asked for; where none were, those of the records for operations, and none for everyone else.

    The first record may be one that they may not have.
    """
    first, last = ("" if day is None else day.isoformat() for day in (parameters.date_from, parameters.date_to))
    if threshold is None:
        first, last = first or run.summary.get("first_day") or "", last or run.summary.get("last_day") or ""
        return f"{first} to {last}" if first or last else "no records"
    if first and last:
        return f"{first} to {last}"
    return f"from {first}" if first else f"until {last}" if last else "all records"


def _banded(count: int, threshold: Threshold | None) -> int | str:
    if threshold is None or count == 0 or count >= threshold.records:
        return count if threshold is None else count - count % threshold.records
    return f"fewer than {threshold.records}"

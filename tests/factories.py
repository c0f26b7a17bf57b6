"""Small makers of records, runs, features and released layers."""

import hashlib
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import shapely

from geo import cells as h3cells
from geo.crs import MetricCrs
from geo.disclosure import ReleasedLayer, release
from geo.field import FieldType
from geo.fields import FIELDS
from geo.model import H3_INDEX_RESOLUTION, RECORD_COLUMNS, Layer, Profile, Run
from geo.parameters import AnalysisParameters
from geo.temporal import micros, parse_times
from geo.validate import RecordRules

BNG = MetricCrs()
NOW_US = micros(datetime(2026, 1, 1, tzinfo=UTC))
RUN_ID = "0123456789abcdef"
LON, LAT = -2.36, 51.38


def make_records(dates, *, lon=LON, lat=LAT, **columns):
    """Records at the given times (text as in a file); any column may be overridden by a value or a list."""
    from_us, to_us, basis, problems = parse_times(list(dates))
    assert not problems, problems
    count = len(dates)
    lon, lat = np.broadcast_to(np.asarray(lon, float), count), np.broadcast_to(np.asarray(lat, float), count)
    x_m, y_m = BNG.project(lon, lat)
    cell7 = np.zeros(count, np.int64)
    cell7[np.isfinite(lon)] = h3cells.index_points(lon[np.isfinite(lon)], lat[np.isfinite(lon)], H3_INDEX_RESOLUTION)
    plain = {
        "event_id": [f"event-{i}" for i in range(count)],
        "record_key": [hashlib.sha256(str(i).encode()).digest() for i in range(count)],
        "kind": "incidents",
        "source": "police",
        "agency": "",
        "urn": [f"urn-{i}" for i in range(count)],
        "category": "",
        "from_us": from_us,
        "to_us": to_us,
        "time_basis": [str(one) for one in basis],
        "lon": lon,
        "lat": lat,
        "x_m": x_m,
        "y_m": y_m,
        "cell7": cell7,
        "location_basis": "exact",
        "precision_m": 10.0,
        "vehicle_hash": "",
    }
    return pd.DataFrame(plain | columns, columns=list(RECORD_COLUMNS), index=range(count))


def make_rules(kind="incidents", **changes):
    return RecordRules(**({"kind": kind, "source": "police", "crs": BNG, "now_us": NOW_US} | changes))


def make_run(summary=None, **parameters):
    return Run(
        run_id=RUN_ID,
        parameters=AnalysisParameters(**parameters).as_json(),
        input_hashes=("aa",),
        code_version="0.1.0",
        seed=0,
        generated_at_us=NOW_US,
        created_by="test",
        summary=summary or {"study_area": "Bath", "unlocated": 7, "crs_method": BNG.method},
    )


# What the statistics say of a cell, and of a place, in a released layer.
CELL_STATISTICS = {
    "hot": 1,
    "state": "hot",
    "observed": 9,
    "expected": 2.5,
    "rate_ratio": 3.6,
    "ratio_low": 1.7,
    "ratio_high": 6.5,
    "p_value": 0.0005,
    "q_value": 0.02,
    "scan_p": 0.003,
    "scan_radius": 2,
    "rate": 2.9,
    "density_km2": 14.25,
    "gi_star_z": 4.4,
    "gi_star_reliable": 0,
    "top_probability": 0.9,
    "trend": "insufficient_history",
}
PLACE_STATISTICS = {
    "significant": 1,
    "rate_ratio": 3.6,
    "scan_p": 0.003,
    "held_in": 7,
    "rank_low": 1,
    "rank_high": 3,
    "rank_without_ours": 2,
    "trend": "none",
    "in_view": 5,
}


def make_cells(records, *, resolution=8, **columns):
    """Features of a cells layer with the given counts round the usual point, and their outlines."""
    records = np.asarray(records, np.int64)
    k = 0
    around = h3cells.index_points(np.array([LON]), np.array([LAT]), resolution)
    while len(h3cells.disks(around, k)) < len(records):
        k += 1
    cells = h3cells.disks(around, k)[: len(records)]
    text = h3cells.cell_text(cells)
    plain = {
        "id": text,
        "cell": text,
        "records": records,
        "days": records,
        "months": records,
        "month_only": 0,
        **(CELL_STATISTICS if "snapped" in columns else {}),
    }
    return pd.DataFrame(plain | columns, index=range(len(records))), h3cells.boundaries(cells)


def make_places(records, **columns):
    """Features of a places layer, with every column of every audience, and one cell each as outline."""
    cells, shapes = make_cells(records)
    plain = {
        "id": [f"{i:016x}" for i in range(len(cells))],
        "place": [f"{i:016x}" for i in range(len(cells))],
        "rank": range(1, len(cells) + 1),
        "kind": "park",
        "name": "Orchard Park",
        "probability": 0.75,
        "basis": "exact",
        "sources": 2,
        "first_day": "2025-01-31",
        "last_day": None,
        "score": 4.5,
        "decision": "waiting",
        "why": "Several records.",
        **PLACE_STATISTICS,
    }
    counts = cells[["records", "days", "months", "month_only"]]
    frame = pd.DataFrame(plain | counts.to_dict("list") | columns, index=range(len(cells)))
    return frame, np.array([shapely.multipolygons([shape]) for shape in shapes], dtype=object)


def for_audience(frame, layer, profile):
    """Leave out the columns that this audience's layer does not have."""
    control = {"id", "records", "days", "months", "month_only", "decision"}
    fields = {field.name for field in FIELDS[layer] if profile in field.audiences}
    return frame[[name for name in frame.columns if name in control | fields]]


def make_layer(
    layer=Layer.CELLS, *, records=(1, 6, 30), profile=Profile.OPERATIONAL, run=None, **columns
) -> ReleasedLayer:
    """Release a small layer of cells, places or tasks."""
    if layer is Layer.TASKING:
        shapes = make_places(records)[1]
        frame = make_tasks(len(records))
    elif layer is Layer.PLACES:
        frame, shapes = make_places(records)
    else:
        frame, shapes = make_cells(records, snapped=0)
    frame = for_audience(frame.assign(**columns), layer, profile)
    return release(layer, frame, shapes, run=run or make_run(), profile=profile)


def make_tasks(count):
    common = {"marking", "profile", "run", "generated"}
    ids = [f"{i:016x}" for i in range(count)]
    texts = {
        f.name: "" if f.type is FieldType.TEXT else "2026-03-01" for f in FIELDS[Layer.TASKING] if f.name not in common
    }
    return pd.DataFrame(texts | {"id": ids, "place": ids}, index=range(count))


def make_reference(*features):
    """Reference of (geometry in metres, kind, subtype, name)."""
    from geo.reference import Reference

    columns = []
    for i in range(4):
        column = np.empty(len(features), object)
        column[:] = [feature[i] for feature in features]
        columns.append(column)
    return Reference.of(*columns)

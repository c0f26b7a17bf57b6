"""Densities of the simple shapes against a sum over the feature itself, and the prior kept whole at every blur."""

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.model import SIGMAS_IN_95_PERCENT_RADIUS, FeatureKind
from geo.place_density import density
from geo.place_shapes import CROWD, MAX_PRECISION_M, Parts, Shape
from tests.factories import make_reference

SIGMAS_M = (0.5, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 100.0)
HOUSE = (shapely.affinity.rotate(shapely.box(0, 0, 10, 8), 30), "buildings", "house", "1 Mill Lane")
SHOP = (shapely.box(0, 0, 25, 12), "premises", "shop", "Stores")
L_PARK = (shapely.Polygon([(0, 0), (300, 0), (300, 40), (60, 40), (60, 200), (0, 200)]), "parks", "", "Corner Park")
SQUARE_PARK = (shapely.box(0, 0, 100, 100), "parks", "", "Square Park")
THIN_PARK = (shapely.box(0, 0, 900, 15), "parks", "", "Long Walk")
ROUND_PARK = (shapely.Point(0, 0).buffer(400), "parks", "", "Common")
ROAD = (shapely.LineString([(0, 0), (400, 0), (400, 250)]), "roads", "Local Road", "Mill Lane")


def held(parts, sigma_m):
    """Named parts that count for records of this sigma."""
    return np.flatnonzero((parts.from_sigma_m <= sigma_m) & (sigma_m < parts.to_sigma_m) & (parts.feature != CROWD))


def told(reference, feature, points_m, sigma_m):
    """Density of a feature by its parts, or ``None`` where its kind is not named."""
    parts = Parts.of(reference)
    own = held(parts, sigma_m)
    own = own[parts.feature[own] == feature]
    if not len(own):
        return None
    part, point = np.tile(own, len(points_m)), np.repeat(np.arange(len(points_m)), len(own))
    each = density(parts, part, points_m[point], np.full(len(part), sigma_m), reference.geometry_m)
    return np.bincount(point, parts.mass[part] / parts.mass[own].sum() * each)


def grid(low, high, count):
    """Middles of about so many equal tiles of a box."""
    across = np.maximum(np.round((high - low) * np.sqrt(count / np.prod(high - low))), 12).astype(int)
    axes = [low[i] + (np.arange(across[i]) + 0.5) / across[i] * (high[i] - low[i]) for i in (0, 1)]
    return np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)


def truth(shape, points_m, blur_m):
    """Mean of the blurring Gaussian over positions all over the shape."""
    if shape.length and not shape.area:
        on_m = shapely.get_coordinates(
            shapely.line_interpolate_point(shape, (np.arange(2_000) + 0.5) / 2_000, normalized=True)
        )
    else:
        bounds = np.array(shape.bounds)
        on_m = grid(bounds[:2], bounds[2:], 12_000)
        on_m = on_m[shapely.contains_xy(shape, *on_m.T)]
    apart2 = ((points_m[:, None] - on_m[None]) ** 2).sum(axis=2)
    return np.exp(-0.5 * apart2 / blur_m**2).mean(axis=1) / (2 * np.pi * blur_m**2)


def compared(feature, sigma_m):
    """Told and true density round a feature; ``None`` where it is not named."""
    reference = make_reference(feature)
    blur_m = np.hypot(sigma_m, Parts.of(reference).reach_m[0])
    bounds = np.array(feature[0].bounds)
    points_m = grid(bounds[:2] - 2 * blur_m, bounds[2:] + 2 * blur_m, 300)
    ours = told(reference, 0, points_m, sigma_m)
    return None if ours is None else (ours, truth(feature[0], points_m, blur_m))


def relative_error(ours, true):
    """Worst relative error where the density is above a twentieth of its maximum."""
    told_well = true > true.max() / 20
    return np.abs(ours[told_well] / true[told_well] - 1).max()


@pytest.mark.parametrize("sigma_m", SIGMAS_M)
@pytest.mark.parametrize(
    ("feature", "limit"),
    [(HOUSE, 0.08), (SHOP, 0.10), (ROAD, 0.001), (THIN_PARK, 0.22), (ROUND_PARK, 0.21)],
    ids=["house", "shop", "road", "thin park", "round park"],
)
def test_the_density_is_about_a_fifth_off_at_most(feature, limit, sigma_m):
    found = compared(feature, sigma_m)
    if found is None:
        assert sigma_m * SIGMAS_IN_95_PERCENT_RADIUS > MAX_PRECISION_M[FeatureKind(feature[1])]
    else:
        assert relative_error(*found) < limit


@pytest.mark.parametrize("sigma_m", SIGMAS_M)
@pytest.mark.parametrize("feature", [L_PARK, SQUARE_PARK], ids=["L", "square"])
def test_at_a_corner_the_density_is_off_by_a_quarter_of_its_maximum_at_most(feature, sigma_m):
    ours, true = compared(feature, sigma_m)
    assert np.abs(ours - true).max() < 0.27 * true.max()
    assert sigma_m < 40 or relative_error(ours, true) < 0.1


@pytest.mark.parametrize("sigma_m", [0.5, 2.0, 5.0])
@pytest.mark.parametrize("feature", [L_PARK, SQUARE_PARK], ids=["L", "square"])
def test_at_a_corner_of_a_large_park_the_density_is_at_most_three_times_too_high(feature, sigma_m):
    ours, true = compared(feature, sigma_m)
    told_well = true > true.max() / 20
    ratio = ours[told_well] / true[told_well]
    assert 1.2 < ratio.max() < 3.0  # the edge shape knows no corners
    assert ratio.min() > 0.6


@pytest.mark.parametrize("sigma_m", SIGMAS_M)
def test_a_gate_is_a_round_spot_and_a_bare_point_stands_for_a_whole_place(sigma_m):
    gate = (shapely.Point(100, 50), "parks", "", "")
    takeaway = (shapely.Point(2_000, 0), "premises", "takeaway", "Grill")
    lone = (shapely.Point(5_000, 0), "parks", "", "Green")
    reference = make_reference(SQUARE_PARK, gate, takeaway, lone)
    assert reference.gate.tolist() == [False, True, False, False]
    for feature, spread_m, reach_m in ((1, 5.0, 10.0), (2, 6.0, 8.0), (3, 50.0, 10.0)):
        middle = shapely.get_coordinates(reference.geometry_m[feature])[0]
        points_m = middle + np.array([[0, 0], [3, 4], [-60, 0], [0, 200]], float)
        ours = told(reference, feature, points_m, sigma_m)
        if feature == 2 and sigma_m * SIGMAS_IN_95_PERCENT_RADIUS > 100:
            assert ours is None
            continue
        variance = spread_m**2 + reach_m**2 + sigma_m**2
        want = np.exp(-0.5 * ((points_m - middle) ** 2).sum(axis=1) / variance) / (2 * np.pi * variance)
        np.testing.assert_allclose(ours, want, rtol=1e-9)


@pytest.mark.parametrize("sigma_m", SIGMAS_M)
@pytest.mark.parametrize(
    ("feature", "limit"),
    [(HOUSE, 0.002), (SHOP, 0.002), (ROAD, 0.002), (THIN_PARK, 0.002), (ROUND_PARK, 0.03), (L_PARK, 0.025), (SQUARE_PARK, 0.05)],
    ids=["house", "shop", "road", "thin park", "round park", "L", "square"],
)  # fmt: skip
def test_the_density_sums_to_one_over_the_plane(feature, limit, sigma_m):
    reference = make_reference(feature)
    blur_m = np.hypot(sigma_m, Parts.of(reference).reach_m[0])
    bounds = np.array(feature[0].bounds)
    low, high = bounds[:2] - 5 * blur_m, bounds[2:] + 5 * blur_m
    points_m = grid(low, high, max(2_000, np.prod(high - low) / (blur_m / 1.5) ** 2))
    ours = told(reference, 0, points_m, sigma_m)
    if ours is not None:
        assert ours.mean() * np.prod(high - low) == pytest.approx(1, abs=limit)


COORDINATE = st.integers(0, 4_000).map(float)


@st.composite
def a_feature(draw):
    x_m, y_m, size_m = draw(COORDINATE), draw(COORDINATE), draw(st.integers(1, 600))
    wide_m = draw(st.integers(1, 600))
    box = shapely.affinity.rotate(shapely.box(x_m, y_m, x_m + wide_m, y_m + size_m), draw(st.integers(0, 89)))
    line = shapely.LineString([(x_m, y_m), (x_m + size_m, y_m), (x_m + size_m, y_m + wide_m)])
    holed = box - shapely.affinity.scale(box, 0.5, 0.5)
    several = shapely.MultiPolygon([box, shapely.affinity.translate(box, 2_000, 0)])
    ground = [shapely.Point(x_m, y_m), box, holed, several]
    kind = draw(st.sampled_from(["parks", "premises", "buildings", "roads"]))
    shape = draw(st.sampled_from([line] if kind == "roads" else ground))
    return shape, kind, "shop" if kind == "premises" else "", draw(st.sampled_from(["", "Green"]))


def at_limits():
    """Sigmas from sharp to the last that names a park, the limits of every kind included."""
    limits = [limit / SIGMAS_IN_95_PERCENT_RADIUS for limit in MAX_PRECISION_M.values()]
    return st.one_of(st.floats(0.0, 102.1), st.sampled_from(limits))


@settings(max_examples=120, deadline=None)
@given(st.lists(a_feature(), min_size=1, max_size=8), at_limits())
def test_no_prior_is_lost_or_doubled_at_any_blur(features, sigma_m):
    reference = make_reference(*features)
    parts = Parts.of(reference)
    own = held(parts, sigma_m)
    found = np.bincount(parts.feature[own], parts.mass[own], minlength=len(reference))
    limit_m = np.array([MAX_PRECISION_M[FeatureKind(kind)] for kind in reference.kinds])
    may = sigma_m * SIGMAS_IN_95_PERCENT_RADIUS <= limit_m * (1 + 1e-12)
    np.testing.assert_allclose(found, np.where(may, reference.mass, 0.0), rtol=1e-6, atol=1e-12)
    crowd = (parts.feature == CROWD) & (parts.from_sigma_m <= sigma_m) & (sigma_m < parts.to_sigma_m)
    np.testing.assert_allclose(parts.mass[crowd].sum(), reference.mass[~may].sum(), rtol=1e-6, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(a_feature())
def test_the_disc_of_an_edge_and_of_pieces_of_a_line_holds_them(feature):
    parts = Parts.of(make_reference(feature))
    sharp = parts.take(held(parts, 0.0))
    corners_m = shapely.get_coordinates(feature[0])
    beyond_m = np.hypot(*(corners_m[:, None] - sharp.centre_m[None]).transpose(2, 0, 1)) - sharp.radius_m
    if (sharp.shape == Shape.EDGE).all():
        assert beyond_m.max() < 1e-6
    elif (sharp.shape == Shape.SEGMENT).all():
        assert beyond_m.min(axis=1).max() < 1e-6


def test_nothing_has_no_parts():
    assert len(Parts.of(make_reference()).feature) == 0


def test_a_point_among_the_roads_does_not_stop_everything():
    reference = make_reference(ROAD, (shapely.Point(50, 0), "roads", "postcode", "BA1 1AA"))
    assert np.isfinite(Parts.of(reference).mass).all()

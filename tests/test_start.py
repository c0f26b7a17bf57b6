"""What a start may not wait for: libraries that the help, the first page or the first answer have no use for."""

import subprocess
import sys

import pytest

from tests.conftest import PROJECT

HEAVY = (
    "numpy", "pandas", "pyarrow", "scipy", "sklearn", "numba", "shapely", "geopandas", "pyogrio", "pyproj", "convertbng", "h3",
    "flask", "jinja2", "waitress", "folium", "openpyxl", "psycopg", "cryptography", "weasyprint",
)  # fmt: skip
# An answer may need arrays, tables, shapes and projections, and none of these before somebody asks for what they do.
NOT_TO_SERVE = (
    "sklearn", "numba", "geopandas", "pyogrio", "convertbng", "openpyxl", "psycopg", "cryptography", "weasyprint",
    "scipy.stats", "folium",
)  # fmt: skip


def loaded(code: str, *arguments: str) -> set[str]:
    """Modules that a fresh Python has loaded after running some code."""
    probe = f"import sys\n{code}\nprint('loaded:', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", probe, *arguments], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("loaded:")[2].split())


@pytest.mark.parametrize("argument", ["--help", "-h", "--version"])
def test_the_help_loads_nothing_heavy(argument: str) -> None:
    names = loaded("from app.cli import cli; cli(standalone_mode=False)", argument)
    assert "click" in names
    assert not names & set(HEAVY)


def test_the_web_service_starts_without_what_few_requests_need() -> None:
    names = loaded("import app.web, app.web.spooling")
    assert "flask" in names
    assert not names & set(NOT_TO_SERVE)

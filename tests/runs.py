"""The analysis that tests of services look at."""

from typing import Any

from app.services.analysis import analyse
from app.wiring import Lapwing
from geo.model import Run, Scope
from geo.parameters import AnalysisParameters
from tests.conftest import NOW_US

SCOPE = Scope(actor="test")


def run_of(app: Lapwing, *, as_of_us: int | None = None, **told: Any) -> Run:
    return analyse(
        app.store, SCOPE, AnalysisParameters(**{"simulations": 19} | told), seed=0, now_us=NOW_US, as_of_us=as_of_us
    )

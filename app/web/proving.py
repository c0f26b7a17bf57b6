"""How far an analysis can be trusted, and figures by area: pages, and the long work behind them."""

from dataclasses import replace
from datetime import date
from typing import Any, Final

from flask import Blueprint, Response, redirect, render_template, request, url_for

from app.services import proving
from app.services.area_export import VERDICT_WORDS, hand_out_areas
from app.services.area_map import MAX_DRAWN, area_layer
from app.services.by_area import ByArea
from app.services.hot_areas import list_hot_areas
from app.services.jobs import Job
from app.services.layers import require_layers
from app.web.area_views import AreaQuestion, answer, asked_areas, words_of
from app.web.security import consulted, lapwing, scope, store
from app.web.work import PATIENCE_S, begin
from data.proofs import BACKTEST, CALIBRATION, Proof
from geo.errors import InvalidParameter
from geo.model import Run
from geo.narrative import plural
from geo.parameters import AnalysisParameters
from maps.area_map import STATES, draw_areas, draw_sample
from maps.charts import draw_proof

pages = Blueprint("proving", __name__)

SEED: Final = 1
SIMULATIONS: Final = 200
MAX_BACKTESTS: Final = 5
METHOD_NAMES: Final = {proving.OURS: "Lapwing", proving.COUNTS: "Plain counts", proving.KDE: "Kernel density"}


@pages.get("/runs/<run_id>/accuracy")
def accuracy(run_id: str) -> str:
    """Say what stands behind an analysis: what it was compared with, how much of it is our own doing, and the proofs."""
    run = store().runs.get(scope(), run_id)
    require_layers(run)
    consulted(f"run:{run.run_id}/accuracy")
    return _page(run)


def _page(run: Run, error: str = "") -> str:
    require_layers(run)
    proofs = store().proofs.proofs(scope())
    return render_template(
        "accuracy.html",
        run=run,
        parameters=AnalysisParameters.from_json(run.parameters),
        hot_areas=list_hot_areas(store(), scope(), run),
        calibration=next((one for one in proofs if one.kind == CALIBRATION and one.run_id == run.run_id), None),
        backtests=[one for one in proofs if one.kind == BACKTEST][:MAX_BACKTESTS],
        simulations=SIMULATIONS,
        method_names=METHOD_NAMES,
        error=error,
        form=request.form,
    )


@pages.post("/runs/<run_id>/calibrate")
def calibrate(run_id: str) -> Any:
    """Measure the rate of false alarms under the analysis's own conditions."""
    run = store().runs.get(scope(), run_id)
    own_store, own_scope, now_us = store(), scope(), lapwing().clock()
    return _to_work(
        run,
        begin(
            lambda _: proving.calibrate_run(
                own_store, own_scope, run, simulations=SIMULATIONS, seed=SEED, now_us=now_us
            )
        ),
    )


@pages.post("/runs/<run_id>/backtest")
def backtest(run_id: str) -> Any:
    """Test on later months whether the order of cells pointed to them."""
    run = store().runs.get(scope(), run_id)
    try:
        asked = proving.BacktestRequest(
            parameters=proving.for_backtest(AnalysisParameters.from_json(run.parameters), _day("test_to")),
            train_to=_day("train_to"),
            test_to=_day("test_to"),
        )
    except InvalidParameter as error:
        return _page(run, str(error)), 422
    own_store, own_scope, now_us = store(), scope(), lapwing().clock()
    months = max(1, len(asked.periods()))

    def work(seen: Any) -> Proof:
        done = iter(range(1, months + 1))
        return proving.backtest(
            own_store, own_scope, asked, seed=SEED, now_us=now_us, progress=lambda _: seen(next(done) / (months + 1))
        )

    return _to_work(run, begin(work))


def _day(name: str) -> date:
    text = request.form.get(name, "").strip()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidParameter(f"{text or 'Nothing'} is not a date. Choose both days.") from error


def _to_work(run: Run, job: Job) -> Any:
    return redirect(url_for("proving.progress", run_id=run.run_id, job_id=job.job_id))


@pages.get("/runs/<run_id>/proofs/<job_id>")
def progress(run_id: str, job_id: str) -> Any:
    """Wait for a proof and go on to it."""
    run = store().runs.get(scope(), run_id)
    job = lapwing().jobs.get(job_id, scope().actor)
    if not job.wait(PATIENCE_S):
        return render_template(
            "progress.html", job=job, heading="Testing", share_url=url_for("imports.share", job_id=job_id)
        )
    if job.error:
        return _page(run, job.error), 422
    return redirect(url_for("proving.accuracy", run_id=run.run_id, _anchor=job.result.kind))


@pages.get("/proofs/<proof_id>.svg")
def chart(proof_id: str) -> Response:
    """Draw a proof."""
    proof = store().proofs.get(scope(), proof_id)
    response = Response(draw_proof(proof.kind, proof.result), mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@pages.get("/areas")
def areas() -> Any:
    """Show figures by area: the last 28 days against the 28 before, this year against last."""
    consulted("areas")
    asked, found = answer(asked_areas(), scope())
    page = _areas_page(asked, found)
    return (page, 422) if asked.problem else page


@pages.post("/areas.csv")
def areas_csv() -> Any:
    """Hand the figures out as CSV for a stated purpose."""
    asked, found = answer(asked_areas(), scope())
    if found is None or asked.problem:
        return _areas_page(asked, found), 422
    try:
        file = hand_out_areas(
            store(), scope(), found, purpose=request.form.get("purpose", ""), now_us=lapwing().clock()
        )
    except InvalidParameter as error:
        return _areas_page(replace(asked, problem=("purpose", str(error))), found), 422
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, mimetype="text/csv", headers=headers)


def _areas_page(asked: AreaQuestion, found: ByArea | None) -> str:
    layer = area_layer(store(), scope(), found, now_us=lapwing().clock()) if found else None
    drawn = [row for row, shape in zip(found.rows, found.shapes, strict=True) if shape is not None] if found else []
    return render_template(
        "areas.html",
        asked=asked,
        found=found,
        verdicts=VERDICT_WORDS,
        area_map=draw_areas(
            layer,
            [row["change_28_days"]["verdict"] for row in drawn],
            [words_of(row) for row in drawn],
            label=f"Map of {plural(len(drawn), 'area')} by what changed in the last 28 days. The table has the same.",
        )
        if layer
        else "",
        samples={state: draw_sample(state) for state in STATES},
        max_drawn=MAX_DRAWN,
    )

"""Making an analysis: what to analyse, the work with its progress, and what became of it."""

import re
from typing import Any, Final

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for

from app.services.analysis import analyse
from app.services.jobs import Job, Seen
from app.services.offering import find_obstacles, offer
from app.web import analysis_form
from app.web.analysis_form import Asked
from app.web.security import consulted, lapwing, scope, store
from app.web.work import PATIENCE_S, begin
from geo.errors import NotFound
from geo.model import Run
from geo.parameters import AnalysisParameters

pages = Blueprint("analysing", __name__, url_prefix="/runs/new")

SEED: Final = 0  # that of the command line: the same question has the same answer there
KIND: Final = "analysis"
# Which share of an analysis is done when a step begins, as measured on one of 32,000 cells.
SHARES: Final = {
    "Reading records": 0.02,
    "Counting cells": 0.05,
    "Testing what is hot": 0.1,
    "Following the months": 0.2,
    "Checking other grids": 0.22,
    "Weighing uncertain positions and times": 0.75,
    "Clustering": 0.8,
    "Naming places": 0.82,
    "Following routes and links": 0.87,
    "Saving": 0.9,
    "Preparing the map": 0.95,
}
# A run older than this when the work began was there before; a second press of the button makes none of that.
_BEFORE_US: Final = 60_000_000
_COMMAND: Final = re.compile(r"(?:\. (?:Import|Make) (?:one|it|them))?: lapwing .*$")


def running(owner: str) -> Job | None:
    """Return the analysis of a person that is under way; None where there is none."""
    return lapwing().jobs.running(owner, KIND)


@pages.get("")
def new() -> str:
    """Ask what to analyse."""
    consulted("runs/new")
    return _page()


def _page(asked: Asked | None = None, **told: Any) -> str:
    offered = offer(store(), scope(), now_us=lapwing().clock())
    asked = asked or analysis_form.unasked(offered, area=request.args.get("area", "").strip())
    return render_template(
        "analysis_new.html",
        offered=offered,
        values=asked.values,
        problems={name: asked.problems[name] for name in asked.values if name in asked.problems},  # in the form's order
        periods=analysis_form.PERIOD_WORDS,
        kinds=analysis_form.KIND_WORDS,
        compared=analysis_form.COMPARED_WORDS,
        figures=analysis_form.FIGURES,
        is_advanced=asked.has_unusual_figures,
        under_way=running(scope().actor),
        **told,
    )


@pages.post("")
def start() -> Any:
    """Begin the analysis; a second press, or the same question in another tab, leads to the work under way."""
    now_us = lapwing().clock()
    asked = analysis_form.read_form(request.form, offer(store(), scope(), now_us=now_us))
    if asked.problems:
        return _page(asked), 422
    parameters = AnalysisParameters(crs_epsg=store().crs.epsg, **asked.chosen)
    if obstacles := find_obstacles(store(), scope(), parameters, now_us=now_us):
        return _page(analysis_form.place_obstacles(asked, obstacles)), 422
    subject = f"{KIND}:{parameters.as_json()}"
    job = lapwing().jobs.alone(scope().actor, subject, lambda: begin(_analyser(parameters)))
    if job.subject != subject or job.stopping:
        return _page(asked, busy=job), 409
    return redirect(url_for("analysing.progress", job_id=job.job_id))


def _analyser(parameters: AnalysisParameters) -> Any:
    own_store, own_scope, now_us = store(), scope(), lapwing().clock()

    def work(seen: Seen) -> Run:
        return analyse(
            own_store,
            own_scope,
            parameters,
            seed=SEED,
            now_us=now_us,
            progress=lambda step: seen(SHARES.get(step, 0.0), step),
        )

    return work


def _job(job_id: str) -> Job:
    """Return one of the user's analyses under way or ended."""
    job = lapwing().jobs.get(job_id, scope().actor)
    if job.kind != KIND:
        raise NotFound("This address is not about an analysis.")
    return job


@pages.get("/<job_id>")
def progress(job_id: str) -> Any:
    """Wait for the analysis and go on to its map, or say why there is none."""
    job = _job(job_id)
    if not job.wait(PATIENCE_S):
        return render_template(
            "progress.html",
            job=job,
            heading="Making the analysis",
            share_url=url_for("analysing.share", job_id=job_id),
            cancel_url=url_for("analysing.cancel", job_id=job_id),
        )
    asked = analysis_form.asked_before(AnalysisParameters.from_json(job.subject.partition(":")[2]))
    if job.cancelled:
        return _page(asked, cancelled=True)
    if job.error:
        return _page(asked, failure=_COMMAND.sub(".", job.error)), 422
    if job.result.generated_at_us < job.begun_us - _BEFORE_US:
        return _page(asked, known=job.result)
    return redirect(url_for("runs.map_page", run_id=job.result.run_id))


@pages.get("/<job_id>/share.json")
def share(job_id: str) -> Response:
    """Say how far the analysis is, to the page that shows it."""
    job = _job(job_id)
    return jsonify({"done": job.done, "share": round(job.share, 3), "words": job.words, "stopping": job.stopping})


@pages.post("/<job_id>/cancel")
def cancel(job_id: str) -> Any:
    """Ask the analysis to end at its next step."""
    _job(job_id).cancel()
    return redirect(url_for("analysing.progress", job_id=job_id))

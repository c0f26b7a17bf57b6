"""Commands that prove the method on the user's own data: calibrate and backtest."""

from pathlib import Path
from typing import Any

import click

from app.cli.analysis import Day, split_words
from app.cli.common import Context, command, table
from app.services import analysis, proving
from data.proofs import Proof
from geo.backtest import AREA_FRACTIONS
from geo.model import ComparedWith
from geo.narrative import plural
from geo.parameters import AnalysisParameters

CHART_HELP = "Also draw it: a file ending in .svg or .png."


@click.command("calibrate")
@click.argument("run_id", metavar="RUN")
@click.option("--simulations", type=click.IntRange(20, 100_000), default=200, show_default=True, help="Runs on chance.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True)
@click.option("--chart", type=click.Path(path_type=Path, dir_okay=False), help=CHART_HELP)
@command
def calibrate_command(context: Context, *, run_id: str, simulations: int, seed: int, chart: Path | None) -> None:
    """Measure how often chance alone raises a hot cell under RUN's own area, exposure and number of records."""
    lapwing = context.lapwing
    run = lapwing.store.runs.get(context.scope, run_id)
    context.say(f"Running the test on {plural(simulations, 'map')} of pure chance ...")
    proof = proving.calibrate_run(
        lapwing.store, context.scope, run, simulations=simulations, seed=seed, now_us=lapwing.clock()
    )
    low, high = proof.result["interval"]
    text = (
        f"{proof.result['false_alarms']} of {simulations} maps of pure chance have a hot cell: {proof.result['rate']:.1%}"
        f" (95 % interval {low:.1%} to {high:.1%}). The rule allows {proof.result['alpha']:.0%}."
    )
    _answer(context, proof, {"run": run.run_id}, text, chart)


@click.command("backtest")
@click.option("--train-to", type=Day(), required=True, help="Last day to learn from.")
@click.option(
    "--test-to", type=Day(), required=True, help="Last day to test on; tested month by month from --train-to."
)
@click.option("--from", "date_from", type=Day(), help="First day to learn from.")
@click.option("--kinds", multiple=True, callback=split_words, help="Record kinds or categories, comma-separated.")
@click.option("--resolution", type=int, default=9, show_default=True, help="H3 resolution of the cells.")
@click.option("--area", metavar="NAME", help="Boundary or area to study.")
@click.option(
    "--compared-with", type=click.Choice(list(ComparedWith)), default=ComparedWith.AREA, show_default=True,
    help="What a rate is compared with.",
)  # fmt: skip
@click.option(
    "--area-fraction", "area_fractions", type=float, multiple=True, default=AREA_FRACTIONS, show_default=True,
    help="Part of the area that is chosen; may be given more than once.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True)
@click.option("--chart", type=click.Path(path_type=Path, dir_okay=False), help=CHART_HELP)
@command
def backtest_command(
    context: Context,
    *,
    kinds: tuple[str, ...],
    seed: int,
    area_fractions: tuple[float, ...],
    chart: Path | None,
    **chosen: Any,
) -> None:
    """Test whether the order of cells points to the records of later months, beside plain counts and kernel density."""
    store = context.lapwing.store
    days = {name: chosen.pop(name) for name in ("train_to", "test_to")}
    selected = analysis.choose_kinds(store, context.scope, kinds)
    parameters = AnalysisParameters(crs_epsg=store.crs.epsg, date_to=days["test_to"], **chosen, **selected)
    request = proving.BacktestRequest(parameters=parameters, area_fractions=area_fractions, **days)
    proof = proving.backtest(
        store, context.scope, request, seed=seed, now_us=context.lapwing.clock(),
        progress=lambda step: context.say(f"{step} ..."),
    )  # fmt: skip
    rows = [
        [f"{_part(one['area_fraction'])}", one["method"], _figure(one["hit_rate"], "{:.1%}"), _figure(one["pai"], "{:.2f}"),
         _between(one["pai_interval"]), _figure(one["pei"], "{:.2f}")]
        for one in proof.result["results"]
    ]  # fmt: skip
    lines = [table(["area", "method", "hit rate", "PAI", "95 % interval", "PEI"], rows)]
    lines += [_compared(one) for one in proof.result["comparisons"]]
    _answer(context, proof, {}, "\n".join(lines), chart)


def _answer(context: Context, proof: Proof, also: dict[str, Any], text: str, chart: Path | None) -> None:
    value = also | {"proof": proof.proof_id} | proof.result
    if chart is not None:
        from maps.charts import draw_proof

        chart.write_bytes(draw_proof(proof.kind, proof.result, chart.suffix.lstrip(".").lower()))
        value["chart"] = str(chart)
        text += f"\nDrawn in {chart}."
    context.answer(value, text=text)


def _part(fraction: float) -> str:
    return f"{fraction * 100:.3g}%"


def _figure(value: float | None, form: str) -> str:
    return "not known" if value is None else form.format(value)


def _between(interval: list[float] | None) -> str:
    return "too few periods" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}"


def _compared(one: dict[str, Any]) -> str:
    start = f"At {_part(one['area_fraction'])} of the area Lapwing's PAI less that of the best peer ({one['best_peer']}) is {one['difference']:+.2f}"
    if one["interval"] is None:
        return f"{start}; too few periods to say how sure that is."
    low, high = one["interval"]
    verdict = "not worse" if one["not_worse"] else "worse"
    return f"{start}, 95 % interval {low:+.2f} to {high:+.2f}: {verdict}."

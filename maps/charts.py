"""Charts of proofs, drawn by matplotlib: SVG for pages, SVG or PNG for files."""

import io
from typing import Any, Final

from geo.errors import InvalidParameter

FORMATS: Final = ("svg", "png")
_INK: Final = "#0b0c0c"
_GREY: Final = "#505a5f"
# Told apart by shape as well as colour.
_METHODS: Final = {
    "lapwing": ("Lapwing", "#4b286d", "o"),
    "counts": ("Plain counts", "#00703c", "s"),
    "kde": ("Kernel density", "#b58840", "^"),
}


def draw_proof(kind: str, result: dict[str, Any], form: str = "svg") -> bytes:
    """Draw a calibration or a backtest.

    Raises
    ------
    InvalidParameter
        When the form is neither SVG nor PNG.
    """
    if form not in FORMATS:
        raise InvalidParameter(f"A chart is written as {' or '.join(FORMATS)}, not {form!r}.")
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style: Any = {"svg.hashsalt": "lapwing", "font.family": "DejaVu Sans", "font.size": 11,
             "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": _GREY, "xtick.color": _INK, "ytick.color": _INK,
             "axes.spines.top": False, "axes.spines.right": False}  # fmt: skip
    with rc_context(style):
        figure = Figure(figsize=(7.2, 3.6 if kind == "backtest" else 1.9), layout="constrained")
        FigureCanvasAgg(figure)
        _DRAWERS[kind](figure.subplots(), result)
        written = io.BytesIO()
        figure.savefig(written, format=form, dpi=150, metadata={"Date": None} if form == "svg" else None)
    return written.getvalue()


def _backtest(axes: Any, result: dict[str, Any]) -> None:
    """PAI with its interval, by method and part of the area."""
    parts = sorted({one["area_fraction"] for one in result["results"]})
    for offset, (method, (name, colour, marker)) in zip((-0.18, 0.0, 0.18), _METHODS.items(), strict=True):
        mine = [one for one in result["results"] if one["method"] == method and one["pai"] is not None]
        at = [parts.index(one["area_fraction"]) + offset for one in mine]
        pai = [one["pai"] for one in mine]
        spread = [one["pai_interval"] or (one["pai"], one["pai"]) for one in mine]
        below = [max(0.0, p - low) for p, (low, _) in zip(pai, spread, strict=True)]
        above = [max(0.0, high - p) for p, (_, high) in zip(pai, spread, strict=True)]
        axes.errorbar(at, pai, yerr=[below, above], fmt=marker, color=colour, label=name, capsize=4, markersize=7)
    axes.set_xticks(range(len(parts)), [f"{part * 100:.3g}% of the area" for part in parts])
    axes.set_ylabel("PAI (hit rate over area)")
    axes.set_ylim(bottom=0)
    axes.axhline(1, color=_GREY, linewidth=1, linestyle=":")
    axes.text(len(parts) - 0.55, 1, "chance", color=_GREY, va="bottom", ha="right", fontsize=9)
    axes.legend(frameon=False, loc="upper right")


def _calibration(axes: Any, result: dict[str, Any]) -> None:
    """Rate of false alarms with its interval, beside what the rule allows."""
    low, high = result["interval"]
    rate = result["rate"]
    axes.errorbar([rate], [0], xerr=[[rate - low], [high - rate]], fmt="o", color="#4b286d", capsize=6, markersize=9)
    axes.axvline(result["alpha"], color=_GREY, linestyle="--", linewidth=1.5)
    axes.text(result["alpha"], 0.42, f" the rule allows {result['alpha']:.0%}", color=_GREY, va="top")
    axes.set_ylim(-0.5, 0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlim(0, max(0.1, high * 1.15))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_xlabel("Maps of pure chance with a hot cell (95 % interval)")


_DRAWERS: Final = {"backtest": _backtest, "calibration": _calibration}

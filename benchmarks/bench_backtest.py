"""Backtests on real data: does the order of cells point to what comes next, beside plain counts and kernel density?

Reads ``LAPWING_REAL_DATA``. Every set is imported and tested with the documented commands; prints the table of the README.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


def lapwing(home: Path, *arguments: str) -> Any:
    """Answer of one command."""
    command = [sys.executable, "-c", "from app.cli import main; main()", *arguments, "--json"]
    environment = os.environ | {"LAPWING_HOME": str(home), "LAPWING_STORE": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def avon_and_somerset(real: Path, home: Path) -> Any:
    """All crime, five months: one to four months to learn from, four to test on."""
    files = sorted(map(str, (real / "police-street/south-west").glob("*avon-and-somerset*.csv.gz")))
    lapwing(home, "import", "incidents", *files)
    return lapwing(home, "backtest", "--train-to", "2018-10-31", "--test-to", "2019-02-28")


def new_york(real: Path, home: Path) -> Any:
    """Vehicle thefts, four years: the first to learn from, 36 months to test on."""
    import pyreadr

    frame = next(iter(pyreadr.read_r(real / "incidents/nyc-vehicle-thefts-2014-2017.rda").values()))
    frame.to_csv(home / "thefts.csv", index=False)
    lapwing(home, "migrate", "--crs", "EPSG:32618")
    lapwing(
        home, "import", "incidents", str(home / "thefts.csv"), "--timezone", "America/New_York", "--source", "thefts"
    )
    return lapwing(home, "backtest", "--train-to", "2014-12-31", "--test-to", "2017-12-30")


def city_of_london(real: Path, home: Path) -> Any:
    """All crime on snapped map points, two years: six months to learn from, eighteen to test on."""
    files = sorted(map(str, (real / "police-street/city-of-london").glob("*.csv.gz")))
    boundary = home / "city.geojson"
    boundary.write_bytes(gzip.decompress((real / "boundaries/wards-E09000001.geojson.gz").read_bytes()))
    lapwing(home, "import", "boundary", str(boundary), "--source", "city")
    lapwing(home, "import", "incidents", *files)
    return lapwing(
        home, "backtest", "--train-to", "2024-06-30", "--test-to", "2025-12-31", "--area", "city", "--resolution", "10",
        "--area-fraction", "0.02", "--area-fraction", "0.05",
    )  # fmt: skip


def main() -> None:
    """Print one table a set and the paired comparisons."""
    real = Path(os.environ.get("LAPWING_REAL_DATA") or Path(__file__).resolve().parents[2] / "shared/data")
    if not (real / "police-street").is_dir():
        print(f"bench_backtest: no real data in {real}; set LAPWING_REAL_DATA. Nothing was measured.")
        return
    for test in (avon_and_somerset, new_york, city_of_london):
        with tempfile.TemporaryDirectory() as folder:
            found = test(real, Path(folder))
        print(f"\n{test.__doc__} {found['cells']:,} cells, {len(found['periods'])} test months.")
        print(f"{'area':>5} {'method':10}{'hit rate':>9}{'PAI':>8}  {'95 % interval':18}{'PEI':>6}")
        for one in found["results"]:
            low, high = one["pai_interval"]
            print(
                f"{one['area_fraction']:5.0%} {one['method']:10}{one['hit_rate']:9.1%}{one['pai']:8.2f}  {f'{low:.2f} to {high:.2f}':18}{one['pei']:6.2f}"
            )
        for one in found["comparisons"]:
            low, high = one["interval"]
            verdict = "not worse" if one["not_worse"] else "WORSE"
            print(
                f"{one['area_fraction']:5.0%} less best peer ({one['best_peer']}): {one['difference']:+.3f} ({low:+.3f} to {high:+.3f}) {verdict}"
            )


if __name__ == "__main__":
    main()

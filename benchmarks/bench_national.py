"""One real national month from files to layers: wall time and peak memory of each command, whole process.

Reads ``LAPWING_REAL_DATA`` (``police-street/national-2018-11``, 33 forces). Prints a table; run it with `make bench`.
"""

import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMANDS = {
    "import": ["import", "incidents", "{files}"],
    "analyse": ["analyse", "--as-of", "2026-01-01T00:00:00Z"],
    "export cells, GeoJSON": [
        "export",
        "latest",
        "--layer",
        "cells",
        "--purpose",
        "benchmark",
        "-o",
        "{home}/cells.geojson",
    ],
    "export cells, GeoPackage": [
        "export",
        "latest",
        "--layer",
        "cells",
        "--purpose",
        "benchmark",
        "-o",
        "{home}/cells.gpkg",
    ],
    "export places, GeoJSON": [
        "export",
        "latest",
        "--layer",
        "places",
        "--purpose",
        "benchmark",
        "-o",
        "{home}/places.geojson",
    ],
}


def measure(arguments: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MiB of one command."""
    command = [sys.executable, "-c", "from app.cli import main; main()", *arguments]
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, arguments
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    real = Path(os.environ.get("LAPWING_REAL_DATA") or Path(__file__).resolve().parents[2] / "shared/data")
    files = sorted(map(str, (real / "police-street/national-2018-11").glob("*.csv.gz")))
    if not files:
        print(f"bench_national: no real data in {real}; set LAPWING_REAL_DATA. Nothing was measured.")
        return
    print(
        f"National month, {len(files)} files, SQLite, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    print(f"{'step':28}{'wall s':>10}{'CPU s':>10}{'peak MiB':>12}")
    total = [0.0, 0.0, 0.0]
    with tempfile.TemporaryDirectory() as home:
        for name, template in COMMANDS.items():
            arguments = [part for one in template for part in (files if one == "{files}" else [one.format(home=home)])]
            wall_s, cpu_s, peak_mib = measure(arguments, {"LAPWING_HOME": home, "LAPWING_STORE": ""})
            total = [total[0] + wall_s, total[1] + cpu_s, max(total[2], peak_mib)]
            print(f"{name:28}{wall_s:10.1f}{cpu_s:10.1f}{peak_mib:12.0f}")
    print(f"{'all':28}{total[0]:10.1f}{total[1]:10.1f}{total[2]:12.0f}")


if __name__ == "__main__":
    main()

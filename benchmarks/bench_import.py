"""Import of a million rows in bounded memory: time, and peak memory above that of an idle process of the same modules.

    python benchmarks/bench_import.py [ROWS]

Three files of the same length: points with few words, the same with notes and a vehicle in each row, and one whose rows
are all supplied again under a mapping with a key. The store is SQLite in a temporary folder.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024
IDLE = "import app.services.importing, app.wiring, app.cli.evidence, data.sqlite, pandas, shapely; "
REPORT = "import resource; print('PEAK', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
WORDS = np.array(
    ["by the swings", "left towards the station", "two cars circling", "seen from the bridge after dark", "all quiet"]
)


def write(path: Path, rows: int, *, notes: bool) -> Path:
    """Write a CSV of points round Bath, a hundredth of them without a position."""
    rng = np.random.default_rng(1)
    lon, lat = rng.normal(-2.36, 0.03, rows), rng.normal(51.38, 0.02, rows)
    begin = np.datetime64("2024-01-01T00:00") + rng.integers(0, 700 * 24 * 60, rows).astype("timedelta64[m]")
    kind = rng.choice(["anti-social behaviour", "violence", "drugs", "missing", "theft"], rows)
    with path.open("w", encoding="utf-8") as stream:
        stream.write("id,date,longitude,latitude,kind" + (",notes,registration\n" if notes else "\n"))
        for i in range(rows):
            where = f"{lon[i]:.6f},{lat[i]:.6f}" if i % 100 else ","
            line = f"R{i:07d},{begin[i]},{where},{kind[i]}"
            if notes:
                line += f",{WORDS[i % 5]} and {WORDS[i % 3]},AB{i % 90 + 10}C{chr(65 + i % 26)}E"
            stream.write(line + "\n")
    return path


def measure(code: str) -> tuple[float, float]:
    """Run code in a process of its own; returns seconds and peak MiB."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{REPORT}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return took, float(done.stdout.rsplit("PEAK ", 1)[1]) / MIB


def command(home: Path, *words: object) -> str:
    """Python that runs the command line with ``home``."""
    arguments = [str(word) for word in words]
    return (
        f"{IDLE}import os; os.environ['LAPWING_HOME'] = {str(home)!r}; os.environ.pop('LAPWING_STORE', None)\n"
        f"from app.cli import cli\ncli({arguments!r}, prog_name='lapwing', standalone_mode=False)"
    )


def main(rows: int) -> None:
    """Measure and print a table."""
    _, idle = measure(IDLE)
    print(f"idle {idle:,.0f} MiB; {rows:,} rows")
    print(f"{'file':34} {'MB':>6} {'seconds':>8} {'rows/s':>8} {'peak MiB above idle':>20}")
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        mapping = base / "m.toml"
        mapping.write_text(
            'kind = "incidents"\nsource = "Council"\nkey = ["id"]\nfull_supply = true\n', encoding="utf-8"
        )
        cases = []
        for name, notes in (("points", False), ("points, notes, vehicles", True)):
            cases.append((name, base / f"h{len(cases)}", write(base / f"{len(cases)}.csv", rows, notes=notes), []))
        keyed = base / "keyed"
        keyed.mkdir()
        measure(command(keyed, "mapping", "save", "council", mapping))
        cases += [(f"{name} under a key", keyed, cases[1][2], ["--mapping", "council"]) for name in ("first", "again")]
        for name, home, file, told in cases:
            home.mkdir(exist_ok=True)
            took, peak = measure(command(home, "import", "incidents", file, *told, "--json"))
            size = file.stat().st_size / 1e6
            print(f"{name:34} {size:6.0f} {took:8.1f} {rows / took:8,.0f} {peak - idle:20,.0f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)

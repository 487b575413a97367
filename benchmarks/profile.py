#!/usr/bin/env python3
"""Where the time of convoy's passes on an NVIDIA GPU goes, from Nsight Compute's counters.

Usage: benchmarks/profile.py CASE... [--bench PROGRAM] [-o profile.json]   (on a machine with ncu and a GPU)
       benchmarks/profile.py --csv CASE=FILE... [-o profile.json]          (from ncu --csv --page raw --metrics ...)
Prints a table in Markdown. Counters: duration, share of issue slots used, of DRAM's and the second-level cache's rate, of
warps that are resident, registers a thread. ncu empties caches before each kernel, so that times are longer than a run's.
"""

import argparse
import csv
import io
import json
import pathlib
import re
import subprocess

METRICS = {
    "gpu__time_duration.sum": "microseconds",
    "smsp__issue_active.avg.pct_of_peak_sustained_active": "issue_percent",
    "dram__throughput.avg.pct_of_peak_sustained_elapsed": "dram_percent",
    "lts__t_sectors.avg.pct_of_peak_sustained_elapsed": "cache_percent",
    "sm__warps_active.avg.pct_of_peak_sustained_active": "warps_percent",
    "launch__registers_per_thread": "registers",
}
SCALE = {"ns": 1e-3, "us": 1.0, "usecond": 1.0, "nsecond": 1e-3, "ms": 1e3, "msecond": 1e3}


def counters(bench, case):
    command = ["ncu", "--csv", "--page", "raw", "--clock-control", "none", "--launch-skip", "30", "--launch-count", "8",
               "--metrics", ",".join(METRICS), bench, "--backend", "cuda", "--case", case, "--peers", "none", "--no-host",
               "--repeats", "3"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def passes(case, text):
    """The last launch of each kernel that the text holds."""
    lines = [line for line in text.splitlines() if line.startswith('"')]
    rows = list(csv.DictReader(io.StringIO("\n".join(lines))))
    if not rows:
        raise SystemExit(f"{case}: ncu's output holds no table")
    units, found = rows[0], {}
    for row in rows[1:]:
        values = {}
        for metric, name in METRICS.items():
            value = float(row[metric].replace(",", ""))
            values[name] = round(value * SCALE.get(units[metric], 1.0), 2)
        found[row["Kernel Name"]] = {"case": case, "pass": re.sub(r"\(.*", "", row["Kernel Name"]), **values}
    return list(found.values())


def table(results):
    lines = ["| case | pass | us | issue slots | DRAM | cache | warps | registers |", "|---|---|---|---|---|---|---|---|"]
    for one in results:
        lines.append(f"| {one['case']} | {one['pass']} | {one['microseconds']:.1f} | {one['issue_percent']:.0f} % | "
                     f"{one['dram_percent']:.0f} % | {one['cache_percent']:.0f} % | {one['warps_percent']:.0f} % | {one['registers']:.0f} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--bench", default="build/release/bin/convoy-bench")
    parser.add_argument("--csv", nargs="+", default=[], metavar="CASE=FILE")
    parser.add_argument("-o", dest="output", type=pathlib.Path)
    given = parser.parse_args()
    results = []
    for case in given.cases:
        results += passes(case, counters(given.bench, case))
    for named in given.csv:
        case, _, path = named.partition("=")
        results += passes(case, pathlib.Path(path).read_text())
    if given.output:
        given.output.write_text(json.dumps({"made_by": "benchmarks/profile.py", "results": results}, indent=1) + "\n")
    print(table(results), end="")


if __name__ == "__main__":
    main()

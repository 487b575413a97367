#!/usr/bin/env python3
"""Compares two runs case by case; fails if convoy became slower than the threshold allows, wrong, or is missing."""

import argparse
import sys

import results


def rows(old, new, statistic):
    """(key, kind, old seconds, new seconds) for every time that both runs have."""
    new_by_key = {results.key(r): r for r in new}
    for before in old:
        after = new_by_key.get(results.key(before))
        for kind in ("resident_seconds", "host_to_host_seconds"):
            a = results.seconds(before, kind, statistic)
            b = results.seconds(after, kind, statistic) if after else None
            if a is not None and b is not None:
                yield before, kind, a, b


def lost(old, new):
    """convoy's results that were right before and are not there or not right now."""
    passed = {results.key(r) for r in new if r.get("passed")}
    return [r for r in old if r["implementation"] == results.OWN and r.get("passed") and results.key(r) not in passed]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--threshold", type=float, default=1.1, help="largest new / old that passes (default 1.1)")
    parser.add_argument("--statistic", choices=("min", "median"), default="median")
    arguments = parser.parse_args()
    old = results.load([arguments.old])
    new = results.load([arguments.new])

    compared = list(rows(old, new, arguments.statistic))
    failures = []
    print(f"{'case':<12}{'what':<22}{'time':<14}{'old ms':>10}{'new ms':>10}{'new/old':>9}")
    for result, kind, a, b in compared:
        too_slow = result["implementation"] == results.OWN and b / a > arguments.threshold
        name = f"{results.case_label(result)} on {results.contender(result)}"
        if too_slow:
            failures.append(f"{name}: {kind} is {b / a:.2f} times what it was")
        print(f"{results.case_label(result):<12}{results.contender(result):<22}{kind.replace('_seconds', ''):<14}"
              f"{results.milliseconds(a):>10}{results.milliseconds(b):>10}{b / a:>9.3f}{'  SLOWER' if too_slow else ''}")
    for result in lost(old, new):
        failures.append(f"{results.case_label(result)} on {results.contender(result)}: right before, now missing or wrong")
    if not compared:
        failures.append("the two runs have no timed case in common")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

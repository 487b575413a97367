#!/usr/bin/env python3
"""Draws the time of every case beside its floor and its peers (SVG or PNG, by the file's ending)."""

import argparse
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

import results  # noqa: E402

matplotlib.rcParams["svg.hashsalt"] = "convoy"  # equal figures make equal files

OWN_COLOURS = ["#0b6e4f", "#3aa17e", "#86c9b0"]
PEER_COLOURS = ["#c8553d", "#e09f3e", "#f2c57c", "#9a8c98", "#5c677d", "#adb5bd"]


def floor_of(group):
    floors = [r[name] for r in group for name in ("floor_seconds", "reference_floor_seconds") if name in r]
    return min(floors) if floors else None


def colours(names):
    own, peers = iter(OWN_COLOURS), iter(PEER_COLOURS)
    return {n: next(own if n.startswith(results.OWN) else peers, "#cccccc") for n in names}


def draw(rows, title):
    names = results.contenders(rows)
    groups = list(results.by_problem(rows).values())
    width = 0.84 / len(names)
    colour_of = colours(names)
    figure, axis = plt.subplots(figsize=(max(7.0, 1.35 * len(groups) + 1.5), 4.8))
    for number, name in enumerate(names):
        label = name
        for place, group in enumerate(groups):
            time = next((results.seconds(r) for r in group if results.contender(r) == name), None)
            if time is None:
                continue
            x = place - 0.42 + (number + 0.5) * width
            axis.bar(x, 1e3 * time, width * 0.94, color=colour_of[name], label=label)
            label = None
            axis.text(x, 1e3 * time * 1.08, results.milliseconds(time), ha="center", va="bottom", fontsize=7, rotation=90,
                      zorder=4, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})  # the floor may lie there
    label = "floor: bytes of five separate passes / copy rate"
    for place, group in enumerate(groups):
        floor = floor_of(group)
        if floor is not None:
            axis.hlines(1e3 * floor, place - 0.46, place + 0.46, color="black", linewidth=1.6, label=label, zorder=3)
            label = None
    axis.set_yscale("log")
    low, high = axis.get_ylim()
    axis.set_ylim(low, high * 2.2)
    axis.set_xticks(range(len(groups)))
    axis.set_xticklabels([f"{results.case_label(g[0])}\n{results.shape_text(g[0]['image_zyx'])}\n"
                          f"* {results.shape_text(g[0]['kernel_zyx'])}\n{g[0]['mode']}" for g in groups], fontsize=8)
    axis.set_ylabel("ms a convolution (log scale)")
    axis.set_title(title, fontsize=10)
    axis.grid(axis="y", which="major", linewidth=0.4, alpha=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.24), ncol=4)
    return figure


def title_of(rows):
    devices = sorted({r["device"] for r in rows if r["implementation"] == results.OWN}) or [rows[0]["device"]]
    where = "; ".join(devices)
    scaled = "" if all(r["scale"] == 1 for r in rows) else ", scaled-down cases"
    return f"FFT convolution, kernel spectrum cached{scaled}\n{where}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", nargs="+")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--device", choices=("gpu", "cpu"), help="which results to draw (default: gpu if there are any)")
    arguments = parser.parse_args()
    rows = [r for r in results.load(arguments.result) if results.seconds(r) is not None]
    gpu = [r for r in rows if not results.on_cpu(r)]
    chosen = gpu if arguments.device == "gpu" or (arguments.device is None and gpu) else [r for r in rows if results.on_cpu(r)]
    if not chosen:
        raise SystemExit("there is no measured time to draw")
    draw(chosen, title_of(chosen)).savefig(arguments.output, bbox_inches="tight", dpi=150,
                                             metadata={"Date": None} if arguments.output.endswith(".svg") else None)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Prints the Markdown table of one or more runs, or puts it into a README between its markers."""

import argparse
import sys

import results

BEGIN = "<!-- benchmarks:begin -->"
END = "<!-- benchmarks:end -->"


def own(group):
    return [r for r in group if r["implementation"] == results.OWN]


def best_own_seconds(group):
    times = [t for t in map(results.seconds, own(group)) if t is not None]
    return min(times) if times else None


def cell(result, best):
    """A time; peers with how many times convoy's best it is."""
    if result is None:
        return ""
    time = results.seconds(result)
    if time is None:
        return "failed"
    if result["implementation"] == results.OWN:
        return f"**{results.milliseconds(time)}**"
    return results.milliseconds(time) + (f" ({time / best:.1f}x)" if best else "")


def least(group, name):
    values = [r[name] for r in own(group) if r.get(name) is not None]
    return min(values) if values else None


def table(rows):
    """One Markdown table for results of one kind of device."""
    columns = results.contenders(rows)
    with_floor = any("floor_seconds" in r for r in rows)
    head = ["case", "image", "kernel", "mode"] + (["floor"] if with_floor else []) + columns
    if with_floor:
        head.append("x floor")
    head.append("peak MB")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * 4 + "---:|" * (len(head) - 4)]
    for group in results.by_problem(rows).values():
        by_contender = {results.contender(r): r for r in group}
        first = (own(group) or group)[0]
        best = best_own_seconds(group)
        # The stricter of the two floors: our padding's, or that of the least padding.
        floors = [f for f in (least(group, "floor_seconds"), least(group, "reference_floor_seconds")) if f]
        line = [results.case_label(first), results.shape_text(first["image_zyx"]),
                results.shape_text(first["kernel_zyx"]), first["mode"]]
        if with_floor:
            line.append(results.milliseconds(min(floors)) if floors else "")
        line += [cell(by_contender.get(name), best) for name in columns]
        if with_floor:
            line.append(f"{best / min(floors):.2f}" if best and floors else "")
        fastest = [r for r in own(group) if best is not None and results.seconds(r) == best]
        line.append(f"{1e-6 * fastest[0]['peak_device_bytes']:.0f}" if fastest else "")
        lines.append("| " + " | ".join(line) + " |")
    return "\n".join(lines)


def caption(rows):
    """Where, with what and when: one line for each device and run."""
    seen = {}
    for r in rows:
        if r["implementation"] != results.OWN:
            continue
        rate = r.get("copy_ceiling_bytes_per_second")
        threads = f", {r['num_threads']} threads" if results.on_cpu(r) and "threads" not in r["device"] else ""
        text = f"{r['backend']}: {r['device']}{threads}, {r['driver']}"
        if rate:
            text += f", copies {1e-9 * rate:.0f} GB/s"
        seen.setdefault(text, f"{text}; commit {r['commit']}, {str(r['date'])[:10]}")
    libraries = sorted({f"{name} {version}" for r in rows for name, version in r.get("libraries", {}).items()})
    lines = list(seen.values()) + (["peers: " + ", ".join(libraries)] if libraries else [])
    return "\n".join(f"* {line}" for line in lines)


def markdown(rows):
    """A table for each GPU that convoy ran on, then one for CPUs."""
    gpu = [r for r in rows if not results.on_cpu(r)]
    devices = list(dict.fromkeys(r["device"] for r in own(gpu) or gpu))
    tables = []
    for device in devices:
        # Peers that name the device otherwise stand beside the first.
        of_device = [r for r in gpu if r["device"] == device or (device == devices[0] and r["device"] not in devices)]
        tables.append((f"Milliseconds a convolution on the GPU ({device}), image and kernel spectrum in device memory", of_device))
    tables.append(("Milliseconds a convolution on the CPU, kernel spectrum cached", [r for r in rows if results.on_cpu(r)]))
    parts = []
    for title, of_kind in tables:
        if of_kind:
            parts += [f"{title}:", table(of_kind), caption(of_kind)]
    return "\n\n".join(parts)


def replace_in(path, text):
    """Puts the text between the file's markers."""
    with open(path) as file:
        content = file.read()
    begin, end = content.find(BEGIN), content.find(END)
    if begin < 0 or end < begin:
        raise SystemExit(f"{path} has no '{BEGIN}' followed by '{END}'")
    with open(path, "w") as file:
        file.write(content[:begin + len(BEGIN)] + "\n" + text + "\n" + content[end:])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", nargs="+")
    parser.add_argument("--readme", help=f"put the tables between {BEGIN} and {END} of this file")
    arguments = parser.parse_args()
    text = markdown(results.load(arguments.result))
    if arguments.readme:
        replace_in(arguments.readme, text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

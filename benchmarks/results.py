"""Reading the JSON that convoy-bench and peers.py write (README.md lists the keys)."""

import json

OWN = "convoy"
# The order of columns and bars; others follow.
PEERS = ["cuFFT", "CuPy", "cupyx fftconvolve", "PyTorch", "PyTorch conv", "cupyx ndimage", "cupyx gaussian_filter", "FFTW", "scipy.fft", "scipy fftconvolve"]
RUN_KEYS = ("convoy_version", "commit", "command", "date", "host_cpu", "system", "made_by")


def load(paths):
    """Results of all files, each with the keys of its run added; of equal ones on one device the last file's counts."""
    found = {}
    for path in paths:
        with open(path) as file:
            run = json.load(file)
        if run.get("schema_version") != 1:
            raise SystemExit(f"{path}: schema_version is {run.get('schema_version')!r}, 1 is understood")
        for result in run["results"]:
            found[key(result), result.get("device")] = {**{k: run.get(k) for k in RUN_KEYS}, **result}
    return list(found.values())


def key(result):
    """What makes two results comparable."""
    return (result["case"], result["scale"], tuple(result["image_zyx"]), tuple(result["kernel_zyx"]), result["mode"],
            result["precision"], result["implementation"], result["backend"])


def problem(result):
    """What makes two results answers to one question."""
    return key(result)[:6]


def by_problem(results):
    """{problem: [results]} in the order met."""
    groups = {}
    for result in results:
        groups.setdefault(problem(result), []).append(result)
    return groups


def on_cpu(result):
    return result["backend"] == "cpu"


def contender(result):
    """The name of a column or bar: convoy by backend, peers by library."""
    return f"convoy {result['backend']}" if result["implementation"] == OWN else result["implementation"]


def contenders(results):
    """All names that occur: convoy's backends first, then peers in a fixed order."""
    names = list(dict.fromkeys(contender(r) for r in results))
    own = [n for n in names if n.startswith(OWN)]
    known = [n for n in PEERS if n in names]
    return own + known + [n for n in names if n not in own and n not in known]


def seconds(result, kind=None, statistic="median"):
    """None where it was not measured. Without a kind, the time that libraries are compared by: on a GPU that with all
    data on the device, on the CPU that from the caller's memory to the caller's memory."""
    kind = kind or ("host_to_host_seconds" if on_cpu(result) else "resident_seconds")
    times = result.get(kind)
    if not result.get("passed") or times is None:
        return None
    return times[statistic]


def case_label(result):
    return result["case"] if result["scale"] == 1 else f"{result['case']} x {result['scale']:g}"


def shape_text(zyx):
    return "x".join(str(n) for n in (zyx[1:] if zyx[0] == 1 else zyx))


def milliseconds(value):
    if value is None:
        return "-"
    ms = 1e3 * value
    return f"{ms:.3f}" if ms < 10 else f"{ms:.2f}" if ms < 100 else f"{ms:.0f}"

#!/usr/bin/env python3
"""How close deconvolutions come to the truth, by iteration: scenes with fixed seeds, restored by the program.

For each scene, method and number of iterations: Pearson correlation with the truth, NRMSE (Euclidean norm of the difference
over that of the truth), and where the truth is dim, the share of voxels that are exactly 0 and of those below a tenth of it.
Scenes go on beyond the image, as specimens do. Writes JSON; `--markdown FILE` puts the tables of one between the file's marks.
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

SHAPE, PSF = (32, 96, 96), (31, 63, 63)
PLANE, PLANE_PSF = (1, 192, 192), (1, 63, 63)
ITERATIONS = (5, 10, 25, 50)
METHODS = {
    "default": "",
    "plain": "--acceleration none --start flat",
    "momentum, flat start": "--start flat",
    "momentum, image": "--start image",
    "biggs": "--acceleration biggs",
    "biggs, flat start": "--acceleration biggs --start flat",
    "biggs, image": "--acceleration biggs --start image",
}
STOPS = ("gradient-consensus", "discrepancy")
GRID = (5, 8, 10, 12, 15, 20, 25, 32, 40, 60, 100)  # of which the best is what a stop is compared with
BACKGROUND = 0.01  # of the brightest truth


def wide(shape, psf):
    return tuple(n + k - 1 for n, k in zip(shape, psf))


def beads(shape, random):
    """Solid beads of all brightnesses."""
    truth, (z, y, x) = np.zeros(shape), np.indices(shape)
    for _ in range(int(np.prod(shape) / 6000) + 1):
        center, radius = [random.uniform(0, n) for n in shape], random.uniform(1.5, 3.5)
        inside = (2 * (z - center[0])) ** 2 + (y - center[1]) ** 2 + (x - center[2]) ** 2 <= radius**2
        truth[inside] += random.uniform(0.3, 1)
    return truth


def filaments(shape, random):
    """Curved lines, two voxels thick."""
    truth = np.zeros(shape)
    for _ in range(int(np.sqrt(np.prod(shape[1:])) / 3)):
        place = np.array([random.uniform(0, n) for n in shape])
        direction, turn = random.normal(size=3) * (0.2, 1, 1), random.normal(size=3) * (0.002, 0.02, 0.02)
        brightness = random.uniform(0.3, 1)
        for _ in range(2 * shape[2]):
            direction = direction + turn
            place = place + direction / np.linalg.norm(direction)
            if not all(0 <= p < n - 1 for p, n in zip(place, shape)):
                break
            begin = np.floor(place).astype(int)
            truth[tuple(slice(b, min(b + 2, n)) for b, n in zip(begin, shape))] = brightness
    return truth


def nuclei(shape, random):
    """Ellipsoids of a mottled texture."""
    truth, (z, y, x) = np.zeros(shape), np.indices(shape)
    texture = random.uniform(0.4, 1, shape)
    for axis in range(3):
        texture = (texture + np.roll(texture, 1, axis) + np.roll(texture, -1, axis)) / 3
    for _ in range(int(np.prod(shape[1:]) / 1500) + 1):
        center, radius = [random.uniform(0, n) for n in shape], random.uniform(6, 11)
        inside = (2 * (z - center[0])) ** 2 + (y - center[1]) ** 2 + (1.3 * (x - center[2])) ** 2 <= radius**2
        truth[inside] = texture[inside] * random.uniform(0.5, 1)
    return truth


class Program:
    def __init__(self, program, backend):
        self.words = [program]
        self.backend = ["--backend", backend]

    def __call__(self, *words):
        done = subprocess.run([*self.words, *map(str, words)], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{words}: {done.stderr}")
        return done.stderr

    def convolve(self, *words):
        return self("convolve", *words, "--quiet", "--mode", "valid", "--normalize", *self.backend)

    def restore(self, scene, words):
        report = scene["folder"] / "report.json"
        self("deconvolve", scene["image"], scene["psf"], scene["folder"] / "out.npy", "--quiet", "--report", report,
             *scene["words"], *words, *self.backend)
        return np.load(scene["folder"] / "out.npy").astype(float), json.loads(report.read_text())


def make_scene(program, folder, name, make, shape, psf, peak, offset=0, words=(), seed=1):
    """The expected image has `peak` photons above its background where it is brightest, then Poisson noise."""
    folder = folder / name.replace(" ", "_")
    folder.mkdir()
    random = np.random.default_rng(seed)
    truth = make(wide(shape, psf), random)
    truth += BACKGROUND * truth.max()
    optics = ["--size", ",".join(map(str, psf))]
    program("psf", "widefield", folder / "psf.npy", *optics, "--voxel", "0.3,0.1,0.1", "--quiet")
    np.save(folder / "wide.npy", truth.astype("f4"))
    program.convolve(folder / "wide.npy", folder / "psf.npy", folder / "blurred.npy")
    blurred = np.maximum(np.load(folder / "blurred.npy").reshape(shape), 0).astype(float)
    factor = peak / (blurred.max() - blurred.min())
    np.save(folder / "image.npy", random.poisson(factor * blurred + offset).astype("f4"))
    inner = tuple(slice(k // 2 if k % 2 else k // 2 - 1, (k // 2 if k % 2 else k // 2 - 1) + n) for n, k in zip(shape, psf))
    return dict(name=name, truth=factor * truth[inner], image=folder / "image.npy", psf=folder / "psf.npy", words=list(words), folder=folder)


def bars(program, folder, data, peak):
    """The Bars volume, blurred with its own PSF, with noise; or, without a peak, as it was published."""
    name = f"bars, peak {peak}" if peak else "bars as published"
    folder = folder / name.replace(" ", "_")
    folder.mkdir()
    program("convolve", data / "actual.tif", data / "kernel.tif", folder / "blurred.npy", "--quiet", "--normalize", *program.backend)
    truth = read_tiff(data / "actual.tif")
    scene = dict(name=name, truth=truth, image=data / "data.tif", psf=data / "kernel.tif", words=[], folder=folder)
    if not peak:
        return scene
    blurred = np.maximum(np.load(folder / "blurred.npy"), 0).astype(float)
    factor = peak / blurred.max()
    np.save(folder / "image.npy", np.random.default_rng(1).poisson(factor * blurred).astype("f4"))
    return {**scene, "truth": factor * truth, "image": folder / "image.npy"}


def read_tiff(path):
    """Little-endian, uncompressed float32 pages in strips."""
    import struct

    raw = path.read_bytes()
    pages, at = [], struct.unpack_from("<I", raw, 4)[0]
    while at:
        tags = {}
        count = struct.unpack_from("<H", raw, at)[0]
        for i in range(count):
            tag, kind, length = struct.unpack_from("<HHI", raw, at + 2 + 12 * i)
            code, size = {3: ("H", 2), 4: ("I", 4)}.get(kind, ("", 0))
            if not size:
                continue
            place = at + 10 + 12 * i
            if size * length > 4:
                place = struct.unpack_from("<I", raw, place)[0]
            tags[tag] = struct.unpack_from(f"<{length}{code}", raw, place)
        strips = b"".join(raw[begin : begin + size] for begin, size in zip(tags[273], tags[279]))
        pages.append(np.frombuffer(strips, "<f4").reshape(tags[257][0], tags[256][0]))
        at = struct.unpack_from("<I", raw, at + 2 + 12 * count)[0]
    return np.stack(pages).astype(float)


def all_scenes(program, folder, data):
    for name, make in (("beads", beads), ("filaments", filaments), ("nuclei", nuclei)):
        for peak in (20, 200, 2000):
            yield lambda n=name, m=make, p=peak: make_scene(program, folder, f"{n}, peak {p}", m, SHAPE, PSF, p)
    yield lambda: make_scene(program, folder, "beads, peak 200, offset 100", beads, SHAPE, PSF, 200, 100, ("--background", 100))
    yield lambda: make_scene(program, folder, "2-D nuclei, peak 200", nuclei, PLANE, PLANE_PSF, 200)
    if data and data.is_dir():
        for peak in (None, 20, 200, 2000):
            yield lambda p=peak: bars(program, folder, data, p)


def measure(truth, found):
    dim = truth <= truth.min() + 0.01 * np.ptp(truth)
    return dict(
        correlation=round(float(np.corrcoef(truth.ravel(), found.ravel())[0, 1]), 5),
        nrmse=round(float(np.linalg.norm(found - truth) / np.linalg.norm(truth)), 5),
        zeros_where_dim=round(float((found[dim] == 0).mean()), 5),
        dark_where_dim=round(float((found[dim] < 0.1 * truth[dim]).mean()), 5),
    )


def run(program, folder, arguments):
    for make in all_scenes(program, folder, arguments.data):
        scene = make()
        if arguments.scene and arguments.scene not in scene["name"]:
            continue
        for name, words in METHODS.items():
            if arguments.methods and name not in arguments.methods.split(";"):
                continue
            for iterations in ITERATIONS:
                found, report = program.restore(scene, [*words.split(), "--iterations", iterations])
                yield dict(scene=scene["name"], method=name, options=words, iterations=report["iterations"],
                           iterating_seconds=round(report["iterating_seconds"], 3), **measure(scene["truth"], found.reshape(scene["truth"].shape)))


def run_stops(program, folder, arguments):
    """Each stop, without a number of iterations, beside the best of the grid."""
    for make in all_scenes(program, folder, arguments.data):
        scene = make()
        if (arguments.scene and arguments.scene not in scene["name"]) or "as published" in scene["name"]:
            continue
        for words in [["--stop", stop] for stop in STOPS] + [["--iterations", str(n)] for n in GRID]:
            found, report = program.restore(scene, words)
            yield dict(scene=scene["name"], method=" ".join(words), iterations=report["iterations"], stop_reason=report["stop_reason"],
                       **measure(scene["truth"], found.reshape(scene["truth"].shape)))


def stop_table(results):
    lines = ["| scene | best of the grid | " + " | ".join(STOPS) + " |", "|---|---:|" + "---:|" * len(STOPS)]
    for scene in dict.fromkeys(r["scene"] for r in results):
        rows = [r for r in results if r["scene"] == scene]
        best = min((r for r in rows if r["method"].startswith("--iterations")), key=lambda r: r["nrmse"])
        cells = []
        for stop in STOPS:
            r = next(r for r in rows if r["method"] == f"--stop {stop}")
            cells.append(f"{r['nrmse']:.3f} after {r['iterations']} ({100 * (r['nrmse'] / best['nrmse'] - 1):+.1f} %)")
        lines.append(f"| {scene} | {best['nrmse']:.3f} after {best['iterations']} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def table(results):
    """Correlation after 10 and 25 iterations of each method."""
    methods = list(dict.fromkeys(r["method"] for r in results))
    lines = ["| scene | " + " | ".join(methods) + " |", "|---|" + "---|" * len(methods)]
    for scene in dict.fromkeys(r["scene"] for r in results):
        found = {(r["method"], r["iterations"]): f"{r['correlation']:.3f}" for r in results if r["scene"] == scene}
        lines.append(f"| {scene} | " + " | ".join(f"{found[m, 10]} / {found[m, 25]}" for m in methods) + " |")
    return "\n".join(lines) + "\n"


def dim_table(results):
    """Where the truth is dim: voxels that are 0, and those below a tenth of it, after 25 iterations."""
    methods = list(dict.fromkeys(r["method"] for r in results))
    lines = ["| scene | " + " | ".join(methods) + " |", "|---|" + "---|" * len(methods)]
    for scene in dict.fromkeys(r["scene"] for r in results):
        at = {r["method"]: r for r in results if r["scene"] == scene and r["iterations"] == 25}
        cells = (f"{100 * at[m]['zeros_where_dim']:.1f} / {100 * at[m]['dark_where_dim']:.1f}" for m in methods)
        lines.append(f"| {scene} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def put_between_marks(path, mark, text):
    begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->\n"
    whole = path.read_text()
    at, after = whole.index(begin) + len(begin), whole.index(end)
    path.write_text(whole[:at] + text + whole[after:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="convoy, or with --markdown a JSON file of an earlier run")
    parser.add_argument("-o", "--output", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, help="folder of the Bars volume: actual.tif, data.tif, kernel.tif")
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--scene", help="only those whose name has this part")
    parser.add_argument("--methods", help="only these, with ; between")
    parser.add_argument("--stops", action="store_true", help="compare the stops instead")
    parser.add_argument("--markdown", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.markdown:
        results = json.loads(pathlib.Path(arguments.program).read_text())["results"]
        tables = {"stops": stop_table} if arguments.stops else {"deconvolution quality": table, "dim voxels": dim_table}
        for mark, make in tables.items():
            put_between_marks(arguments.markdown, mark, make(results))
        return 0
    program, results = Program(arguments.program, arguments.backend), []
    version = subprocess.run([arguments.program, "--version"], capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="convoy-quality-") as folder:
        for result in (run_stops if arguments.stops else run)(program, pathlib.Path(folder), arguments):
            results.append(result)
            print(f"{result['scene']:<28}{result['method']:<22}{result['iterations']:>4}{result['correlation']:8.3f}{result['nrmse']:9.3f}"
                  f"{result['zeros_where_dim']:8.3f}{result['dark_where_dim']:8.3f}", flush=True)
            if arguments.output:
                document = {"schema_version": 1, "made_by": "deconvolution_quality.py", "program": version,
                            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "results": results}
                part = arguments.output.with_suffix(".part")
                part.write_text(json.dumps(document, indent=1) + "\n")
                os.replace(part, arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())

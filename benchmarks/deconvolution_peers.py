#!/usr/bin/env python3
"""Times Richardson-Lucy loops in CuPy on the cases of a `convoy-bench --deconvolution` run, and writes the same JSON.

Two loops, both for images that are dark outside: "CuPy RL" keeps the PSF's spectrum and pads to n + k - 1; "cuCIM RL"
is the loop of cuCIM and scikit-image: two fftconvolve calls an iteration. Three iterations of both are checked on a
small image against the second in double precision before they are timed.
"""

import argparse
import datetime
import json
import os
import statistics
import sys
import time

EPSILON = 1e-12
TOLERANCE = 1e-4


class CupyLoop:
    name = "CuPy RL"

    def __init__(self, cupy, image, psf):
        from cupyx.scipy import fft

        self.cupy, self.fft, self.image = cupy, fft, image
        self.padded = [fft.next_fast_len(n + k - 1) for n, k in zip(image.shape, psf.shape)]
        self.spectrum = fft.rfftn(psf, self.padded)
        self.begin = [k // 2 for k in psf.shape]
        self.whole = tuple(slice(0, n) for n in image.shape)
        self.inner = tuple(slice(b, b + n) for b, n in zip(self.begin, image.shape))

    def step(self, estimate):
        blurred = self.fft.irfftn(self.fft.rfftn(estimate, self.padded) * self.spectrum, self.padded)[self.inner]
        ratio = self.cupy.zeros(self.padded, estimate.dtype)
        ratio[self.inner] = self.image / (blurred + EPSILON)
        back = self.fft.irfftn(self.fft.rfftn(ratio) * self.spectrum.conj(), self.padded)[self.whole]
        return estimate * back


class CucimLoop:
    name = "cuCIM RL"

    def __init__(self, cupy, image, psf):
        from cupyx.scipy.signal import fftconvolve

        self.image, self.psf, self.mirrored, self.convolve = image, psf, cupy.flip(psf), fftconvolve

    def step(self, estimate):
        ratio = self.image / (self.convolve(estimate, self.psf, mode="same") + EPSILON)
        return estimate * self.convolve(ratio, self.mirrored, mode="same")


def make_problem(cupy, result, precision):
    random = cupy.random.RandomState(11)
    image = random.uniform(10, 1000, result["image_zyx"]).astype(precision)
    psf = cupy.ones((1, 1, 1), "f8")
    for axis, k in enumerate(result["kernel_zyx"]):
        line = cupy.exp(-0.5 * ((cupy.arange(k) - k // 2) / max(k / 10, 1e-3)) ** 2)
        shape = [1, 1, 1]
        shape[axis] = k
        psf = psf * line.reshape(shape)
    return image, (psf / psf.sum()).astype(precision)


def measure(cupy, kind, result, arguments):
    pool = cupy.get_default_memory_pool()
    cupy.fft.config.get_plan_cache().clear()
    pool.free_all_blocks()
    small = {**result, "image_zyx": [min(n, 40) for n in result["image_zyx"]],
             "kernel_zyx": [min(k, 9) | 1 if k > 1 else 1 for k in result["kernel_zyx"]]}
    ours, truth = [], []
    for precision, found in (("f4", ours), ("f8", truth)):
        image, psf = make_problem(cupy, small, "f8")
        loop = (kind if precision == "f4" else CucimLoop)(cupy, image.astype(precision), psf.astype(precision))
        estimate = cupy.full(image.shape, 0.5, precision)
        for _ in range(3):
            estimate = loop.step(estimate)
        found.append(estimate.astype("f8"))
    error = float(cupy.linalg.norm(ours[0] - truth[0]) / cupy.linalg.norm(truth[0]))
    identity = {k: result[k] for k in ("case", "scale", "image_zyx", "kernel_zyx", "precision")}
    answer = {**identity, "mode": "deconvolution", "edges": "zero", "acceleration": "none", "implementation": kind.name,
              "backend": "cuda", "device_id": "cuda:0", "device": cupy.cuda.runtime.getDeviceProperties(0)["name"].decode(),
              "libraries": {"cupy": cupy.__version__}, "error_relative_l2": error, "tolerance_relative_l2": TOLERANCE,
              "passed": error <= TOLERANCE}
    image, psf = make_problem(cupy, result, "f4")
    loop = kind(cupy, image, psf)
    del psf
    estimate = cupy.full(image.shape, 0.5, "f4")
    for _ in range(2):
        estimate = loop.step(estimate)
    times = []
    for _ in range(arguments.repeats):
        cupy.cuda.Device().synchronize()
        begin = time.perf_counter()
        for _ in range(arguments.iterations):
            estimate = loop.step(estimate)
        cupy.cuda.Device().synchronize()
        times.append((time.perf_counter() - begin) / arguments.iterations)
    answer["iteration_seconds"] = {"min": min(times), "median": statistics.median(times), "max": max(times),
                                   "batch_size": arguments.iterations, "num_batches": len(times)}
    answer["device_bytes"] = pool.total_bytes()
    return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("beside", help="JSON of convoy-bench --deconvolution: its cases are run")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=10, help="in each timed run")
    arguments = parser.parse_args()
    try:
        import cupy
    except ImportError as absent:
        print(f"CuPy is not here ({absent})")
        return 0
    with open(arguments.beside) as file:
        beside = json.load(file)
    cases = {}
    for result in beside["results"]:
        cases.setdefault((result["case"], result["scale"]), result)
    found = []
    for result in cases.values():
        for kind in (CupyLoop, CucimLoop):
            answer = measure(cupy, kind, result, arguments)
            found.append(answer)
            print(f"{answer['case']:<10} {kind.name:<12} {1e3 * answer['iteration_seconds']['median']:9.3f} ms  "
                  f"{answer['device_bytes'] / 2**30:.2f} GiB", flush=True)
            document = {"schema_version": 1, "made_by": "deconvolution_peers.py", "commit": beside.get("commit"),
                        "command": " ".join(["deconvolution_peers.py", *sys.argv[1:]]),
                        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                        "results": found}
            with open(arguments.output + ".part", "w") as file:
                json.dump(document, file, indent=1)
            os.replace(arguments.output + ".part", arguments.output)
    return 0 if all(answer["passed"] for answer in found) else 1


if __name__ == "__main__":
    sys.exit(main())

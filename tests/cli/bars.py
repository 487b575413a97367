"""Real data, whole and in tiles: `convoy convolve` on the Bars volume (TIFF) against SciPy in double precision, for every mode
and boundary, on the CPU and on a Vulkan device where there is one. Needs CONVOY_TEST_DATA, the folder that holds bars/."""
import json
import pathlib
import sys

from bars_data import DATA, read_stack
from program import backends_with_devices, np, relative_l2, succeed

try:
    from scipy import signal
except ImportError:
    print("SKIPPED: this Python has no SciPy")
    sys.exit(0)
TOLERANCE = 5e-6
PAD = {"zero": ("constant", 0.0), "constant": ("constant", 7.0), "reflect": ("symmetric", None), "nearest": ("edge", None),
       "wrap": ("wrap", None), "mirror": ("reflect", None)}


def same(image, kernel, boundary, origin):
    mode, constant = PAD[boundary]
    widths = [(k - 1 - c, c) for k, c in zip(kernel.shape, origin)]
    keywords = {"constant_values": constant} if mode == "constant" else {}
    return signal.fftconvolve(np.pad(image, widths, mode, **keywords), kernel, "valid")


def expectations(image, kernel):
    center = [k // 2 for k in kernel.shape]
    yield ("--mode", "full"), signal.fftconvolve(image, kernel, "full")
    yield ("--mode", "valid"), signal.fftconvolve(image, kernel, "valid")
    yield ("--mode", "same", "--origin", "scipy"), signal.fftconvolve(image, kernel, "same")
    yield ("--mode", "circular"), same(image, kernel, "wrap", center)
    for boundary in PAD:
        words = ("--constant", "7") if boundary == "constant" else ()
        yield ("--boundary", boundary, *words), same(image, kernel, boundary, center)


def convolve(backend, *words):
    succeed("convolve", DATA / "actual.tif", DATA / "kernel.tif", "out.npy", "--backend", backend, "--quiet", "--report",
            "report.json", *words)
    return np.load("out.npy"), json.loads(pathlib.Path("report.json").read_text())


def limits_for_tiles(backend, wanted):
    """The largest memory limits on a grid that need at least so many tiles; for 0 the least memory that does. Without
    --tune off, a kernel as large as the image is better served by a split transform than by that many tiles."""
    plan = ("plan", "--backend", backend, "--image", "32,64,64", "--kernel", "32,64,64", "--json", "--tune", "off")
    whole = json.loads(succeed(*plan).stdout)
    high, low = whole["footprint_bytes"], whole["smallest_footprint_bytes"]
    found = {0: low}
    for step in range(41):
        limit = int(low + (high - 1 - low) * (1 - step / 40))
        tiles = json.loads(succeed(*plan, "--memory-limit", limit).stdout)["num_tiles"]
        for least in wanted:
            if tiles >= least:
                found.setdefault(least, limit)
    return found


def main():
    image, kernel = read_stack(DATA / "actual.tif"), read_stack(DATA / "kernel.tif")
    kernel /= kernel.sum()
    backends = backends_with_devices()
    whole = {}
    for backend in backends:
        worst = 0.0
        for words, expected in expectations(image, kernel):
            result, _ = convolve(backend, *words)
            assert result.shape == expected.shape, (backend, words, result.shape, expected.shape)
            error = relative_l2(result, expected)
            assert error <= TOLERANCE, (backend, words, error)
            worst = max(worst, error)
        whole[backend] = convolve(backend)[0]
        print(f"{backend}: every mode and boundary against SciPy, largest relative L2 error {worst:.1e}; "
              f"against the CPU backend {relative_l2(whole[backend], whole['cpu']):.1e}")
    for backend in backends:
        wanted = (0, 2, 10, 100) if backend == "cpu" else (0, 2, 10)  # every tile takes time on software Vulkan
        limits = limits_for_tiles(backend, wanted)
        assert sorted(limits) == sorted(wanted), (backend, limits)
        for least, limit in limits.items():
            tune = () if least == 0 else ("--tune", "off")
            result, report = convolve(backend, "--memory-limit", limit, *tune)
            error = relative_l2(result, whole["cpu"])
            assert error <= TOLERANCE, (backend, limit, error)
            tiles = report["plan"]["num_tiles"]
            assert tiles >= least, (backend, limit, tiles)
            if least == 0:
                assert "the transform is split" in report["plan"]["reasons"][0], report["plan"]["reasons"]
            print(f"{backend}: --memory-limit {limit}: {tiles} tile(s) or part(s), relative L2 difference from the whole {error:.1e}")


main()

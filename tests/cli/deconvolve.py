"""`convoy deconvolve`: what it writes, reports, warns of and refuses."""
import json
import sys

from program import FOLDER, fail, np, relative_l2, succeed

try:
    import tifffile
except ImportError:
    print("SKIPPED: this Python has no tifffile")
    sys.exit(0)

CPU = ("--backend", "cpu")
RNG = np.random.default_rng(5)
SHAPE, PSF = (10, 24, 28), (3, 5, 5)


def gaussian(shape):
    z, y, x = np.meshgrid(*(np.arange(n) - n // 2 for n in shape), indexing="ij")
    psf = np.exp(-0.5 * (z**2 + (y / 1.2) ** 2 + (x / 1.2) ** 2))
    return psf / psf.sum()


def circular(image, psf):
    """The blur of a scene with a dark rim: nothing wraps round."""
    whole = np.zeros(image.shape)
    whole[tuple(slice(0, k) for k in psf.shape)] = psf
    for axis, k in enumerate(psf.shape):
        whole = np.roll(whole, -(k // 2), axis)
    return np.fft.irfftn(np.fft.rfftn(image) * np.fft.rfftn(whole), image.shape)


truth = np.zeros(SHAPE)
truth[tuple(RNG.integers(3, n - 3, 25) for n in SHAPE)] = RNG.uniform(500, 2000, 25)
blurred = circular(truth, gaussian(PSF))
np.save("truth.npy", truth.astype(np.float32))
np.save("psf.npy", gaussian(PSF).astype(np.float32))
np.save("blurred.npy", np.maximum(blurred, 0).astype(np.float32))


def correlation(values):
    return np.corrcoef(np.ravel(values), truth.ravel())[0, 1]


def restore(*words, image="blurred.npy"):
    done = succeed("deconvolve", image, "psf.npy", "out.npy", *CPU, *words)
    return np.load("out.npy"), done


# It restores, and says so in one line
result, done = restore("--iterations", 60, "--report", "report.json")
assert done.stdout.count("\n") == 1 and "60 iterations" in done.stdout and "10x24x28" in done.stdout, done.stdout
assert done.stderr == "" and result.dtype == np.float32 and result.shape == SHAPE and (result >= 0).all()
assert correlation(result) > 0.9 > 0.7 > correlation(blurred), (correlation(result), correlation(blurred))

# The report: flux, memory, and a curve that only falls
report = json.loads((FOLDER / "report.json").read_text())
assert report["iterations"] == 60 and report["stop_reason"] == "iterations" and report["backend"] == "cpu"
assert report["command"][1] == "deconvolve" and report["plan"]["frame"] == [12, 28, 32]
assert report["peak_device_bytes"] <= report["plan"]["footprint_bytes"]
assert report["missing_voxels"] == report["negative_voxels"] == 0
assert abs(report["output_sum"] - result.sum(dtype=float)) < 1e-3 * report["output_sum"]
assert report["plan"]["spec"]["acceleration"] == "momentum" and report["plan"]["spec"]["start"] == "auto"
restore("--iterations", 60, "--acceleration", "none", "--start", "flat", "--report", "report.json")
curve = json.loads((FOLDER / "report.json").read_text())["curve"]
assert [point["iteration"] for point in curve] == list(range(61)) and curve[0]["relative_change"] is None
divergence = np.array([point["divergence"] for point in curve])
assert (np.diff(divergence) <= 1e-4 * divergence[:-1]).all() and divergence[-1] < 0.05 * divergence[0]
flux = np.array([point["modelled_flux"] for point in curve[1:]])
assert np.allclose(flux, report["input_sum"], rtol=1e-5)
assert 0 < report["seconds_per_iteration"] <= report["timings"]["run_seconds"]

# Options change what they say they change
quick, done = restore("--iterations", 500, "--stop", "relative:0.01", "--report", "report.json")
report = json.loads((FOLDER / "report.json").read_text())
assert report["stop_reason"] == "relative-change" and report["iterations"] < 500 and "ended by --stop" in done.stdout
changes = [point["relative_change"] for point in report["curve"][1:]]
assert changes[-1] < 0.01 <= min(changes[:-1])
for words in (("--start", "flat"), ("--start", "25.5"), ("--precision", "f64"), ("--origin", "peak")):
    other, _ = restore("--iterations", 60, *words)
    assert correlation(other) > 0.9, (words, correlation(other))
    assert other.dtype == (np.float64 if "f64" in words else np.float32)
    assert (relative_l2(other, result) < 1e-4) == (words[0] != "--start"), words

# A scene that goes on beyond the image: non-circulant edges know that, the others blame its light on voxels inside
wide = np.zeros([n + 12 for n in SHAPE])
wide[tuple(RNG.integers(0, n, 900) for n in wide.shape)] = 1000
inside = tuple(slice(6, -6) for _ in SHAPE)
np.save("cut.npy", np.maximum(circular(wide, gaussian(PSF))[inside], 0).astype(np.float32))
shell = np.ones(SHAPE, bool)
shell[1:-1, 1:-1, 1:-1] = False
excess = {}
for edges in ("noncirculant", "zero", "reflect"):
    cut, _ = restore("--iterations", 60, "--edges", edges, image="cut.npy")
    excess[edges] = abs(cut[shell].sum() / wide[inside][shell].sum() - 1)
assert excess["noncirculant"] < 0.05 and excess["zero"] > 5 * excess["noncirculant"], excess
np.save("raised.npy", (blurred + 10).astype(np.float32))
raised, _ = restore("--iterations", 60, "--background", 10, image="raised.npy")
assert abs(raised.sum() / truth.sum() - 1) < 0.1 and correlation(raised) > 0.9, (raised.sum(), truth.sum(), correlation(raised))
told, done = restore("--iterations", 60, "--background", "auto", image="raised.npy")
assert "background 10" in done.stdout and relative_l2(told, raised) < 0.01, (done.stdout, relative_l2(told, raised))
_, done = restore("--iterations", 3, image="raised.npy")
assert "if that is a camera's offset" in done.stderr and "--background auto" in done.stderr, done.stderr
twice, _ = restore("--iterations", 5, "--dtype", "u16")
assert twice.dtype == np.uint16
assert restore("--quiet")[1].stdout == ""

# Other methods
accelerated, _ = restore("--iterations", 20, "--acceleration", "biggs", "--report", "report.json")
report = json.loads((FOLDER / "report.json").read_text())
assert report["curve"][-1]["divergence"] < divergence[60] and correlation(accelerated) > 0.9
restore("--iterations", 1, "--acceleration", "none", "--report", "plain.json")
plain_bytes = json.loads((FOLDER / "plain.json").read_text())["plan"]["footprint_bytes"]
assert report["plan"]["footprint_bytes"] > 1.3 * plain_bytes
landweber, _ = restore("--iterations", 60, "--algorithm", "landweber")
assert correlation(landweber) > correlation(blurred) + 0.05 and (landweber >= 0).all()
wiener, done = restore("--algorithm", "wiener", "--noise", 1e-4)
assert correlation(wiener) > correlation(blurred) + 0.05 and "Wiener's filter" in done.stdout, (correlation(wiener), done.stdout)
noisy = RNG.poisson(np.maximum(blurred, 0) / 10).astype(np.float32)
np.save("noisy.npy", noisy)
rough, smooth = (restore("--iterations", 60, "--tv", tv, image="noisy.npy")[0] for tv in (0, 0.05))
assert np.abs(np.diff(smooth)).sum() < 0.95 * np.abs(np.diff(rough)).sum()

# In tiles: the same, within the limit
tiled, done = restore("--iterations", 10, "--memory-limit", report["plan"]["footprint_bytes"] // 2, "--report", "tiled.json")
tiled_report = json.loads((FOLDER / "tiled.json").read_text())
assert tiled_report["plan"]["tiling"] == "exact" and min(tiled_report["plan"][which]["num_tiles"] for which in ("convolution", "adjoint")) > 1 and "tiles" in done.stdout
assert tiled_report["peak_device_bytes"] <= report["plan"]["footprint_bytes"] // 2
assert relative_l2(tiled, restore("--iterations", 10)[0]) <= 1e-5

# Missing voxels: masked, saturated, NaN
holed = np.maximum(blurred, 0).astype(np.float32)
mask = np.ones(SHAPE, np.uint8)
mask[5, 10:12, 10:12] = 0
holed[5, 10:12, 10:12] = 1e7
holed[3, 4, 5] = np.nan
holed[7, 20, 20] = 65535
holed[0, 0, 0] = -3
np.save("holed.npy", holed)
np.save("mask.npy", mask)
fail(1, "1 NaN or infinite", "deconvolve", "holed.npy", "psf.npy", "none.npy", *CPU)
mended, done = restore("--nan", "mask", "--mask", "mask.npy", "--saturation", 65535, "--iterations", 60, "--report", "report.json",
                       image="holed.npy")
report = json.loads((FOLDER / "report.json").read_text())
assert (report["missing_voxels"], report["non_finite_voxels"], report["saturated_input_voxels"]) == (6, 1, 1)
assert "1 negative" in done.stderr and "1 NaN" in done.stderr and len(report["warnings"]) == 2
assert np.isfinite(mended).all() and mended.max() < 1e5 and correlation(mended) > 0.85, correlation(mended)

# Voxel sizes: total variation takes their ratios, whatever the unit, and needs none
tifffile.imwrite("cubes.tif", noisy, imagej=True, metadata={"axes": "ZYX", "unit": "nm", "spacing": 100.0}, resolution=(0.01, 0.01))
tifffile.imwrite("slabs.tif", noisy, imagej=True, metadata={"axes": "ZYX", "unit": "mm", "spacing": 3e-4}, resolution=(1e4, 1e4))
images = {}
for name in ("noisy.npy", "cubes.tif", "slabs.tif"):
    images[name], done = restore("--iterations", 10, "--tv", 0.05, image=name)
    assert done.stderr == "", done.stderr
assert relative_l2(images["cubes.tif"], images["noisy.npy"]) < 1e-5 < 1e-3 < relative_l2(images["slabs.tif"], images["noisy.npy"])

# PSFs that are not what light does
psf = gaussian(PSF)
negative = psf.copy()
negative[0, 0, 0] = negative[2, 4, 4] = -0.1
clipped = np.maximum(negative, 0)
for name, values in (("negative.npy", negative), ("clipped.npy", clipped), ("below.npy", -psf)):
    np.save(name, values.astype(np.float32))
with_psf = lambda name, *words: ("deconvolve", "blurred.npy", name, "out.npy", *CPU, *words)
done = succeed(*with_psf("negative.npy", "--report", "report.json"))
assert "the PSF has 2 negative voxels, whose sum is 20 % of the others'" in done.stderr, done.stderr
report = json.loads((FOLDER / "report.json").read_text())
assert report["psf_negative_voxels"] == 2 and len(report["warnings"]) == 1
restored = np.load("out.npy")
assert succeed(*with_psf("clipped.npy")).stderr == "" and (np.load("out.npy") == restored).all()
fail(1, "2 negative voxel(s), the first at z,y,x = 0,0,0", *with_psf("negative.npy", "--psf-negative", "error"))
fail(1, "no positive voxel", *with_psf("below.npy"))
wide = gaussian((5, 9, 9))
np.save("pedestal.npy", (wide + 3 / wide.size).astype(np.float32))
assert "75 % of the PSF's sum is a constant" in succeed(*with_psf("pedestal.npy")).stderr
far = np.zeros((1, 30, 1), np.float32)
far[0, 29, 0] = 1
np.save("far.npy", far)
for algorithm in ("rl", "landweber", "wiener"):
    fail(1, "nothing of the PSF's light reaches the image", *with_psf("far.npy", "--edges", "zero", "--origin", "first", "--algorithm", algorithm))

# Images of any unit and range
for factor in (1e-33, 1e-25, 1e18, 1e30):
    np.save("scaled.npy", (np.maximum(blurred, 0) * factor).astype(np.float32))
    scaled, done = restore("--iterations", 10, "--tv", 0.01, image="scaled.npy")
    expected, _ = restore("--iterations", 10, "--tv", 0.01)
    assert done.stderr == "" and relative_l2(scaled / factor, expected) < 1e-4, factor
np.save("beyond.npy", np.maximum(blurred, 0) * 1e300)
beyond, done = restore("--iterations", 10, image="beyond.npy")
assert "clipped to the range of f32; --dtype f64 keeps them" in done.stderr and np.isfinite(beyond).all()
beyond, done = restore("--iterations", 10, "--dtype", "f64", image="beyond.npy")
assert done.stderr == "" and relative_l2(beyond / 1e300, restore("--iterations", 10)[0]) < 1e-5
dark = np.full(SHAPE, -3, np.float32)
dark[0] = 5
np.save("dark.npy", dark)
for words in (("--compat", "skimage"), ("--algorithm", "wiener")):  # these take negative voxels as they are
    assert restore(*words, image="dark.npy")[1].stderr == ""

# Memory: traced down to 0, planned before, refused in one line
trace = [line for line in restore("--trace-memory")[1].stderr.splitlines() if line.startswith("used ")]
used = [int(line.split()[3]) for line in trace]
plan = json.loads(succeed("plan", "--image", "10,24,28", "--kernel", "3,5,5", "--deconvolve", "--json", *CPU).stdout)
assert used[-1] == 0 and max(used) == plan["footprint_bytes"] == sum(line["bytes"] for line in plan["ledger"])
zero = json.loads(succeed("plan", "--image", "10,24,28", "--kernel", "3,5,5", "--deconvolve", "--edges", "zero", "--json", *CPU).stdout)
assert zero["footprint_bytes"] < plan["footprint_bytes"] and zero["frame"] == [10, 24, 28]
assert "weights" in succeed("plan", "--image", "10,24,28", "--kernel", "3,5,5", "--deconvolve", *CPU).stdout

# What makes no sense is refused
DECONVOLVE = ("deconvolve", "blurred.npy", "psf.npy", "none.npy", *CPU)
fail(2, "--iterations", *DECONVOLVE, "--iterations", -1)
fail(2, "--edges: 'mirror' is none of noncirculant, zero, reflect", *DECONVOLVE, "--edges", "mirror")
fail(2, "--background", *DECONVOLVE, "--background", -5)
for start in ("mean", "0", "-1", "nan", "3x"):
    fail(2, "--start", *DECONVOLVE, "--start", start)
np.save("photons.npy", RNG.poisson(np.maximum(blurred, 0) / 4).astype(np.float32))
ended, done = restore("--stop", "gradient-consensus", "--report", "report.json", image="photons.npy")
report = json.loads((FOLDER / "report.json").read_text())
assert report["stop_reason"] == "gradient-consensus" and report["iterations"] < 200 and "ended by --stop" in done.stdout
for stop in ("absolute:3", "relative:", "relative:2", "relative:-1", "relative:1e-3x", "0.1"):
    fail(2, "--stop", *DECONVOLVE, "--stop", stop)
fail(2, "--nan", *DECONVOLVE, "--nan", "zero")
fail(2, "--psf-negative", *DECONVOLVE, "--psf-negative", "keep")
fail(2, "--acceleration", *DECONVOLVE, "--acceleration", "biggs", "--algorithm", "landweber")
fail(2, "--iterations", *DECONVOLVE, "--iterations", 3, "--algorithm", "wiener")
fail(2, "--noise", *DECONVOLVE, "--noise", 3)
fail(1, "below 1", *DECONVOLVE, "--tv", 2)
fail(2, "--mode", *DECONVOLVE, "--mode", "full")
fail(2, "psf.npy", "deconvolve", "blurred.npy", "psf.npy", "psf.npy", *CPU)
fail(2, "mask.npy", *DECONVOLVE, "--mask", "mask.npy", "--report", "mask.npy")
fail(2, "--edges", "plan", "--image", "8,9,10", "--kernel", "3,3,3", "--edges", "zero")
fail(1, "the mask is 3x5x5", *DECONVOLVE, "--mask", "psf.npy")
np.save("empty.npy", np.zeros(SHAPE, np.uint8))
fail(1, "every voxel of the image is masked", *DECONVOLVE, "--mask", "empty.npy")
np.save("nothing.npy", np.zeros(PSF, np.float32))
fail(1, "sum is 0", "deconvolve", "blurred.npy", "nothing.npy", "none.npy", *CPU)

# Damping, and Landweber's step
def with_choice(*words):
    succeed("deconvolve", "blurred.npy", "psf.npy", "choice.npy", *CPU, "--quiet", "--overwrite", "--iterations", 5, "--report", "choice.json", *words)
    return np.load("choice.npy"), json.loads((FOLDER / "choice.json").read_text())["plan"]["spec"]


plain, spec = with_choice()
assert spec["damping"] == 0 and spec["relaxation"] == 1 and spec["clip"] is True, spec
damped, spec = with_choice("--damping", 5)
assert spec["damping"] == 5 and not np.array_equal(damped, plain)
stepped, spec = with_choice("--algorithm", "landweber", "--relaxation", 1.5, "--no-clip")
assert spec["relaxation"] == 1.5 and spec["clip"] is False and stepped.min() < 0 <= with_choice("--algorithm", "landweber")[0].min()
WORDS = ("deconvolve", "blurred.npy", "psf.npy", "none.npy", *CPU)
fail(2, "--damping", *WORDS, "--algorithm", "landweber", "--damping", 1)
fail(2, "--relaxation", *WORDS, "--relaxation", 1.5)
fail(2, "--clip", *WORDS, "--no-clip")
fail(1, "below 2", *WORDS, "--algorithm", "landweber", "--relaxation", 2.5)


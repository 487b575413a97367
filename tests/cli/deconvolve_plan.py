"""`convoy plan --deconvolve` prints the plan that `convoy deconvolve` with the same options goes by."""
import json

from program import FOLDER, fail, np, succeed

RNG = np.random.default_rng(3)
SHAPE, PSF = (12, 64, 80), (3, 7, 9)
np.save("image.npy", RNG.poisson(RNG.uniform(5, 50, SHAPE)).astype(np.uint16))
np.save("movie.npy", RNG.poisson(RNG.uniform(5, 50, (2, 2, *SHAPE))).astype(np.uint16))
for name in ("psf.npy", "other.npy"):
    np.save(name, RNG.random(PSF).astype(np.float32))
CPU, TEAM = ("--backend", "cpu"), ("--devices", "cpu,cpu")
SMALL = ("--memory-limit", "1MiB")  # in tiles


def planned(*words):
    return json.loads(succeed("plan", *words, "--deconvolve", "--json").stdout)


def done(image, psf, *words):
    succeed("deconvolve", image, psf, "restored.npy", *words, "--quiet", "--report", "run.json")
    return json.loads((FOLDER / "run.json").read_text())["plan"]


for image, psf, *words in (
        ("image.npy", "psf.npy", *CPU, "--memory-limit", "1GiB"),
        ("image.npy", "psf.npy", *CPU, "--memory-limit", "1GiB", "--iterations", 3, "--edges", "reflect", "--acceleration", "biggs", "--tv", 0.01),
        ("image.npy", "psf.npy", *CPU, "--memory-limit", "1GiB", "--algorithm", "wiener", "--noise", 0.1, "--precision", "f64"),
        ("image.npy", "psf.npy", *CPU, *SMALL, "--iterations", 2, "--start", "flat", "--background", 3),
        ("image.npy", "psf.npy", *CPU, *SMALL, "--iterations", 2, "--tiles", "fast", "--halo", 0.5),
        ("image.npy", "psf.npy", *TEAM, *SMALL, "--iterations", 2),
        ("image.npy", "psf.npy", *TEAM, *SMALL, "--iterations", 2, "--tiles", "fast"),
        ("movie.npy", "psf.npy,other.npy", *CPU, *SMALL, "--iterations", 2, "--axes", "TCZYX", "--origin", "peak")):
    plan, run = planned(image, psf, *words), done(image, psf, *words)
    assert run["spec"].pop("origin") == "at" and plan["spec"].pop("origin") in ("at", "center")  # a run names the voxel
    if words[:2] == [*TEAM]:  # a run cuts the tiles for all devices first, and then plans each
        for convolution in (plan["convolution"], run["convolution"], plan["adjoint"], run["adjoint"]):
            for key in ("reasons", "smallest_footprint_bytes"):
                (convolution or {}).pop(key, None)
    assert plan == run, (words, {key: (plan[key], run[key]) for key in plan if plan[key] != run[key]})
    assert plan["host_bytes"] == sum(line["bytes"] for line in plan["host_ledger"]) > 0

# What makes the PSF ready for the image, and types of voxels, count as in a run; a mask counts where memory is limited
for more in (("--psf-crop", 0.2), ("--psf-crop", 0.2, "--origin", "peak"), ("--voxel-size", "1,2,2,um", "--psf-voxel-size", "1,1,1,um"),
             ("--dtype", "u16", "--tiles", "fast", *SMALL), ("--tv", 0.01, "--voxel-size", "3,1,1,um")):
    plan, run = planned("image.npy", "psf.npy", *CPU, *more), done("image.npy", "psf.npy", *CPU, *more)
    assert run["spec"].pop("origin") == "at" and plan["spec"].pop("origin") in ("at", "center")
    assert plan["spec"] == run["spec"] and plan["host_ledger"] == run["host_ledger"] and plan["ledger"] == run["ledger"], more
assert planned("image.npy", "psf.npy", *CPU, "--psf-crop", 0.2)["spec"]["psf"] != list(PSF)
bytes_of = {dtype: planned("image.npy", "psf.npy", *CPU, "--dtype", dtype)["host_bytes"] for dtype in ("u8", "f64")}
assert bytes_of["f64"] - bytes_of["u8"] == 7 * np.prod(SHAPE), bytes_of
np.save("bright.npy", np.ones((24, 320, 320)))
done("bright.npy", "psf.npy", *CPU, "--ram-limit", "1GiB", "--iterations", 1)
fits = json.loads((FOLDER / "run.json").read_text())["planned_host_bytes"] + 10 * 2**20  # half a mask
tilings = [planned("bright.npy", "psf.npy", *CPU, "--ram-limit", fits, *more)["tiling"] for more in ((), ("--mask", "bright.npy"))]
assert tilings == ["none", "fast"], tilings
for option in (("--psf-crop", 0.9), ("--psf-voxel-size", "1,1,1,um"), ("--mask", "bright.npy")):
    fail(2, option[0], "plan", "--image", "9,9,9", "--kernel", "3,3,3", "--deconvolve", *option)
    fail(2, "--deconvolve", "plan", "image.npy", "psf.npy", *option)
fail(2, "--psf-crop", "plan", "image.npy", "psf.npy", "--deconvolve", "--psf-crop", 1.5)

# What --ram-limit leaves differs a little from run to run, what it leads to does not
np.save("large.npy", np.ones((24, 320, 320), np.float32))
for limit, tiling in (("400MiB", "none"), ("130MiB", "fast")):
    words = (*CPU, "--ram-limit", limit, "--iterations", 1)
    plan, run = planned("large.npy", "psf.npy", *words), done("large.npy", "psf.npy", *words)
    assert plan["tiling"] == run["tiling"] == tiling, (limit, plan["tiling"], run["tiling"])
    assert plan["num_tiles"] == run["num_tiles"] or tiling == "fast"
    # Without files, an image of f32 is taken
    assert planned("--image", "24,320,320", "--kernel", "3,7,9", *words)["tiling"] == tiling
fail(1, "--ram-limit", "plan", "large.npy", "psf.npy", "--deconvolve", *CPU, "--ram-limit", "20MiB", "--json")
text = succeed("plan", "image.npy", "psf.npy", "--deconvolve", *CPU, *SMALL).stdout
assert "estimate, weights" in text and "blur: device memory" in text, text

# A convolution's plan keeps --ram-limit, too
convolution = json.loads(succeed("plan", "large.npy", "psf.npy", *CPU, "--ram-limit", "80MiB", "--json").stdout)
assert convolution["host_bytes"] <= 80 << 20 and convolution["num_tiles"] > 1
for words in (("--iterations", 3), ("--tiles", "fast"), ("--devices", "cpu,cpu")):
    fail(2, "--deconvolve", "plan", "image.npy", "psf.npy", *words)
for words in (("--mode", "full"), ("--boundary", "reflect"), ("--correlate",), ("--pairing", "each")):
    fail(2, words[0], "plan", "image.npy", "psf.npy", "--deconvolve", *words)
fail(2, "--noise", "plan", "image.npy", "psf.npy", "--deconvolve", "--noise", 3)
print("plans of deconvolutions")

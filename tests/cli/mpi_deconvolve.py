"""`convoy-mpi deconvolve`: ranks share images, channels' PSFs or one image's regions; the output is what one process restores."""
import json
import pathlib
import shutil
import signal
import subprocess
import time

from program import FOLDER, np, relative_l2, succeed
from ranks import ENVIRONMENT, command_of, own_lines, ranks

RNG = np.random.default_rng(4)
SHAPE = (12, 60, 70)
CPU = ("--backend", "cpu", "--iterations", 4)
movie = RNG.poisson(RNG.uniform(5, 50, (3, 2, *SHAPE))).astype(np.uint16)
movie[..., :15] = 0  # which no camera's offset leaves
np.save("movie.npy", movie)
np.save("image.npy", movie[0, 0] + np.uint16(3))
np.save("delta.npy", np.ones((1, 1, 1), np.float32))
grid = np.meshgrid(*(np.arange(n) - n // 2 for n in (3, 5, 7)), indexing="ij")
for number, width in enumerate((1, 1.7)):
    np.save(f"psf{number}.npy", np.exp(-0.5 * sum((axis / width) ** 2 for axis in grid)).astype(np.float32))


def restored(number, image, psf, *choices):
    done = ranks((number, {}, ("deconvolve", image, psf, "out.npy", *CPU, *choices, "--report", "report.json")))
    assert done.returncode == 0 and not own_lines(done), done
    assert done.stdout.count(f"{number} ranks") == (number > 1), done.stdout
    return np.load("out.npy"), json.loads((FOLDER / "report.json").read_text())


def alone(image, psf, *choices):
    succeed("deconvolve", image, psf, "one.npy", *CPU, *choices, "--report", "one.json")
    return np.load("one.npy"), json.loads((FOLDER / "one.json").read_text())


# Time points; channels, where there are fewer time points than ranks; a mask for each image
PSFS = ("movie.npy", "psf0.npy,psf1.npy", "--axes", "TCZYX")
expected, one = alone(*PSFS)
for number, parts in ((2, ["2 of 6 images", "4 of 6 images"]), (4, ["0 of 6 images"] * 2 + ["3 of 6 images"] * 2)):
    result, report = restored(number, *PSFS)
    assert relative_l2(result, expected) < 1e-6 and sorted(rank["part"] for rank in report["ranks"]) == parts, report["ranks"]
    for key in ("input_sum", "output_sum", "iterations", "num_images", "output", "missing_voxels"):
        assert np.allclose(report[key], one[key], rtol=1e-6) if key.endswith("sum") else report[key] == one[key] or key == "output", key
np.save("masks.npy", (RNG.random((6, *SHAPE)) > 0.2).astype(np.uint8).reshape(3, 2, *SHAPE))
succeed("convolve", "masks.npy", "delta.npy", "masks.zarr", *CPU[:2], "--axes", "TCZYX", "--dtype", "u8")
result, report = restored(2, *PSFS, "--mask", "masks.zarr")
expected, one = alone(*PSFS, "--mask", "masks.zarr")
assert relative_l2(result, expected) < 1e-6 and report["missing_voxels"] == one["missing_voxels"] > 0

# One image: regions in tiles of the same cores, which the report names
result, report = restored(2, "image.npy", "psf0.npy", "--background", "auto")
core = ",".join(map(str, report["plan"]["core"]))
expected, one = alone("image.npy", "psf0.npy", "--background", "auto", "--tiles", "fast", "--core", core)
assert np.array_equal(result, expected) and report["background"] == one["background"] > 0
assert abs(report["input_sum"] - one["input_sum"]) <= 1e-9 * one["input_sum"] and abs(report["output_sum"] / one["output_sum"] - 1) < 1e-6
assert len({rank["part"] for rank in report["ranks"]}) == 2 and relative_l2(result, alone("image.npy", "psf0.npy", "--background", "auto")[0]) < 0.05
result, report = restored(3, "image.npy", "psf0.npy", "--core", "12,20,70", "--region", ":,10:55,5:60", "--dtype", "u16")
assert np.array_equal(result, alone("image.npy", "psf0.npy", "--core", "12,20,70", "--region", ":,10:55,5:60", "--dtype", "u16")[0])
assert report["output"]["shape"] == list(result.shape)

# Interrupted and continued
WORK = ("deconvolve", "movie.npy", "psf0.npy", "out.zarr", "--axes", "TCZYX", *CPU[:2], "--quiet", "--resume")
WORK += ("--iterations", 80, "--tiles", "fast", "--core", "3,15,14")


def num_records():
    journals = list(FOLDER.glob(".out.zarr*journal*"))
    return journals[0].read_text(errors="replace").count("\n") if journals else 0


def interrupted():
    """Whether it was, before it ended."""
    process = subprocess.Popen(command_of((2, {}, WORK)), env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and num_records() < 20:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.wait()
    return not pathlib.Path("out.zarr").exists()


for _ in range(5):
    if interrupted():
        break
    shutil.rmtree("out.zarr")
else:
    raise SystemExit("five runs ended before they could be interrupted: the work is too short")
done = ranks((2, {}, (*WORK, "--report", "report.json")))
assert done.returncode == 0, done
assert json.loads((FOLDER / "report.json").read_text())["skipped_tiles"] > 0
succeed("convolve", "out.zarr", "delta.npy", "out.npy", *CPU[:2], "--overwrite")
succeed("deconvolve", "movie.npy", "psf0.npy", "one.npy", "--axes", "TCZYX", *CPU[:2], "--quiet", "--overwrite", *WORK[-6:])
assert relative_l2(np.load("out.npy"), np.load("one.npy")) < 1e-6

# What cannot be
for words, text in ((("--acceleration", "biggs"), "several ranks restore one image in fast tiles"), (("--tiles", "exact"), "--tiles exact"),
                    (("--iterations", "x"), "--iterations")):
    done = ranks((2, {}, ("deconvolve", "image.npy", "psf0.npy", "none.npy", *CPU[:2], *words)))
    assert done.returncode != 0 and text in done.stderr and done.stderr.count("convoy-mpi: ") == 1, done
assert ranks((2, {}, ("deconvolve", "--help"))).stdout.count("Each rank restores") == 1
assert not pathlib.Path("none.npy").exists()
print("ranks restore what one process does")

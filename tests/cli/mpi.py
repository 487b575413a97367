"""convoy-mpi on four ranks of this machine: the assembled output is what one process computes; one rank's error ends all."""
import json
import os

from program import FOLDER, image, np, relative_l2, succeed
from ranks import own_lines, ranks

image("image.npy", 24, 30, 41)
image("kernel.npy", 3, 5, 4, seed=2)
CPU = ("--backend", "cpu")


def same(number, out, *choices):
    succeed("convolve", "image.npy", "kernel.npy", "one.npy", *CPU, *choices)
    done = ranks((number, {}, ("image.npy", "kernel.npy", out, *CPU, *choices, "--report", "report.json")))
    assert done.returncode == 0, done
    if not out.endswith(".npy"):  # back to what NumPy reads, by a kernel that changes nothing
        np.save("delta.npy", np.float32([[[1]]]))
        succeed("convolve", out, "delta.npy", "out.npy", *CPU)
        out = "out.npy"
    assert relative_l2(np.load(out), np.load("one.npy")) < 1e-6, choices
    return done, json.loads((FOLDER / "report.json").read_text())


done, report = same(4, "out.npy")
assert len(report["ranks"]) == len(report["devices"]) == 4
assert sum(one["num_tiles"] for one in report["ranks"]) == report["num_tiles"] >= 4
assert abs(report["output_sum"] - np.load("one.npy").sum(dtype=float)) < 1e-4 * report["output_sum"]
assert done.stdout.count("host memory") == 1 and not own_lines(done), done
same(4, "out.zarr", "--mode", "full", "--memory-limit", "200KiB")
same(3, "out.ome.tif", "--boundary", "reflect", "--correlate", "--dtype", "u16", "--no-normalize")
same(4, "out.npy", "--region", "3:4,5:6,7:9", "--resume")  # two voxels: some ranks have nothing to do
report = same(1, "out.npy", "--boundary", "wrap")[1]
assert len(report["ranks"]) == 1

# The error of one rank, of rank 0, and of all.
listing = sorted(os.listdir())
WORDS = ("image.npy", "kernel.npy", "new.npy", *CPU)
short = {"CONVOY_LIMIT_FREE_BYTES": "1000"}
done = ranks((2, {}, WORDS), (1, short, WORDS), (1, {}, WORDS))
assert done.returncode != 0 and "convoy-mpi: rank 2 of 4" in done.stderr and "needs at least" in done.stderr, done
assert done.stderr.count("convoy-mpi: ") == 1, done
done = ranks((1, short, WORDS), (2, {}, WORDS))
assert done.returncode != 0 and "needs at least" in done.stderr and "rank" not in own_lines(done)[0], done
for words in (("missing.npy", *WORDS[1:]), (*WORDS, "--devices", "cpu"), ("image.npy", "kernel.npy", "nowhere/out.npy", *CPU)):
    done = ranks((3, {}, words))
    assert done.returncode != 0 and done.stderr.count("convoy-mpi: ") == 1, done
assert sorted(os.listdir()) == listing, (listing, os.listdir())
assert ranks((2, {}, ("--help",))).stdout.count("Each rank computes") == 1

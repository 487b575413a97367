"""--devices: several devices share one run, from files to files, for regions and time points too, and the result is the same."""
import json

from program import FOLDER, backends_with_devices, fail, image, np, relative_l2, succeed

image("image.npy", 24, 30, 41)
image("kernel.npy", 3, 5, 4, seed=2)
WORK = ("convolve", "image.npy", "kernel.npy")
succeed(*WORK, "whole.npy", "--backend", "cpu")
whole = np.load("whole.npy")

teams = ["cpu,cpu", "cpu,cpu,cpu", "all", "cpu"]
teams += [f"cpu,{backend}:0" for backend in backends_with_devices()[1:]]
for team in teams:
    done = succeed(*WORK, "out.npy", "--devices", team, "--report", "report.json")
    assert done.stderr == "", done.stderr
    assert relative_l2(np.load("out.npy"), whole) < 1e-6
    report = json.loads((FOLDER / "report.json").read_text())
    shares = report["devices"]
    assert sum(share["num_tiles"] for share in shares) == report["num_tiles"]
    if team == "all":
        continue
    assert [share["id"].split(":")[0] for share in shares] == [name.split(":")[0] for name in team.split(",")]
    assert all(share["id"] in done.stdout for share in shares), done.stdout
    if len(shares) > 1:
        assert report["num_tiles"] >= 4 * len(shares)

TWO = ("--devices", "cpu,cpu")
succeed(*WORK, "part.npy", *TWO, "--region", "3:20,:,7:")
assert relative_l2(np.load("part.npy"), whole[3:20, :, 7:]) < 1e-6
for adjoint in (("--boundary", "reflect", "--correlate"), ("--mode", "full")):
    succeed(*WORK, "one.npy", "--backend", "cpu", *adjoint)
    succeed(*WORK, "two.npy", *TWO, *adjoint)
    assert relative_l2(np.load("two.npy"), np.load("one.npy")) < 1e-6
np.save("movie.npy", np.stack([np.load("image.npy"), 2 * np.load("image.npy")]))
succeed("convolve", "movie.npy", "kernel.npy", "movie.zarr", *TWO, "--axes", "TZYX", "--resume", "--ram-limit", "200MiB")
succeed("convolve", "movie.zarr", "kernel.npy", "twice.npy", *TWO)
assert np.load("twice.npy").shape == (2, 24, 30, 41)

fail(2, "--backend", *WORK, "out.npy", *TWO, "--backend", "cpu")
fail(2, "quantum", *WORK, "out.npy", "--devices", "cpu,quantum:0")
fail(1, "cpu:7", *WORK, "out.npy", "--devices", "cpu,cpu:7")
fail(2, "--devices", *WORK, "out.npy", "--devices", ",")

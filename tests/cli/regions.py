"""A region alone is what the whole output has there, and --split cuts the output into such jobs."""
import json
import re

from program import fail, image, np, relative_l2, succeed

image("image.npy", 14, 30, 41)
image("kernel.npy", 5, 8, 7, seed=2)
CPU = ("--backend", "cpu")


def part(region, whole):
    return tuple(slice(*map(int, axis.split(":"))) for axis in region.split(","))


for choices in (("--boundary", "reflect"), ("--mode", "full"), ("--mode", "circular", "--correlate"),
                ("--boundary", "nearest", "--correlate")):
    whole_shape = ("--image", "14,30,41", "--kernel", "5,8,7")
    succeed("convolve", "image.npy", "kernel.npy", "whole.npy", *CPU, *choices)
    whole = np.load("whole.npy")
    lines = succeed("plan", *whole_shape, *CPU, *choices, "--split", 6).stdout.splitlines()
    assert len(lines) == 6 and all("device memory" in line and "predicted" in line for line in lines), lines
    listed = json.loads(succeed("plan", *whole_shape, *CPU, *choices, "--split", 6, "--json").stdout)
    assembled = np.full_like(whole, np.nan)
    for line, job in zip(lines, listed):
        region = re.match(r"--region (\S+)", line)[1]
        assert region == job["region"] and job["footprint_bytes"] > 0
        succeed("convolve", "image.npy", "kernel.npy", "part.npy", *CPU, *choices, "--region", region)
        place = part(region, whole)
        assert np.isnan(assembled[place]).all()
        assembled[place] = np.load("part.npy")
    assert relative_l2(assembled, whole) < 1e-6

# Numbers may be left out, and so may axes.
succeed("convolve", "image.npy", "kernel.npy", "whole.npy", *CPU)
whole = np.load("whole.npy")
succeed("convolve", "image.npy", "kernel.npy", "part.npy", *CPU, "--region", "3:,:7")
assert relative_l2(np.load("part.npy"), whole[:, 3:, :7]) < 1e-6

CONVOLVE = ("convolve", "image.npy", "kernel.npy", "out.npy", *CPU)
for region in ("0:15,0:1,0:1", "3:3,:,:", "5:4,:,:", "1,2,3", "a:b,:,:", ":,:,:,:", "-1:3,:,:"):
    fail(1, "region", *CONVOLVE, f"--region={region}")
fail(2, "--split", "plan", "--image", "8,8,8", "--kernel", "3,3,3", "--split", "0")
fail(1, "cannot be cut into 11 boxes", "plan", "--image", "8,8,8", "--kernel", "3,3,3", "--split", "11", *CPU)

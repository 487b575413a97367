"""Several kernels in one command: outputs as channels, a kernel for each channel, weighted sums; plans that count them."""
import json

from program import fail, image, np, relative_l2, succeed

CPU = ("--backend", "cpu", "--no-normalize")
first, second = image("one.npy", 3, 4, 5, seed=2), image("two.npy", 3, 4, 5, seed=3)
picture = image("image.npy", 6, 9, 12)


def alone(source, kernel, *options):
    succeed("convolve", source, kernel, "alone.npy", *CPU, *options, "--overwrite")
    return np.load("alone.npy")


# all: an output of every image and kernel, as channels.
for options in ((), ("--boundary", "reflect"), ("--mode", "full"), ("--method", "direct"),
                ("--region", "1:4,2:9,:")):
    succeed("convolve", "image.npy", "one.npy,two.npy", "both.npy", *CPU, *options, "--overwrite")
    both = np.load("both.npy")
    assert both.shape[0] == 2, both.shape
    for channel, kernel in enumerate(("one.npy", "two.npy")):
        assert relative_l2(both[channel], alone("image.npy", kernel, *options)) < 1e-6, options

# Its adjoint makes one image of two channels.
channels = np.stack([picture, image("other.npy", 6, 9, 12, seed=4)])
np.save("channels.npy", channels)
AXES = ("--axes", "CZYX")
succeed("convolve", "channels.npy", "one.npy,two.npy", "sum.npy", *CPU, *AXES, "--correlate")
expected = alone("image.npy", "one.npy", "--correlate") + alone("other.npy", "two.npy", "--correlate")
assert relative_l2(np.load("sum.npy"), expected.reshape(np.load("sum.npy").shape)) < 1e-6

# each: a kernel for each channel, of every time point.
succeed("convolve", "channels.npy", "one.npy,two.npy", "each.npy", *CPU, *AXES, "--pairing", "each", "--report", "each.json")
each = np.load("each.npy")
assert relative_l2(each[0], alone("image.npy", "one.npy")) < 1e-6
assert relative_l2(each[1], alone("other.npy", "two.npy")) < 1e-6
report = json.load(open("each.json"))
assert report["plan"]["spec"]["pairing"] == "each" and report["kernel_factors"] == [1, 1], report
np.save("film.npy", np.stack([channels, channels[::-1]]))
succeed("convolve", "film.npy", "one.npy,two.npy", "film_each.npy", *CPU, "--axes", "TCZYX", "--pairing", "each")
film = np.load("film_each.npy")
assert film.shape == (2, 2, 6, 9, 12) and relative_l2(film[0], each) < 1e-6
assert relative_l2(film[1, 0], alone("other.npy", "one.npy")) < 1e-6

# sum: weighted, and its adjoint.
left = np.linspace(1, 0, 12, dtype=np.float32) * np.ones((6, 9, 1), np.float32)
np.save("left.npy", left)
np.save("right.npy", 1 - left)
SUM = ("--pairing", "sum", "--weights", "left.npy,right.npy")
np.save("dimmed.npy", picture * left)
np.save("rest.npy", picture * (1 - left))
succeed("convolve", "image.npy", "one.npy,two.npy", "weighed.npy", *CPU, *SUM)
weighed = np.load("weighed.npy")
assert relative_l2(weighed, alone("dimmed.npy", "one.npy") + alone("rest.npy", "two.npy")) < 1e-6
succeed("convolve", "other.npy", "one.npy,two.npy", "adjoint.npy", *CPU, *SUM, "--correlate")
assert abs(np.vdot(weighed, channels[1]) / np.vdot(picture, np.load("adjoint.npy")) - 1) < 1e-5

# Plans count every spectrum and the transform that is kept.
SIZES = ("--image", "32,64,64", "--kernel", "9,9,9", "--backend", "cpu", "--method", "fft", "--json")
one = json.loads(succeed("plan", *SIZES).stdout)
five = json.loads(succeed("plan", *SIZES, "--num-kernels", "5").stdout)
bytes_of = {line["name"]: line["bytes"] for line in five["ledger"]}
assert five["spec"]["num_kernels"] == 5 and five["padded"] == one["padded"]
for line in one["ledger"]:
    assert bytes_of[line["name"]] == {"image tile": 5, "work buffer": 2, "kernel spectrum": 5}[line["name"]] * line["bytes"]
assert sum(bytes_of.values()) == five["footprint_bytes"]
assert "transform is kept" in " ".join(five["reasons"]), five["reasons"]
assert "2 kernels, pairing sum" in succeed("plan", "image.npy", "one.npy,two.npy", "--pairing", "sum").stdout

# What cannot be paired.
fail(2, "takes 2 channels at a time, but the image has 1", "convolve", "image.npy", "one.npy,two.npy", "out.npy",
     "--pairing", "each")
fail(1, "needs weights", "convolve", "image.npy", "one.npy,two.npy", "out.npy", "--pairing", "sum")
fail(1, "weights belong to pairing sum", "convolve", "image.npy", "one.npy", "out.npy", "--weights", "left.npy")
fail(1, "not defined for 2 kernels", "convolve", "image.npy", "one.npy,two.npy", "out.npy", "--origin", "peak")
fail(2, "must be of one shape", "convolve", "image.npy", "one.npy,image.npy", "out.npy")
fail(2, "leave it out", "plan", "image.npy", "one.npy", "--num-kernels", "2")

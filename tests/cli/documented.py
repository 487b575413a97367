"""The README's lines about images larger than memory run as they stand there, on small files, and do what they say."""
import pathlib
import re
import shlex

from program import image, np, relative_l2, succeed

README = pathlib.Path(__file__).parents[2] / "README.md"
block = re.search(r"documented.py runs these lines. -->\n```sh\n(.*?)```", README.read_text(), re.DOTALL)[1]
lines = [shlex.split(line, comments=True)[1:] for line in block.splitlines()]
assert len(lines) == 9 and all(words[0] in ("convolve", "deconvolve", "plan") for words in lines)

CPU = ("--backend", "cpu")
np.save("delta.npy", np.float32([[[1]]]))
values = image("values.npy", 210, 8, 9)
movie = np.random.default_rng(3).random((2, 3, 6, 20, 24)).astype(np.float32)
np.save("movie.npy", movie)
(np.arange(64 * 256 * 256) % 1000).astype("<u2").tofile("camera.raw")
succeed("psf", "gaussian", "psf.tif", "--size", "3,5,5", "--sigma", "1,1,1")
for copy in ("huge.tif", "huge.zarr"):
    succeed("convolve", "values.npy", "delta.npy", copy, "--quiet", *CPU)
succeed("convolve", "movie.npy", "delta.npy", "movie.ome.tif", "--quiet", "--axes", "TCZYX", *CPU)


def as_array(path):
    succeed("convolve", path, "delta.npy", "copy.npy", "--quiet", *CPU)
    return np.load("copy.npy")


for words in lines:
    done = succeed(*words, *CPU)
    if "--split" in words:
        assert done.stdout.count("--region ") == 4
succeed("convolve", "values.npy", "psf.tif", "expected.npy", "--quiet", *CPU)
expected = np.load("expected.npy")
assert relative_l2(as_array("blurred.zarr"), expected) < 1e-6
assert relative_l2(as_array("part.zarr"), expected[100:200]) < 1e-6
assert as_array("restored.zarr").shape == expected[100:200].shape
assert relative_l2(as_array("blurred.ome.tif"), np.load("blurred.npy")) < 1e-6
assert np.load("blurred.npy").shape == movie.shape and as_array("blurred.tif").shape == (64, 256, 256)

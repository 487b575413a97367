"""One image in every kind of file gives one result; time points and channels are convolved one by one and keep their axes."""
import json
import pathlib

from program import FOLDER, fail, image, np, relative_l2, succeed

try:
    import tifffile
    import zarr
except ImportError as absent:
    print(f"SKIPPED: {absent}")
    raise SystemExit(0)

CPU = ("--backend", "cpu", "--quiet")
values = image("image.npy", 20, 30, 40, dtype=np.uint16)
image("kernel.npy", 3, 5, 4, seed=2)
succeed("convolve", "image.npy", "kernel.npy", "expected.npy", *CPU)
expected = np.load("expected.npy")

# Inputs.
tifffile.imwrite("plain.tif", values)
tifffile.imwrite("tiles.tif", values, tile=(16, 16), compression="zlib", bigtiff=True)
(FOLDER / "image.raw").write_bytes(b"header" + values.astype(">u2").tobytes())
store = zarr.open(str(FOLDER / "image.zarr"), "w", shape=values.shape, chunks=(7, 16, 16), dtype="u2")
store[:] = values
for words in (("plain.tif",), ("tiles.tif",), ("image.zarr",), ("image.raw", "--raw", "20,30,40,u16,6,big")):
    succeed("convolve", words[0], "kernel.npy", "out.npy", *CPU, *words[1:])
    assert np.array_equal(np.load("out.npy"), expected), words
fail(1, "--raw", "convolve", "image.raw", "kernel.npy", "out.npy", *CPU)
fail(1, "need 48008", "convolve", "image.raw", "kernel.npy", "out.npy", *CPU, "--raw", "20,30,40,u16,8")
fail(2, "image.zarr", "convolve", "image.zarr", "kernel.npy", "image.zarr", *CPU)
fail(2, "image.zarr", "convolve", "image.zarr/", "kernel.npy", "image.zarr", *CPU)
fail(1, "--ram-limit", "convolve", "image.npy", "kernel.npy", "out.npy", *CPU, "--ram-limit", "2MiB")

# Outputs.
for name in ("out.tif", "out.ome.tif"):
    succeed("convolve", "image.npy", "kernel.npy", name, *CPU)
    assert np.array_equal(tifffile.imread(name), expected)
for more in ((), ("--overwrite",)):  # the second replaces the first
    succeed("convolve", "image.npy", "kernel.npy", "out.zarr", *CPU, *more)
    assert np.array_equal(zarr.open(str(FOLDER / "out.zarr"), "r")["0"][:], expected)
succeed("convolve", "image.npy", "kernel.npy", "out.raw", *CPU)
assert np.array_equal(np.fromfile("out.raw", "<f4").reshape(expected.shape), expected)

# Axes: each image is convolved as if it were alone.
movie = (np.random.default_rng(3).random((2, 3, 6, 20, 24)) * 1000).astype(np.uint16)
np.save("movie.npy", movie)
alone = np.empty(movie.shape, np.float32)
for t, c in np.ndindex(2, 3):
    np.save("one.npy", movie[t, c])
    succeed("convolve", "one.npy", "kernel.npy", "out.npy", *CPU)
    alone[t, c] = np.load("out.npy")
done = succeed("convolve", "movie.npy", "kernel.npy", "out.npy", "--backend", "cpu", "--axes", "TCZYX", "--report", "report.json")
assert "6 x f32 6x20x24" in done.stdout and "host memory: peak" in done.stdout, done.stdout
report = json.loads((FOLDER / "report.json").read_text())
assert report["num_images"] == 6 and report["num_tiles"] == 6 and report["peak_host_bytes"] > 1 << 20
assert abs(report["input_sum"] - movie.sum()) < 1e-3 * movie.sum()
assert np.load("out.npy").shape == movie.shape and np.array_equal(np.load("out.npy"), alone)
succeed("convolve", "movie.npy", "kernel.npy", "out.npy", *CPU, "--axes", "TCZYX", "--region", "1:4,:,5:")
assert relative_l2(np.load("out.npy"), alone[:, :, 1:4, :, 5:]) < 1e-6
tifffile.imwrite("movie.ome.tif", movie, metadata={"axes": "TCZYX"})
tifffile.imwrite("movie.tif", movie.transpose(0, 2, 1, 3, 4), imagej=True, metadata={"axes": "TZCYX"})
for source in ("movie.ome.tif", "movie.tif"):
    succeed("convolve", source, "kernel.npy", "out.ome.tif", *CPU)
    with tifffile.TiffFile("out.ome.tif") as file:
        assert file.series[0].axes == "TCZYX" and np.array_equal(file.series[0].asarray(), alone), source
    succeed("convolve", source, "kernel.npy", "out.tif", *CPU)
    with tifffile.TiffFile("out.tif") as file:
        assert file.series[0].axes == "TZCYX" and np.array_equal(file.series[0].asarray().transpose(0, 2, 1, 3, 4), alone), source
succeed("convolve", "movie.npy", "kernel.npy", "out.zarr", *CPU, "--axes", "TCZYX", "--resume", "--overwrite")
assert np.array_equal(zarr.open(str(FOLDER / "out.zarr"), "r")["0"][:], alone)
succeed("convolve", "out.zarr", "kernel.npy", "twice.zarr", *CPU)
assert zarr.open(str(FOLDER / "twice.zarr"), "r")["0"].shape == movie.shape
fail(1, "--axes", "convolve", "movie.npy", "kernel.npy", "out.npy", *CPU)
fail(1, "5 axes", "convolve", "movie.npy", "kernel.npy", "out.npy", *CPU, "--axes", "TZYX")
fail(2, "are no axes", "convolve", "movie.npy", "kernel.npy", "out.npy", *CPU, "--axes", "TQZYX")
fail(1, "one image is wanted", "convolve", "image.npy", "movie.tif", "out.npy", *CPU)
assert not [name for name in pathlib.Path(".").iterdir() if name.name.startswith(".")]

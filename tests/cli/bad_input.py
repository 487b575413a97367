"""Good command lines for files that are not: exit code 1, one line that names the file, nothing written."""
import os
import struct

from program import FOLDER, fail, image, np, succeed

image("image.npy", 8, 9, 10)
image("kernel.npy", 3, 3, 3)


def convolve(code, part, picture="image.npy", kernel="kernel.npy", output="out.npy", *words):
    fail(code, part, "convolve", picture, kernel, output, "--backend", "cpu", *words)


# Files that cannot be read.
convolve(1, "missing.tif: cannot be read: No such file", "missing.tif")
convolve(1, "missing.npy: cannot be read: No such file", "image.npy", "missing.npy")
(FOLDER / "folder.tif").mkdir()
convolve(1, "folder.tif: is a folder", "folder.tif")
convolve(1, "image.jpg: has extension '.jpg'; known image files are .tif, .tiff, .npy, .raw and .zarr", "image.jpg")
(FOLDER / "text.tif").write_text("no picture")
convolve(1, "text.tif: is no TIFF file", "text.tif")
succeed("convolve", "image.npy", "kernel.npy", "good.tif", "--backend", "cpu", "--quiet")
good = (FOLDER / "good.tif").read_bytes()
for size in (0, 3, 8, 100, len(good) // 2, len(good) - 100):
    (FOLDER / "short.tif").write_bytes(good[:size])
    convolve(1, "short.tif: ", "short.tif")
    convolve(1, "short.tif: ", "image.npy", "short.tif")


def lying_tiff(width, height, compression):
    entries = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, compression), (262, 3, 1), (273, 4, 8), (277, 3, 1),
               (278, 4, height), (279, 4, 16)]
    return (struct.pack("<2sHIH", b"II", 42, 8, len(entries)) +
            b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries) + struct.pack("<I", 0))


for compression in (1, 5, 8, 32773):
    (FOLDER / "liar.tif").write_bytes(lying_tiff(1_000_000, 1_000_000, compression))
    convolve(1, "liar.tif: ", "liar.tif")
(FOLDER / "liar.npy").write_bytes(
    b"\x93NUMPY\x01\x00\x50\x00" + b"{'descr': '<f4', 'fortran_order': False, 'shape': (9999, 99999, 99999)}".ljust(79) + b"\n")
convolve(1, "liar.npy: is truncated", "liar.npy")
np.save("empty.npy", np.zeros((0, 3, 3), np.float32))
convolve(1, "empty.npy: has shape (0, 3, 3)", "empty.npy")
convolve(1, "empty.npy: ", "image.npy", "empty.npy")
np.save("four.npy", np.zeros((2, 2, 2, 2), np.float32))
convolve(1, "four.npy: ", "four.npy")

# Values that make no sense.
for bad in (np.nan, np.inf):
    values = np.ones((3, 3, 3), np.float32)
    values[1, 2, 0] = bad
    np.save("bad.npy", values)
    convolve(1, "kernel", "image.npy", "bad.npy")
    convolve(1, "kernel", "image.npy", "bad.npy", "out.npy", "--no-normalize")
    convolve(1, "NaN or infinite", "bad.npy", "kernel.npy")
np.save("zero_sum.npy", np.array([[[-1, 0, 1]]], np.float32))
convolve(1, "sum", "image.npy", "zero_sum.npy", "out.npy")
assert "negative" in succeed("convolve", "image.npy", "zero_sum.npy", "edges.npy", "--no-normalize", "--backend", "cpu").stderr
image("long.npy", 9, 3, 3)
convolve(1, "valid", "image.npy", "long.npy", "out.npy", "--mode", "valid")
convolve(1, "origin", "image.npy", "kernel.npy", "out.npy", "--origin", "0,3,0")
convolve(1, "constant", "image.npy", "kernel.npy", "out.npy", "--boundary", "constant", "--constant", "inf")
convolve(1, "B", "image.npy", "kernel.npy", "out.npy", "--memory-limit", "1")
fail(1, "B", "plan", "--image", "64,64,64", "--kernel", "9,9,9", "--memory-limit", "1 B", "--backend", "cpu")
fail(1, "origin", "plan", "--image", "8,8,8", "--kernel", "3,3,3", "--origin", "3,0,0", "--backend", "cpu")
fail(1, "", "plan", "--image", "4,4,4", "--kernel", "3,5,3", "--mode", "valid", "--backend", "cpu")
fail(1, "cpu:7", "convolve", "image.npy", "kernel.npy", "out.npy", "--backend", "cpu:7")
fail(1, "refractive", "psf", "widefield", "psf.npy", "--size", "3,3,3", "--na", "1.4")
fail(1, "sigma", "psf", "gaussian", "psf.npy", "--size", "3,3,3", "--sigma=-1,1,1")
fail(1, "u8", "phantom", "spheres", "s.npy", "--size", "8,8,8", "--dtype", "u8", "--value", "300")
fail(1, "radius", "phantom", "spheres", "s.npy", "--size", "8,8,8", "--radius=-1")

# Places that cannot be written: reported before the image is read.
for output in ("out.png", "out", "out.tif.gz"):
    convolve(1, f"{output}: has ", "missing.npy", "kernel.npy", output)
convolve(1, "no_folder/out.tif: cannot be written: there is no folder", "missing.npy", "kernel.npy", "no_folder/out.tif")
convolve(1, "folder.tif: is a folder", "missing.npy", "kernel.npy", "folder.tif")
convolve(1, "no_folder/report.json", "missing.npy", "kernel.npy", "out.npy", "--report", "no_folder/report.json")
fail(1, "no_folder/p.png", "project", "missing.npy", "no_folder/p.png")
fail(1, "no_folder/s.npy", "phantom", "spheres", "no_folder/s.npy")
fail(1, "no_folder/s.npy", "psf", "gaussian", "no_folder/s.npy", "--size", "3", "--sigma", "0,0,1")
if os.geteuid() != 0:
    (FOLDER / "closed").mkdir(mode=0o500)
    convolve(1, "Permission denied", "missing.npy", "kernel.npy", "closed/out.npy")
else:
    print("not run: root may write into every folder")
os.symlink("image.npy", "link.npy")
fail(2, "link.npy", "convolve", "image.npy", "kernel.npy", "link.npy")

# An error leaves an older output as it was.
(FOLDER / "old.npy").write_bytes(b"old")
convolve(1, "", "image.npy", "bad.npy", "old.npy")
assert (FOLDER / "old.npy").read_bytes() == b"old"

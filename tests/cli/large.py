"""An image larger than the memory that convoy may use, made by `phantom` on disk: the output is right where it is looked at, and the
program's resident memory stays within --ram-limit and within what was planned.
Usage: large.py PROGRAM [--size Z,Y,X] [--dtype f32|u16] [--ram-limit BYTES] [--memory-limit BYTES] [--backend NAME]"""
import argparse
import json
import subprocess
import sys

from program import FOLDER, PROGRAM, np, succeed

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--size", default="256,1024,1024")
parser.add_argument("--dtype", default="f32", choices=("f32", "u16"))
parser.add_argument("--ram-limit", default="128MiB")
parser.add_argument("--memory-limit", default="64MiB")
parser.add_argument("--backend", default="cpu")
WANTED = parser.parse_args()
SHAPE = tuple(map(int, WANTED.size.split(",")))
VALUE, ROUNDING, VOXEL_BYTES = {"f32": (1, 2e-6, 4), "u16": (40000, 0.6, 2)}[WANTED.dtype]
KERNEL = (9, 11, 13)


def bytes_of(text):
    return int(text[:-3]) * {"MiB": 2**20, "GiB": 2**30}[text[-3:]]


# A child counts the memory of the process that started it until it is another program: so a small one starts it.
SMALL_PARENT = "import os, sys; _, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0); " \
               "print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)"


def peak_of(*words):
    """Runs the program and returns its peak resident memory in bytes."""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", SMALL_PARENT, PROGRAM, *words], stdout=subprocess.PIPE, text=True, check=True)
    code, kibibytes = done.stdout.split()[-2:]
    assert code == "0", (words, done.stdout)
    return int(kibibytes) * 1024


def direct(image, kernel, box):
    """The convolution of one box by direct sums in double precision; outside the image is zero."""
    total = np.zeros([b - a for a, b in box])
    origin = [k // 2 for k in kernel.shape]
    for at in np.ndindex(*kernel.shape):
        shift = [o - j for o, j in zip(origin, at)]  # output[o] takes image[o + origin - j] * kernel[j]
        part, place = [], []
        for (a, b), s, n in zip(box, shift, image.shape):
            low, high = max(a + s, 0), min(b + s, n)
            part.append(slice(low, max(low, high)))
            place.append(slice(low - s - a, max(low, high) - s - a))
        total[tuple(place)] += kernel[at] * image[tuple(part)].astype(np.float64)
    return total


def main():
    image_bytes = VOXEL_BYTES * int(np.prod(SHAPE))
    limit = bytes_of(WANTED.ram_limit)
    assert 4 * limit < image_bytes, "the image must not fit"
    peak = peak_of("phantom", "spheres", "image.npy", "--size", WANTED.size, "--dtype", WANTED.dtype, "--value", str(VALUE), "--quiet")
    assert peak <= limit, f"phantom had {peak} bytes resident"
    succeed("psf", "gaussian", "psf.npy", "--size", ",".join(map(str, KERNEL)), "--sigma", "1.5,2,2.5")
    peak = peak_of("convolve", "image.npy", "psf.npy", "out.npy", "--backend", WANTED.backend, "--dtype", WANTED.dtype, "--ram-limit",
                   WANTED.ram_limit, "--memory-limit", WANTED.memory_limit, "--report", "report.json")
    report = json.loads((FOLDER / "report.json").read_text())
    seconds = report["timings"]["total_seconds"]
    print(f"image of {image_bytes} bytes in {seconds:.1f} s; resident at most {peak} bytes, planned {report['planned_host_bytes']}, "
          f"--ram-limit {limit}; device memory at most {report['peak_device_bytes']}, --memory-limit {WANTED.memory_limit}")
    assert peak <= report["planned_host_bytes"] <= limit == report["ram_limit_bytes"]
    assert report["peak_host_bytes"] <= peak and report["peak_device_bytes"] <= bytes_of(WANTED.memory_limit)

    image, output = np.load("image.npy", mmap_mode="r"), np.load("out.npy", mmap_mode="r")
    kernel = np.load("psf.npy").astype(np.float64)
    kernel /= kernel.sum()
    random = np.random.default_rng(5)
    middle = image[SHAPE[0] // 2] > 0
    edges = np.argwhere(middle[:, 1:] != middle[:, :-1])
    on_surfaces = 0
    for number in range(24):
        begin = [int(random.integers(0, n - 8)) for n in SHAPE]
        if number % 3 == 0:  # across the surface of a sphere
            begin = [SHAPE[0] // 2 - 4, *np.clip(edges[random.integers(len(edges))] - 4, 0, np.array(SHAPE[1:]) - 8)]
        if number == 1:
            begin = [0, 0, 0]
        if number == 2:
            begin = [n - 8 for n in SHAPE]
        box = [(int(b), int(b) + 8) for b in begin]
        expected = direct(image, kernel, box)
        error = np.abs(output[tuple(slice(a, b) for a, b in box)].astype(np.float64) - expected).max()
        assert error < ROUNDING, (box, error)
        on_surfaces += int(0 < expected.sum() < VALUE * expected.size)
    assert on_surfaces >= 8, "the boxes are all inside or all outside"


def compressed_stores_stay_within_the_limit():
    succeed("phantom", "spheres", "image.zarr", "--size", "256,512,512", "--quiet")
    peak = peak_of("convolve", "image.zarr", "psf.npy", "out.zarr", "--backend", "cpu", "--ram-limit", "200MiB", "--quiet", "--report",
                   "report.json")
    report = json.loads((FOLDER / "report.json").read_text())
    assert peak <= report["planned_host_bytes"] <= bytes_of("200MiB") and report["num_tiles"] > 1, (peak, report)


def time_points_take_the_memory_of_one():
    values = np.random.default_rng(7).random((4, 24, 256, 256), np.float32)
    np.save("movie.npy", values)
    np.save("one.npy", values[0])
    one = peak_of("convolve", "one.npy", "psf.npy", "one.out.npy", "--backend", "cpu", "--quiet")
    movie = peak_of("convolve", "movie.npy", "psf.npy", "movie.out.npy", "--backend", "cpu", "--quiet", "--axes", "TZYX")
    # while one image is convolved the next is read and the last is written: two boxes more, however many there are
    assert one > 2 * values[0].nbytes and movie < one + 2.25 * values[0].nbytes, (one, movie)
    assert np.array_equal(np.load("movie.out.npy")[0], np.load("one.out.npy"))


main()
compressed_stores_stay_within_the_limit()
time_points_take_the_memory_of_one()

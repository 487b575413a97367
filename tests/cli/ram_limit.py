"""Random jobs under --ram-limit: of NumPy, TIFF (also one compressed strip) and Zarr (also 10^5 chunks, deflate, zstd, blosc), from
1-D to 3-D. Peak resident memory, as the system counts it, is at most 1.05 of the limit, or the job is refused with numbers before
anything is left.
Usage: ram_limit.py PROGRAM [--jobs N] [--seed N] [--largest VOXELS] [--workers N] [--json FILE]"""
import argparse
import concurrent.futures
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import zlib

STARTED_IN = os.getcwd()
from peak_memory import require_refusal, run_measured
from program import FOLDER, PROGRAM, listing, np

try:
    import numcodecs
    import zarr
except ImportError:
    zarr = None

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--jobs", type=int, default=8)
parser.add_argument("--seed", type=int, default=15)
parser.add_argument("--largest", type=float, default=2e7)
parser.add_argument("--workers", type=int, default=1, help="jobs at a time, each measured by itself")
parser.add_argument("--share", type=int, help="do what this worker does, and no more")
parser.add_argument("--json")
WANTED = parser.parse_args()
JSON = WANTED.json and os.path.join(STARTED_IN, WANTED.json)
MOST = 1.05
MEBI = 2**20

def slowly_varying(shape, dtype):
    """Compresses somewhat, as images do. In slabs: the voxels may be many."""
    values = np.lib.format.open_memmap("voxels.npy", "w+", dtype, shape)
    flat = values.reshape(-1)
    for begin in range(0, flat.size, 1 << 22):
        part = flat[begin:begin + (1 << 22)]
        part[:] = (np.arange(begin, begin + part.size) // 7 % 97).astype(dtype)
    values.flush()
    return values


def shape_of(dice, largest):
    num_axes = dice.choice((1, 1, 2, 3, 3))
    voxels = largest * dice.choice((0.05, 0.25, 1))
    if num_axes == 1:
        return (int(voxels),)
    if num_axes == 2:
        rows = int(dice.choice((voxels**0.5, 37, voxels / 41)))
        return (rows, max(1, int(voxels / rows)))
    planes = dice.choice((5, 64, int(voxels ** (1 / 3))))
    rows = int(dice.choice(((voxels / planes)**0.5, 19)))
    return (planes, rows, max(1, int(voxels / planes / rows)))


def write_zarr(values, dice, chunks):
    """A store of Zarr 2, chunk by chunk."""
    codec = dice.choice((None, numcodecs.Zlib(1), numcodecs.Zstd(1), numcodecs.Blosc("zstd"), numcodecs.Blosc("lz4")))
    array = zarr.open("image.zarr", mode="w", shape=values.shape, chunks=chunks, dtype=values.dtype, compressor=codec, zarr_version=2) \
        if int(zarr.__version__.split(".")[0]) < 3 else \
        zarr.create_array("image.zarr", shape=values.shape, chunks=chunks, dtype=values.dtype, compressors=codec, zarr_format=2)
    step = max(1, (1 << 22) // max(1, values[:1].size) // chunks[0]) * chunks[0]
    for begin in range(0, values.shape[0], step):
        array[begin:begin + step] = values[begin:begin + step]
    return "image.zarr", f"Zarr {codec}, chunks {chunks}"


def write_tiff(values, dice):
    """Pages of strips, by hand: few systems have tifffile's codecs."""
    encode, compression = dice.choice([(bytes, 1), (lambda data: zlib.compress(data, 1), 8)]
                                      + ([(numcodecs.Zstd(1).encode, 50000)] if zarr else []))
    pages = values.reshape((-1, *values.shape[-2:]))
    rows = dice.choice((values.shape[-2], 64))
    code = {"f": 3, "u": 1}[values.dtype.kind]
    with open("image.tif", "wb") as file:
        file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0))
        link = 8
        for page in pages:
            strips = []
            for begin in range(0, page.shape[0], rows):
                data = encode(np.ascontiguousarray(page[begin:begin + rows]).tobytes())
                strips.append((file.tell(), len(data)))
                file.write(data)
            lists = [0, 0]
            for i in range(2):
                lists[i] = strips[0][i] if len(strips) == 1 else file.tell()
                if len(strips) > 1:
                    file.write(struct.pack(f"<{len(strips)}Q", *(strip[i] for strip in strips)))
            tags = [(256, 16, 1, page.shape[1]), (257, 16, 1, page.shape[0]), (258, 16, 1, 8 * values.itemsize), (259, 16, 1, compression),
                    (262, 16, 1, 1), (273, 16, len(strips), lists[0]), (277, 16, 1, 1), (278, 16, 1, rows),
                    (279, 16, len(strips), lists[1]), (339, 16, 1, code)]
            here = file.tell()
            file.write(struct.pack("<Q", len(tags)) + b"".join(struct.pack("<HHQQ", *tag) for tag in tags) + struct.pack("<Q", 0))
            file.seek(link)
            file.write(struct.pack("<Q", here))
            link = here + 8 + 20 * len(tags)
            file.seek(0, 2)
    return "image.tif", f"TIFF, compression {compression}, {rows} rows a strip"


def make_image(dice, number):
    kinds = ["npy", "npy", "tif", "tif", "tif"] + (["zarr", "zarr", "small chunks"] if zarr else [])
    kind = "npy" if number == 0 else "small chunks" if number == 1 and zarr else "tif" if number == 2 else dice.choice(kinds)
    shape = (int(WANTED.largest),) if number == 0 else shape_of(dice, WANTED.largest)
    dtype = dice.choice(("u1", "u2", "f4", "f8" if np.prod(shape) < 1e7 else "u1"))
    if kind == "small chunks":
        edge = 1000 if WANTED.jobs > 20 else 200  # 10^5 chunks, or a few thousand
        values = slowly_varying((edge, edge), "u1")
        return *write_zarr(values, dice, (3, 3) if WANTED.jobs > 20 else (4, 4)), values
    if kind == "tif":
        shape = shape[-3:] if len(shape) > 1 else (1, *shape)
        shape = (64, 64, *shape[2:]) if len(shape) == 2 and shape[-1] * shape[-2] > 1e8 else shape
    values = slowly_varying(shape, dtype)
    if kind == "tif":
        return *write_tiff(values, dice), values
    if kind == "zarr":
        return *write_zarr(values, dice, tuple(min(n, {1: 1 << 16, 2: 256, 3: 64}[len(shape)]) for n in shape)), values
    return "voxels.npy", "NumPy", values


def job(number):
    dice = random.Random(f"{WANTED.seed} {number}")
    path, made, values = make_image(dice, number)
    kernel = np.ones([min(n, dice.choice((1, 3, 7, 15))) for n in values.shape], np.float32)
    np.save("kernel.npy", kernel)
    limit = int(dice.choice((64, 96, 128, 256, 512)) * MEBI)
    output = dice.choice(("out.npy", "out.tif", "out.zarr"))
    words = ["convolve", path, "kernel.npy", output, "--backend", "cpu", "--quiet", "--ram-limit", str(limit), "--dtype",
             dice.choice(("u8", "u16", "f32"))]
    mode = dice.choice(("same", "same", "full", "valid", "circular"))
    words += ["--mode", mode] + (["--boundary", dice.choice(("zero", "reflect", "nearest"))] if mode == "same" else [])
    if dice.random() < 0.3:
        words += ["--memory-limit", str(limit // 4)]
    before = listing()
    code, peak, stderr = run_measured(words)
    seen = {"image": f"{'x'.join(map(str, values.shape))} {values.dtype} {made}", "kernel": list(kernel.shape), "words": words[4:],
            "limit_bytes": limit, "peak_bytes": peak, "ratio": round(peak / limit, 3), "exit_code": code}
    if code == 0:
        assert (FOLDER / output).exists(), (seen, stderr)
    else:
        seen["refusal"] = require_refusal(code, stderr)
        assert listing() == before, ("something is left", seen)
    return seen


def clean():
    for path in FOLDER.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def report_line(one):
    return (f"{one['ratio']:.3f} of {one['limit_bytes'] // MEBI} MiB: {one['image']}, {' '.join(one['words'])}"
            + (f": {one['refusal']}" if "refusal" in one else ""))


def jobs_of(share):
    """What one worker does: its jobs, one after the other."""
    for number in range(share, WANTED.jobs, WANTED.workers):
        yield job(number)
        clean()


def run_all():
    """Every job; by several workers, each a process like this one with a folder of its own, which prints a line of JSON a job."""
    if WANTED.workers == 1:
        yield from jobs_of(0)
        return
    words = [sys.executable, os.path.abspath(__file__), PROGRAM, "--jobs", WANTED.jobs, "--seed", WANTED.seed, "--largest", WANTED.largest,
             "--workers", WANTED.workers]
    shares = [subprocess.Popen([*map(str, words), "--share", str(share)], stdout=subprocess.PIPE, text=True)
              for share in range(WANTED.workers)]
    with concurrent.futures.ThreadPoolExecutor(WANTED.workers) as readers:
        for lines in readers.map(lambda share: share.stdout.readlines(), shares):
            yield from map(json.loads, lines)
    assert all(share.wait() == 0 for share in shares), "a share of the jobs failed, see above"


def main():
    if WANTED.share is not None:
        for one in jobs_of(WANTED.share):
            print(json.dumps(one), flush=True)
        return
    results = []
    for one in run_all():
        results.append(one)
        print(report_line(one), flush=True)
    done = [one for one in results if one["exit_code"] == 0]
    over = [one for one in results if one["ratio"] > MOST]
    if JSON:
        with open(JSON, "w") as file:
            json.dump({"jobs": len(results), "done": len(done), "refused": len(results) - len(done),
                       "largest_ratio": max(one["ratio"] for one in results), "seed": WANTED.seed, "results": results}, file, indent=1)
    print(f"{len(done)} of {len(results)} jobs done, the others refused; at most {max(one['ratio'] for one in results)} of the limit")
    assert not over, over
    assert len(done) * 2 > len(results), "most jobs must be possible"


main()

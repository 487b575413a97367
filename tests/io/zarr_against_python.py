"""Copies Zarr stores of every codec, order and layout that Python's zarr writes through convoy, and lets it read the copies."""
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import numcodecs
    import numpy as np
    import zarr
except ImportError as absent:
    print(f"SKIPPED: {absent}")
    sys.exit(0)

copy_image = sys.argv[1]


def copied(source, target, axes=""):
    words = [copy_image, str(source), str(target)] + ([axes] if axes else [])
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, (words, done.stderr)


def check_arrays(folder):
    random = np.random.default_rng(1)
    source, target = folder / "in.zarr", folder / "out.zarr"
    codecs = [None, numcodecs.Blosc("lz4", 5, 1), numcodecs.Blosc("zstd", 1, 2), numcodecs.Blosc("zlib", 1, 0), numcodecs.Zlib(1),
              numcodecs.GZip(1), numcodecs.Zstd(3)]
    kinds = ["|u1", "|i1"] + [o + k for o in "<>" for k in ("u2", "i2", "u4", "i4", "f2", "f4", "f8")]
    cases = list(itertools.product(kinds, codecs, "CF", "./"))
    for number, (kind, codec, order, separator) in enumerate(cases):
        if number % 7 not in (0, 3):  # every codec meets every kind of voxel in some order; all pairs would take long
            continue
        shape, chunks = [((5, 6), (2, 4)), ((4, 5, 6), (3, 5, 2)), ((9,), (4,))][number % 3]
        values = np.asarray(random.integers(-100, 100, shape) * 1000003 % 70000).astype(kind)
        array = zarr.open(str(source), "w", shape=shape, chunks=chunks, dtype=kind, compressor=codec, order=order,
                          dimension_separator=separator, fill_value=7)
        array[:] = values
        copied(source, target)
        result = zarr.open(str(target), "r")["0"][:]
        assert result.dtype.str[1:] == kind[1:], (kind, result.dtype)
        assert np.array_equal(result.reshape(shape), values), (kind, codec, order, separator)


def check_fill(folder):
    array = zarr.open(str(folder / "in.zarr"), "w", shape=(4, 6), chunks=(2, 3), dtype="<f4", fill_value=float("nan"))
    array[:2, :3] = 1
    copied(folder / "in.zarr", folder / "out.zarr")
    assert np.array_equal(zarr.open(str(folder / "out.zarr"), "r")["0"][:], array[:], equal_nan=True)


def check_ome(folder):
    """A 5-D OME-NGFF image of two scales: the first is taken; axes and voxel size come out again."""
    group = zarr.open_group(str(folder / "in.zarr"), "w")
    values = np.arange(2 * 3 * 4 * 10 * 12, dtype=np.uint16).reshape(2, 3, 4, 10, 12)
    group.create_dataset("full", data=values, chunks=(1, 1, 2, 5, 7), dimension_separator="/")
    group.create_dataset("half", data=values[..., ::2, ::2])
    axes = [{"name": n, "type": {"t": "time", "c": "channel"}.get(n, "space"), **({"unit": "micrometer"} if n in "zyx" else {})}
            for n in "tczyx"]
    scales = [[1, 1, 2, 0.5, 0.25], [1, 1, 2, 1, 0.5]]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [
        {"path": p, "coordinateTransformations": [{"type": "scale", "scale": s}]} for p, s in zip(("full", "half"), scales)]}]
    copied(folder / "in.zarr", folder / "out.zarr")
    out = zarr.open_group(str(folder / "out.zarr"), "r")
    assert np.array_equal(out["0"][:], values)
    scale, = out.attrs["multiscales"]
    assert scale["version"] == "0.4" and scale["axes"] == axes, scale
    assert scale["datasets"] == [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scales[0]}]}], scale
    assert out["0"].chunks == (1, 1, 4, 10, 12)
    copied(folder / "in.zarr/half", folder / "out.zarr")
    assert np.array_equal(zarr.open(str(folder / "out.zarr"), "r")["0"][:], values[..., ::2, ::2])


def check_version_3(folder):
    """Written by hand after the specification: python3-zarr of Debian 12 knows version 2 only."""
    values = np.arange(5 * 7, dtype="<f4").reshape(5, 7)
    for codec, encode in (("zstd", numcodecs.Zstd(1).encode), ("gzip", numcodecs.GZip(1).encode),
                          ("blosc", numcodecs.Blosc("zstd", 1, 1).encode), (None, bytes)):
        for encoding, prefix, separator in (("default", "c/", "/"), ("v2", "", ".")):
            source = folder / f"v3-{codec}-{encoding}.zarr"
            source.mkdir()
            codecs = [{"name": "bytes", "configuration": {"endian": "little"}}]
            codecs += [{"name": codec, "configuration": {}}] if codec else []
            (source / "zarr.json").write_text(json.dumps({
                "zarr_format": 3, "node_type": "array", "shape": values.shape, "data_type": "float32", "fill_value": 0, "codecs": codecs,
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [3, 4]}},
                "chunk_key_encoding": {"name": encoding, "configuration": {"separator": separator}}}))
            for y, x in itertools.product(range(2), range(2)):
                chunk = np.zeros((3, 4), "<f4")
                part = values[3 * y:3 * y + 3, 4 * x:4 * x + 4]
                chunk[:part.shape[0], :part.shape[1]] = part
                place = source / f"{prefix}{y}{separator}{x}"
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(encode(chunk.tobytes()))
            copied(source, folder / "out.zarr")
            assert np.array_equal(zarr.open(str(folder / "out.zarr"), "r")["0"][:], values), (codec, encoding)


with tempfile.TemporaryDirectory() as name:
    for check in (check_arrays, check_fill, check_ome, check_version_3):
        check(pathlib.Path(name))

#!/usr/bin/env python3
"""Makes Zarr version 3 stores with zarr-python 3. Usage: make_zarr_v3.py FOLDER (zarr_v3.tar.gz beside this is what it made)

Voxel i of each array, counted in C order, is (i * 7) % 251, and what no chunk holds is the fill value, 9.
"""
import shutil
import sys

import numpy
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec

SHAPE = (5, 7, 9)
OME_AXES = [{"name": "c", "type": "channel"}] + [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"]


def voxels(shape, dtype):
    return (numpy.arange(numpy.prod(shape)).reshape(shape) * 7 % 251).astype(dtype)


def sharded(chunk, codecs, location="end"):
    return ShardingCodec(chunk_shape=chunk, codecs=codecs, index_location=location)


def arrays():
    """Name, dtype and what else create_array takes."""
    little, big = BytesCodec(endian="little"), BytesCodec(endian="big")
    plain = {"chunks": (2, 4, 4), "compressors": None}
    yield "zstd", "float32", {**plain, "compressors": ZstdCodec(level=3, checksum=True)}
    yield "gzip-crc", "uint16", {**plain, "compressors": [GzipCodec(level=5), Crc32cCodec()]}
    yield "two-codecs", "uint8", {**plain, "compressors": [ZstdCodec(level=3), GzipCodec(level=5)]}
    yield "blosc-v2-keys", "int32", {**plain, "compressors": BloscCodec(cname="lz4hc"),
                                     "chunk_key_encoding": {"name": "v2", "separator": "."}}
    yield "big-dots", "float64", {**plain, "serializer": big, "chunk_key_encoding": {"name": "default", "separator": "."}}
    yield "transposed", "int16", {**plain, "filters": TransposeCodec(order=(1, 2, 0))}
    yield "half", "float16", plain
    yield "truth", "bool", plain
    whole = {"chunks": (4, 8, 8), "compressors": None}
    yield "sharded", "float32", {**whole, "serializer": sharded((2, 4, 4), [little, ZstdCodec(level=3)])}
    yield "sharded-start", "uint16", {**whole, "serializer": sharded((2, 4, 4), [big, GzipCodec(level=5), Crc32cCodec()], "start")}
    yield "sharded-transposed", "int8", {
        **whole, "filters": TransposeCodec(order=(2, 0, 1)),
        "serializer": sharded((2, 2, 4), [TransposeCodec(order=(1, 0, 2)), little, BloscCodec(cname="zstd")])}


def main():
    folder = sys.argv[1]
    for name, dtype, options in arrays():
        path = f"{folder}/{name}.zarr"
        array = zarr.create_array(path, shape=SHAPE, dtype=dtype, fill_value=True if dtype == "bool" else 9, overwrite=True, **options)
        array[:4] = voxels(SHAPE, dtype)[:4]  # the chunks of the last plane are missing
    shutil.rmtree(f"{folder}/ome.zarr", ignore_errors=True)
    group = zarr.open_group(f"{folder}/ome.zarr", mode="w", zarr_format=3)
    for name, step in (("full", 1), ("half", 2)):
        values = voxels((2, 3, 8, 10), "uint16")[..., ::step, ::step]
        array = group.create_array(name, shape=values.shape, dtype="uint16", chunks=(1, 2, 4, 4), shards=(1, 4, 8, 8),
                                   dimension_names=list("czyx"))
        array[:] = values
    scale = lambda step: [{"type": "scale", "scale": [1, 0.5, 0.25 * step, 0.25 * step]}]
    multiscale = {"axes": OME_AXES, "datasets": [{"path": "full", "coordinateTransformations": scale(1)},
                                                 {"path": "half", "coordinateTransformations": scale(2)}]}
    channels = [{"label": label, "color": "FFFFFF", "window": {"start": 0, "end": 1, "min": 0, "max": 1}} for label in ("DAPI", "µ")]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscale], "omero": {"channels": channels}}
    group.create_group("labels")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Makes the corpus that fuzzing starts from: small files of every kind that is understood. Usage: make_corpus.py FOLDER"""

import gzip
import io
import json
import os
import struct
import sys
import zlib

import numpy
import tifffile

VOXELS = numpy.arange(2 * 3 * 4, dtype=numpy.uint16).reshape(2, 3, 4)


def tiff(data, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, data, **options)
    return file.getvalue()


def npy(data, version=None):
    file = io.BytesIO()
    numpy.lib.format.write_array(file, data, version=version)
    return file.getvalue()


def description_of(bytes_of_tiff):
    with tifffile.TiffFile(io.BytesIO(bytes_of_tiff)) as file:
        return file.pages[0].description.encode()


IMAGEJ = tiff(VOXELS, imagej=True, resolution=(2, 2), metadata={"axes": "ZYX", "spacing": 0.5, "unit": "um"})
HYPERSTACK = tiff(VOXELS.reshape(1, 2, 1, 3, 4).repeat(2, 0), imagej=True, metadata={"axes": "TZCYX"})
OME = tiff(VOXELS, ome=True, photometric="minisblack", metadata={"axes": "ZYX", "PhysicalSizeX": 0.1, "PhysicalSizeZ": 0.3})
SHAPED = tiff(VOXELS, contiguous=True)
BYTES = {"name": "bytes", "configuration": {"endian": "little"}}
SHARDED = [{"name": "sharding_indexed", "configuration": {
    "chunk_shape": [2, 3, 4], "codecs": [BYTES], "index_codecs": [BYTES, {"name": "crc32c"}], "index_location": "end"}}]
V2 = {"zarr_format": 2, "shape": [2, 3, 8], "chunks": [2, 3, 4], "dtype": "<u2", "order": "C", "fill_value": 0, "filters": None,
      "compressor": {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1}, "dimension_separator": "/"}


def v3(codecs):
    return {"zarr_format": 3, "node_type": "array", "shape": [2, 3, 8], "data_type": "uint16", "fill_value": 0, "codecs": codecs,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 3, 8]}}, "dimension_names": ["z", "y", None],
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}}}


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def shard(chunks):
    """Chunks one behind the other, and an index of them; None for one that is missing."""
    data, index = b"", b""
    for chunk in chunks:
        index += struct.pack("<2Q", *((2**64 - 1,) * 2 if chunk is None else (len(data), len(chunk))))
        data += chunk or b""
    return data + index + struct.pack("<I", crc32c(index))


CORPUS = {
    "tiff": {
        "imagej.tif": IMAGEJ, "hyperstack.tif": HYPERSTACK, "ome.tif": OME, "shaped.tif": SHAPED,
        "big.tif": tiff(VOXELS, bigtiff=True), "big_endian.tif": tiff(VOXELS, byteorder=">"),
        "float.tif": tiff(VOXELS.astype("f4")), "double.tif": tiff(VOXELS.astype("f8")),
        "int8.tif": tiff(VOXELS.astype("i1")), "uint32.tif": tiff(VOXELS.astype("u4")),
        "strips.tif": tiff(VOXELS.repeat(4, 1), rowsperstrip=2),
        "tiles.tif": tiff(VOXELS.repeat(8, 1).repeat(8, 2), tile=(16, 16)),
        "deflate.tif": tiff(VOXELS, compression="zlib"), "predictor.tif": tiff(VOXELS, compression="zlib", predictor=True),
        "rgb.tif": tiff(numpy.zeros((4, 5, 3), "u1"), photometric="rgb"),
        "truncated.tif": SHAPED[:-20], "empty.tif": b"", "header.tif": b"II*\0\x08\0\0\0",
    },
    "npy": {
        "u16.npy": npy(VOXELS), "fortran.npy": npy(numpy.asfortranarray(VOXELS)), "big.npy": npy(VOXELS.astype(">f4")),
        "double.npy": npy(VOXELS[0].astype("f8")), "line.npy": npy(VOXELS[0, 0].astype("i1")),
        "version2.npy": npy(VOXELS, (2, 0)), "version3.npy": npy(VOXELS, (3, 0)),
        "times.npy": npy(VOXELS.reshape(2, 1, 3, 4)) + b"T",
        "terabytes.npy": npy(VOXELS).replace(b"(2, 3, 4)", b"(999999, 999999, 4)").replace(b"          \n", b"\n"),
    },
    "raw": {
        "u16": b"2,3,4,u16\n" + VOXELS.tobytes(), "big": b"1,3,4,f32,16,big\n" + bytes(80),
        "short": b"2,3,4,f64\n" + bytes(20), "terabytes": b"99999999,99999999,99999999,u8\nx",
        "offset": b"1,1,1,u8,18446744073709551615\nx",
    },
    "description": {
        "imagej": description_of(IMAGEJ), "hyperstack": description_of(HYPERSTACK), "ome": description_of(OME),
        "tifffile": description_of(SHAPED), "axes": b'{"shape": [2, 3, 4, 5], "axes": "TZYX", "truncated": true}',
        "scifio": b"SCIFIO=0.41.0\naxes=X,Y,Channel,Z\nlengths=4,3,2,2\nscales=0.1,0.1,1,0.3\nunits=um,um,null,um\n",
        "calibrated": b"ImageJ=1.53t\nimages=2\nslices=2\nunit=\\u00B5m\nyunit=nm\nspacing=-0.3\nfinterval=0.5\ntunit=min\n"
                      b"cf=0\nc0=-32768.0\nc1=1.0\n",
        "runs": b'<OME><Pixels DimensionOrder="XYCTZ" SizeX="4" SizeY="3" SizeZ="2" SizeC="1" SizeT="2">'
                b'<TiffData IFD="0" FirstZ="0" PlaneCount="1"/><TiffData IFD="1" FirstT="1"/></Pixels></OME>',
    },
    "ome_xml": {
        "plain": description_of(OME),
        "prefix": b'<?xml version="1.0" encoding="UTF-8"?><!-- <OME> --><o:OME xmlns:o="x"><o:Image Name="a"><o:Pixels SizeT="2" '
                  b'SizeC="2" SizeZ="2" DimensionOrder="XYCZT" SizeX="4" SizeY="3" PhysicalSizeX="65" PhysicalSizeXUnit="nm" '
                  b'PhysicalSizeZ="1E-5" PhysicalSizeZUnit="dm" TimeIncrement="5" TimeIncrementUnit="ms">'
                  b'<o:Channel Name="&#181;&lt;"/><o:Channel Name="\xb5"/><o:TiffData/></o:Pixels></o:Image></o:OME>',
        "series": b'<OME><Image><Pixels SizeZ="2"><TiffData IFD="2" PlaneCount="2"/></Pixels></Image><Image><Pixels SizeC="2">'
                  b'<TiffData FirstC="1" IFD="0"><UUID FileName="a.tif">u</UUID></TiffData></Pixels></Image></OME>',
        "binary": b'<OME UUID="u"><BinaryOnly MetadataFile="x.companion.ome" UUID="v"/></OME>',
        "entities": b'<!DOCTYPE OME [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><OME><Image Name="&b;"><Pixels SizeZ="2"/></Image></OME>',
        "latin": b'<?xml version="1.0" encoding="ISO-8859-1"?><OME><Image><Pixels PhysicalSizeX="1" PhysicalSizeXUnit="\xb5m"/></Image></OME>',
    },
    "wisdom": {
        "choice": b'{"padded_zyx":[10,16,20],"num_tiles_zyx":[1,1,1],"coalesced_bytes":32,"aim_threads":128,'
                  b'"pitch_alignment":0,"swap_strided_axes":false,"measure_transforms":true}',
        "tiles": b'{"padded_zyx":[6,10,12],"num_tiles_zyx":[2,2,2],"coalesced_bytes":64,"aim_threads":0,'
                 b'"pitch_alignment":16,"swap_strided_axes":true,"measure_transforms":false}',
        "floats": b'{"padded_zyx":[1e300,-1,0],"num_tiles_zyx":[0,1.5,1e19],"coalesced_bytes":-1,"aim_threads":1e40,'
                  b'"pitch_alignment":1e99,"swap_strided_axes":1,"measure_transforms":true}',
    },
    "plan_cache": {
        "header": b"convoy plan 1\n23 13 0123456789abcdef\na device\na driver\na plancompiled code",
        "long": b"convoy plan 1\n18446744073709551615 13 0\n", "wisdom": b"convoy wisdom 1\n1 1 0\nab",
    },
    "journal": {
        "boxes": b'{"convoy_journal":1,"job":[["kernel","abc"],["mode","same"]]}\n0 0 0 0 2 5 6 7\n1 2 3 4 2 2 2 7\n',
        "overlap": b'{"convoy_journal":1,"job":[["kernel","abc"],["mode","same"]]}\n1 0 0 0 4 5 6 7\n1 1 1 1 2 2 2 8\n',
        "beyond": b'{"convoy_journal":1,"job":[["kernel","abc"],["mode","same"]]}\n'
                  b'9 0 0 0 1 1 1 7\n0 9223372036854775807 0 0 1 1 1 7\n',
        "other": b'{"convoy_journal":1,"job":[["kernel","xyz"]]}\n', "begun": b'{"convoy_jour', "empty": b"",
    },
    "zarr_metadata": {
        "v2": b"2" + json.dumps(V2).encode(), "v2_base64": b"2" + json.dumps({**V2, "dtype": ">f8", "fill_value": "AAAAAAAA8D8="}).encode(),
        "v2_fortran": b"2" + json.dumps({**V2, "order": "F", "dtype": "<f2", "fill_value": "-Infinity", "compressor": None}).encode(),
        "v2_nan": b"2" + json.dumps({**V2, "dtype": "<f4", "fill_value": float("nan")}).encode(),
        "v3": b"3" + json.dumps(v3([BYTES, {"name": "zstd"}, {"name": "crc32c"}])).encode(),
        "v3_sharded": b"3" + json.dumps(v3(SHARDED)).encode(),
        "v3_transposed": b"3" + json.dumps(v3([{"name": "transpose", "configuration": {"order": [2, 0, 1]}}] + SHARDED)).encode(),
        "v3_hex": b"3" + json.dumps({**v3([BYTES]), "data_type": "float32", "fill_value": "0x7fc00000"}).encode(),
        "v3_extension": b"3" + json.dumps({**v3([BYTES]), "other": {"must_understand": False}, "storage_transformers": [{"name": "x"}]}).encode(),
        "deep": b"3" + b'{"zarr_format":3,"fill_value":' + b"[" * 1000 + b"]" * 1000 + b"}",
    },
    "zarr_shard": {
        "plain": b"\0" + shard([VOXELS.tobytes(), None]), "zlib": b"\1" + shard([zlib.compress(VOXELS.tobytes()), None]),
        "gzip": b"\1" + shard([gzip.compress(VOXELS.tobytes()[:20]) + gzip.compress(VOXELS.tobytes()[20:]), VOXELS.tobytes()]),
        "checksum": b"\4" + shard([VOXELS.tobytes() + struct.pack("<I", crc32c(VOXELS.tobytes())), None]),
        "no_checksum": b"\x10" + shard([VOXELS.tobytes(), None])[:-4], "beyond": b"\x10" + struct.pack("<4Q", 2**63, 2**63, 1, 2**64 - 1),
        "chunk": b"\x20" + VOXELS.tobytes(), "empty": b"\x22",
    },
    "arguments": {
        name: name.encode() for name in (
            "12,34,56", "7", "0:10,5:,:", "10:20,:100,0:300", "2GiB", "1.5MB", "1e3", "18446744073709551615", "-1,0,1",
            "128,512,512,u16,4096,big", "1e308TiB", "9223372036854775807,2,2")
    },
}


def main():
    for target, files in CORPUS.items():
        folder = os.path.join(sys.argv[1], target)
        os.makedirs(folder, exist_ok=True)
        for name, data in files.items():
            with open(os.path.join(folder, name.replace(":", "_").replace(",", "_")), "wb") as file:
                file.write(data)


if __name__ == "__main__":
    main()

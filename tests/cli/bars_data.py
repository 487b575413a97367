"""The Bars volume, three stacks of float32 pages. CONVOY_TEST_DATA names the folder that holds bars/; without it the test
that imports this is skipped."""
import os
import pathlib
import struct
import sys

from program import np

DATA = pathlib.Path(os.environ.get("CONVOY_TEST_DATA", ""), "bars")
if not os.environ.get("CONVOY_TEST_DATA") or not DATA.is_dir():
    print("SKIPPED: CONVOY_TEST_DATA is not set (the folder that holds bars/)")
    sys.exit(0)
SHAPE = (32, 64, 64)


def read_stack(path):
    """Little-endian, uncompressed float32 pages: enough of TIFF to be independent of convoy's reader."""
    raw = path.read_bytes()
    pages, at = [], struct.unpack_from("<I", raw, 4)[0]
    while at:
        count = struct.unpack_from("<H", raw, at)[0]
        tags = {}
        for i in range(count):
            tag, kind, length = struct.unpack_from("<HHI", raw, at + 2 + 12 * i)
            size = {3: 2, 4: 4}.get(kind, 0) * length
            place = at + 10 + 12 * i
            if size > 4:
                place = struct.unpack_from("<I", raw, place)[0]
            if size:
                tags[tag] = struct.unpack_from("<" + ("H" if kind == 3 else "I") * length, raw, place)
        data = b"".join(raw[o:o + n] for o, n in zip(tags[273], tags[279]))
        pages.append(np.frombuffer(data, "<f4").reshape(SHAPE[1:]))
        at = struct.unpack_from("<I", raw, at + 2 + 12 * count)[0]
    return np.stack(pages).astype(np.float64)

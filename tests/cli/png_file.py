"""Reads greyscale PNGs."""
import struct
import zlib

import numpy as np


def read_png(data):
    """8 bit greyscale PNG to array: the chunks, then the five row filters."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed, size = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert (depth, colour) == (8, 0)
            size = height, width
        if kind == b"IDAT":
            packed += body
        at += 12 + length
    raw = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(size[0], size[1] + 1)
    rows = np.zeros((size[0], size[1]), np.int64)
    for y, row in enumerate(raw):
        above = rows[y - 1] if y else np.zeros(size[1], np.int64)
        for x in range(size[1]):
            left = rows[y, x - 1] if x else 0
            corner = above[x - 1] if x else 0
            guess = left + above[x] - corner
            nearest = min((abs(guess - left), 0, left), (abs(guess - above[x]), 1, above[x]), (abs(guess - corner), 2, corner))[2]
            predicted = (0, left, above[x], (left + above[x]) // 2, nearest)[row[0]]
            rows[y, x] = (int(row[x + 1]) + predicted) % 256
    return rows

"""`convoy project`: the pixels of the PNG, computed again from the voxels."""
import struct
import zlib

from program import FOLDER, image, np, succeed


def read_png(name):
    """8 bit greyscale PNG to array: the chunks, then the five row filters."""
    data = (FOLDER / name).read_bytes()
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


def expected_picture(values, gamma, scale):
    above, beside = values.max(axis=0), values.max(axis=2).T
    width = max(1, round(values.shape[0] * scale))
    beside = beside[:, np.minimum(values.shape[0] - 1, ((np.arange(width) + 0.5) / scale).astype(int))]
    least, largest = min(above.min(), beside.min()), max(above.max(), beside.max())
    grey = [np.round(255 * ((part - least) / (largest - least)) ** gamma) for part in (above, beside)]
    gap = np.full((values.shape[1], max(2, values.shape[2] // 64)), 255)
    return np.hstack([grey[0], gap, grey[1]])


values = image("image.npy", 6, 20, 140).astype(float)
for gamma, scale in ((1, 1), (0.5, 3), (2, 0.5)):
    succeed("project", "image.npy", "p.png", "--gamma", gamma, "--scale-z", scale)
    picture, expected = read_png("p.png"), expected_picture(values, gamma, scale)
    assert picture.shape == expected.shape
    assert np.abs(picture - expected).max() <= 1, (gamma, scale)

np.save("flat.npy", np.full((3, 4, 5), 7, np.uint8))
succeed("project", "flat.npy", "p.png", "--quiet")
assert (read_png("p.png")[:, :5] == 0).all()
holes = np.array([[[0, np.nan, 1]]], np.float64)
np.save("holes.npy", holes)
succeed("project", "holes.npy", "p.png")
assert read_png("p.png")[0, :3].tolist() == [0, 0, 255]

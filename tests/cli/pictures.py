"""`convoy project`: the pixels of the PNG, computed again from the voxels."""
from png_file import read_png
from program import FOLDER, image, np, succeed


def drawn():
    return read_png((FOLDER / "p.png").read_bytes())


def expected_picture(values, gamma, scale):
    above, beside = values.max(axis=0), values.max(axis=2).T
    width = max(1, round(values.shape[0] * scale))
    middle, half = (np.arange(width) + 0.5) / scale, max(0, 0.5 / scale - 0.5)
    begin = np.minimum(values.shape[0] - 1, (middle - half).astype(int))
    end = np.maximum(begin + 1, np.ceil(middle + half).astype(int))
    beside = np.stack([beside[:, i:j].max(axis=1) for i, j in zip(begin, end)], axis=1)
    least, largest = min(above.min(), beside.min()), max(above.max(), beside.max())
    grey = [np.round(255 * ((part - least) / (largest - least)) ** gamma) for part in (above, beside)]
    gap = np.full((values.shape[1], max(2, values.shape[2] // 64)), 255)
    return np.hstack([grey[0], gap, grey[1]])


values = image("image.npy", 6, 20, 140).astype(float)
for gamma, scale in ((1, 1), (0.5, 3), (2, 0.5)):
    succeed("project", "image.npy", "p.png", "--gamma", gamma, "--scale-z", scale)
    picture, expected = drawn(), expected_picture(values, gamma, scale)
    assert picture.shape == expected.shape
    assert np.abs(picture - expected).max() <= 1, (gamma, scale)

np.save("flat.npy", np.full((3, 4, 5), 7, np.uint8))
succeed("project", "flat.npy", "p.png", "--quiet")
assert (drawn()[:, :5] == 0).all()
holes = np.array([[[0, np.nan, 1]]], np.float64)
np.save("holes.npy", holes)
succeed("project", "holes.npy", "p.png")
assert drawn()[0, :3].tolist() == [0, 0, 255]

np.save("delta.npy", np.ones((1, 1, 1), np.float32))
# a store is read chunk by chunk, with the same pixels
store = image("store.npy", 5, 70, 90)
succeed("convolve", "store.npy", "delta.npy", "store.zarr", "--backend", "cpu")
succeed("project", "store.zarr", "p.png")
of_store = drawn()
succeed("project", "store.npy", "p.png")
assert np.abs(drawn() - of_store).max() <= 1

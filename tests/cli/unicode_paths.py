"""Files and folders with names beyond ASCII: read, written, replaced, and named in errors and outputs as they are."""
import json

import numpy as np

from program import FOLDER, fail, image, succeed

FOLDER_NAME = "Größe 画像"
place = FOLDER / FOLDER_NAME
place.mkdir()

values = image("image.npy", 6, 7, 8)
kernel = image("kernel.npy", 3, 3, 3, seed=2)
(FOLDER / "image.npy").rename(place / "Zelle α.npy")
(FOLDER / "kernel.npy").rename(place / "Kern β.npy")
inputs = [f"{FOLDER_NAME}/Zelle α.npy", f"{FOLDER_NAME}/Kern β.npy"]

succeed("convolve", *inputs, "plain.npy", "--backend", "cpu")
expected = np.load("plain.npy")
for name in ("Ergebnis ß.npy", "結果.npy", "结果 🔬.npy"):
    for _ in range(2):  # the second time it is replaced
        succeed("convolve", *inputs, f"{FOLDER_NAME}/{name}", "--backend", "cpu")
        assert np.array_equal(np.load(place / name), expected), name
for name in ("絵.tif", "店.zarr"):
    succeed("convolve", *inputs, f"{FOLDER_NAME}/{name}", "--backend", "cpu")
    succeed("convolve", f"{FOLDER_NAME}/{name}", inputs[1], f"{FOLDER_NAME}/again.npy", "--backend", "cpu")
    assert np.load(place / "again.npy").shape == expected.shape, name
succeed("project", f"{FOLDER_NAME}/結果.npy", f"{FOLDER_NAME}/絵.png")
assert (place / "絵.png").read_bytes().startswith(b"\x89PNG")

fail(1, "fehlt é.npy", "convolve", f"{FOLDER_NAME}/fehlt é.npy", inputs[1], "out.npy")
left = sorted(path.name for path in place.iterdir() if path.name.startswith("."))
assert left == [], left
assert json.loads(succeed("devices", "--json").stdout)["backends"]

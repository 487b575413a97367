"""Lets zarr-python 3 read what convoy writes as OME-Zarr 0.5, where it is installed."""
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import zarr
except ImportError as absent:
    print(f"SKIPPED: {absent}")
    sys.exit(0)
if int(zarr.__version__.split(".")[0]) < 3:
    print(f"SKIPPED: zarr-python is {zarr.__version__}, and version 3 of Zarr is read by zarr-python 3")
    sys.exit(0)

copy_image = sys.argv[1]


def check(values, axes, folder):
    np.save(folder / "in.npy", values)
    target = folder / "out.zarr"
    done = subprocess.run([copy_image, folder / "in.npy", target, axes, "", "0.5"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    group = zarr.open_group(target, mode="r", zarr_format=3)
    array = group["0"]
    assert array.dtype == values.dtype and array.shape == values.shape, array
    assert np.array_equal(array[:], values), (values.dtype, values.shape)
    assert array.metadata.dimension_names == tuple(axes.lower())
    ome = group.attrs["ome"]
    assert ome["version"] == "0.5", ome
    scale, = ome["multiscales"]
    kinds = {"t": "time", "c": "channel"}
    assert [(a["name"], a["type"]) for a in scale["axes"]] == [(n, kinds.get(n, "space")) for n in axes.lower()], scale
    dataset, = scale["datasets"]
    transformation, = dataset["coordinateTransformations"]
    assert dataset["path"] == "0" and transformation == {"type": "scale", "scale": [1.0] * len(axes)}, dataset
    subprocess.run(["rm", "-r", target], check=True)


with tempfile.TemporaryDirectory() as name:
    random = np.random.default_rng(1)
    for kind in ("u1", "<u2", "<f4", "<f8"):
        for shape, axes in (((70, 33, 150), "ZYX"), ((2, 3, 4, 5, 6), "TCZYX"), ((520, 515), "YX"), ((3, 40, 130, 260), "CZYX")):
            check((random.random(shape) * 250).astype(kind), axes, pathlib.Path(name))

"""Lets convoy read Zarr version 3 stores that zarr-python 3 wrote: those of data/zarr_v3.tar.gz, and, where it is installed, new ones."""
import pathlib
import subprocess
import sys
import tarfile
import tempfile

try:
    import numpy as np
except ImportError as absent:
    print(f"SKIPPED: {absent}")
    sys.exit(0)

copy_image = sys.argv[1]
data = pathlib.Path(__file__).parent / "data"


def copied(source, folder):
    target = folder / "out.npy"
    done = subprocess.run([copy_image, source, target], capture_output=True, text=True)
    assert done.returncode == 0, (source, done.stderr)
    return np.load(target)


def voxels(shape):
    return np.arange(np.prod(shape)).reshape(shape) * 7 % 251


def check_stores(stores, folder):
    names = sorted(path.name for path in stores.iterdir())
    assert len(names) == 12, names
    for name in names:
        result = copied(stores / name, folder)
        if name == "ome.zarr":
            assert np.array_equal(result, voxels((2, 3, 8, 10))), name
            assert np.array_equal(copied(stores / name / "half", folder), voxels((2, 3, 8, 10))[..., ::2, ::2])
            continue
        dtype = {"sharded-transposed.zarr": "i1", "truth.zarr": "?"}.get(name, "f8")
        fill = True if dtype == "?" else 9
        expected = np.full((5, 7, 9), fill, dtype)
        expected[:4] = voxels((5, 7, 9)).astype(dtype)[:4]
        assert np.array_equal(result, expected), (name, result)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    with tarfile.open(data / "zarr_v3.tar.gz") as packed:
        packed.extractall(folder / "packed")
    check_stores(folder / "packed", folder)
    made = subprocess.run([sys.executable, data / "make_zarr_v3.py", folder / "made"], capture_output=True, text=True)
    if made.returncode == 0:
        check_stores(folder / "made", folder)
    else:
        print("zarr-python 3 is not here: only the stores that were kept were read")

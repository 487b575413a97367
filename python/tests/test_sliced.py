"""Zarr arrays, HDF5 datasets and whatever has slices, read and written box by box."""

import threading

import convoy
import numpy as np
import pytest
from conftest import assert_close, direct


class Slices:
    """Knows how much of it was read, and is no array of any library."""

    def __init__(self, array, fails=False):
        self._array, self._fails = array, fails
        self.shape, self.dtype = array.shape, array.dtype
        self.read_voxels, self.threads = 0, set()

    def __getitem__(self, place):
        if self._fails:
            raise KeyError("no such chunk")
        part = self._array[place]
        self.read_voxels = max(self.read_voxels, part.size)
        self.threads.add(threading.get_ident())
        return part

    def __setitem__(self, place, values):
        if self._fails:
            raise OSError("disk full")
        self._array[place] = values


@pytest.mark.parametrize("dtype", ["uint16", "float32", "float64", "bool", "int64", ">f4", "complex64"])
def test_any_array_with_slices(device, rng, dtype):
    image, kernel = (rng.standard_normal((2, 20, 30, 25)) * 50).astype(dtype), rng.standard_normal((3, 4, 5))
    precision = "float64" if dtype in ("float64", "int64") else "float32"
    with convoy.Convolver(kernel, image.shape[1:], precision=precision, boundary="mirror", device=device) as blur:
        wanted = blur(image)
        found = blur(Slices(image))
        assert found.dtype == wanted.dtype
        assert_close(found.real, wanted.real.astype(float))
        out = Slices(np.zeros_like(wanted))
        assert blur(Slices(image), out=out) is out
        assert_close(out._array.real, wanted.real.astype(float))
    assert_close(convoy.convolve(Slices(image[0]), kernel, boundary="mirror", precision=precision, device=device).real, wanted[0].real.astype(float))


def test_only_what_a_tile_needs_is_read(rng):
    image, kernel = rng.standard_normal((96, 64, 64)).astype(np.float32), rng.standard_normal((5, 5, 5))
    source, sink = Slices(image), Slices(np.empty_like(image))
    seen = []
    with convoy.Convolver(kernel, image.shape, device="cpu", memory_limit="1MiB", host_memory_limit="3MiB") as blur:
        blur(source, out=sink, progress=lambda p: seen.append(p.done))
        assert blur.plan.num_tiles == len(seen) > 4
    assert_close(sink._array, direct(image, kernel))
    assert source.read_voxels < image.size // 4
    assert source.threads != {threading.get_ident()}
    part = Slices(image)
    convoy.convolve(part, kernel, region=np.s_[10:12, 5:9, 5:9], device="cpu", method="direct")
    assert part.read_voxels == 6 * 8 * 8


def test_what_fails_comes_out(rng):
    image, kernel = rng.standard_normal((20, 30)), np.ones((3, 3))
    with pytest.raises(KeyError, match="no such chunk"):
        convoy.convolve(Slices(image, fails=True), kernel)
    with pytest.raises(OSError, match="disk full"):
        convoy.convolve(Slices(image), kernel, out=Slices(image.copy(), fails=True))
    with pytest.raises(ValueError, match=r"\(20, 30\)"):
        convoy.convolve(Slices(image), kernel, out=Slices(image[1:]))
    with pytest.raises(convoy.Cancelled):
        convoy.Convolver(kernel, (20, 30), _min_tiles=4)(Slices(image), progress=lambda p: False)
    image[3, 4] = np.nan
    with pytest.raises(convoy.InvalidArgument, match="3,4"):
        convoy.convolve(Slices(image), kernel)


def test_zarr_to_zarr(rng, tmp_path):
    zarr = pytest.importorskip("zarr")
    image, kernel = (rng.random((2, 32, 60, 60)) * 1000).astype(np.uint16), rng.random((3, 7, 7))
    source = zarr.create_array(str(tmp_path / "in.zarr"), shape=image.shape, chunks=(1, 16, 32, 32), dtype="uint16")
    source[:] = image
    sink = zarr.create_array(str(tmp_path / "out.zarr"), shape=image.shape, chunks=(1, 8, 16, 16), shards=(1, 16, 32, 32), dtype="uint16")
    words = dict(axes=(1, 2, 3), normalize=True, boundary="reflect", device="cpu")
    assert convoy.convolve(source, kernel, out=sink, memory_limit="1MiB", **words) is sink
    wanted = convoy.convolve(image, kernel, precision="float64", **words)
    assert np.abs(sink[:] - wanted).max() < 0.51
    assert np.abs(convoy.convolve(source, kernel, memory_limit="1MiB", **words) - wanted).max() < 1e-2


def test_hdf5_to_hdf5(rng, tmp_path):
    h5py = pytest.importorskip("h5py")
    image, kernel = rng.standard_normal((40, 50, 60)).astype(np.float32), rng.standard_normal((3, 5, 7))
    with h5py.File(tmp_path / "image.h5", "w") as file:
        source = file.create_dataset("image", data=image, chunks=(8, 50, 60), compression="gzip")
        sink = file.create_dataset("blurred", image.shape, "float64", chunks=(8, 50, 60))
        convoy.convolve(source, kernel, out=sink, boundary="nearest", memory_limit="1MiB", device="cpu")
        assert_close(sink[:], direct(image, kernel, boundary="nearest"), np.float32)


def test_several_kernels_and_dask(rng):
    image, bank = rng.standard_normal((2, 20, 30)), rng.standard_normal((3, 4, 5))
    found = convoy.convolve(Slices(image), bank, axes=(1, 2), device="cpu")
    assert_close(found, convoy.convolve(image, bank, axes=(1, 2), device="cpu"))
    da = pytest.importorskip("dask.array")
    with pytest.raises(TypeError, match="convoy.dask"):
        convoy.convolve(da.from_array(image), bank[0], axes=(1, 2))

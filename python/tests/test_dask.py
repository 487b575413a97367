"""Dask arrays: equal to the whole, block by block; on workers of their own, of which one is killed."""

import itertools
import os
import pathlib
import signal
import time

import convoy
import numpy as np
import pytest
from conftest import assert_close, direct

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
import convoy.dask as cd  # noqa: E402

BOUNDARIES = ["zero", "constant", "reflect", "nearest", "wrap", "mirror"]


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.mark.parametrize(("boundary", "mode"), list(itertools.product(BOUNDARIES, ["same", "full"])))
def test_equals_the_whole(rng, boundary, mode):
    image, kernel = rng.standard_normal((23, 40)), rng.standard_normal((4, 7))
    lazy = cd.convolve(da.from_array(image, chunks=(9, 11)), kernel, mode, boundary=boundary, cval=1.5, device="cpu")
    found = lazy.compute()
    assert (lazy.shape, lazy.dtype) == (found.shape, found.dtype)
    assert_close(found, direct(image, kernel, mode, "constant" if boundary == "zero" else boundary, 1.5 if boundary == "constant" else 0))


@pytest.mark.parametrize("origin", ["center", "scipy", "first", "peak", (3, 0)])
@pytest.mark.parametrize("operation", ["convolve", "flip", "correlate"])
def test_origins_and_operations(rng, origin, operation):
    image, kernel = rng.standard_normal((23, 40)), rng.standard_normal((4, 7))
    for boundary, mode in (("zero", "same"), ("wrap", "same"), ("zero", "circular")):
        words = dict(mode=mode, boundary=boundary if mode == "same" else "zero", origin=origin, operation=operation, device="cpu")
        found = cd.convolve(da.from_array(image, chunks=(9, 11)), kernel, **words).compute()
        assert_close(found, convoy.convolve(image, kernel, **words))
    if operation == "correlate":
        with pytest.raises(NotImplementedError, match="flip"):
            cd.convolve(da.from_array(image, chunks=9), kernel, boundary="reflect", operation="correlate")


def test_shapes_chunks_dtypes(rng):
    image, kernel = rng.standard_normal((2, 3, 20, 31)).astype(np.float32), rng.random((5, 6))
    x = da.from_array(image, chunks=(1, 2, 8, 9))
    for mode in ("same", "valid", "full"):
        found = cd.convolve(x, kernel, mode, normalize=True, device="cpu")
        assert found.numblocks[:2] == (2, 2)
        assert_close(found.compute(), convoy.convolve(image, kernel, mode, axes=(2, 3), normalize=True, precision="float64"))
    other = cd.convolve(x, kernel, chunks=(20, 7), device="cpu")
    assert other.chunks[2:] == ((20,), (7, 7, 7, 7, 3))
    assert_close(other.compute(), convoy.convolve(image, kernel, axes=(2, 3), precision="float64"))
    counts = (rng.random((30, 30)) * 1000).astype(np.uint16)
    rounded = cd.convolve(da.from_array(counts, chunks=13), kernel, normalize=True, boundary="mirror", dtype="uint16", device="cpu").compute()
    assert rounded.dtype == np.uint16
    assert np.abs(rounded - direct(counts, kernel / kernel.sum(), boundary="mirror")).max() < 0.501
    large = rng.standard_normal((31, 9))  # larger than blocks, and than an axis of the image
    for boundary in ("zero", "reflect", "wrap"):
        words = dict(boundary=boundary, device="cpu")
        assert_close(cd.convolve(x[0, 0].astype(float), large, **words).compute(), convoy.convolve(image[0, 0].astype(float), large, **words))
    suggested = cd.suggest_chunks(da.zeros((64, 256, 256), chunks=64), (9, 9, 9), device="cpu", memory_limit="24MiB")
    assert len(suggested) == 3
    assert suggested != (64, 256, 256)


def test_only_halos_are_read():
    """A block of 10 with 5 taps reads 2 voxels of each neighbour; that is what moves between workers."""
    x = da.zeros((30,), chunks=10)
    graph = dict(cd.convolve(x, np.ones(5)).dask.layers[cd.convolve(x, np.ones(5)).name])
    cuts = sorted(key[2:] for key in graph if isinstance(key, tuple) and key[0].startswith("part-"))
    assert cuts == [(0, 2), (0, 2), (8, 10), (8, 10)]


def test_names_differ_where_results_do():
    x, k = da.zeros((30, 30), chunks=10), np.ones((3, 3))
    made = [cd.convolve(x, k, boundary=b).name for b in BOUNDARIES] + [cd.convolve(x, 2 * k).name, cd.convolve(x + 1, k).name]
    assert len(set(made)) == len(made)
    assert cd.convolve(x, k).name == cd.convolve(x, np.ones((3, 3))).name


def test_deconvolution_near_the_whole(rng):
    truth = np.zeros((48, 64))
    truth[rng.integers(0, 48, 20), rng.integers(0, 64, 20)] = 1000
    z = np.arange(-4, 5)
    psf = np.exp(-(z[:, None] ** 2 + z**2) / 4)
    blurred = convoy.convolve(truth, psf, normalize=True, device="cpu") + 10
    words = dict(acceleration="none", start="flat", device="cpu")  # what is scaled by the whole image is scaled by the block
    whole = convoy.deconvolve(blurred, psf, 10, **words)
    errors = []
    for halo in (0.5, 2):
        found = cd.deconvolve(da.from_array(blurred, chunks=24), psf, 10, halo=halo, **words).compute()
        errors.append(np.linalg.norm(found - whole) / np.linalg.norm(whole))
    assert errors[1] < 1e-3
    assert errors[1] < errors[0]


@pytest.mark.parametrize("mode", ["reflect", "constant", "nearest", "mirror", "wrap"])
def test_names_of_dask_image(rng, mode):
    ndimage = pytest.importorskip("scipy.ndimage")
    image = rng.standard_normal((20, 33))
    x = da.from_array(image, chunks=(7, 10))
    weights = rng.standard_normal((3, 4))
    for ours, theirs in (
        (cd.ndfilters.convolve(x, weights, mode, 0.5, origin=(1, -1)), ndimage.convolve(image, weights, None, mode, 0.5, (1, -1))),
        (cd.ndfilters.correlate(x, weights, mode), ndimage.correlate(image, weights, mode=mode)),
        (cd.ndfilters.gaussian_filter(x, (1.0, 2.0), mode=mode), ndimage.gaussian_filter(image, (1.0, 2.0), mode=mode)),
        (cd.ndfilters.gaussian_filter(x, 1.0, order=(1, 0), mode=mode), ndimage.gaussian_filter(image, 1.0, order=(1, 0), mode=mode)),
        (cd.ndfilters.uniform_filter(x, 4, mode), ndimage.uniform_filter(image, 4, mode=mode)),
    ):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours.compute(), theirs, rtol=0, atol=1e-12)
    counts = (image * 100).astype(np.int16)
    found = cd.ndfilters.convolve(da.from_array(counts, chunks=8), np.ones((3, 3), int), mode).compute()
    assert np.array_equal(found, ndimage.convolve(counts, np.ones((3, 3), int), mode=mode))


def _count_files(folder):
    return sum(1 for path in pathlib.Path(folder).rglob("*") if path.is_file() and path.name != "zarr.json" and not path.name.startswith("."))


def test_a_killed_worker(rng, tmp_path):
    """Zarr to Zarr on two processes, of which one is killed in mid-run; GPU is a resource that each has once."""
    distributed = pytest.importorskip("distributed")
    zarr = pytest.importorskip("zarr")
    image = (rng.random((2, 24, 192, 192)) * 1000).astype(np.uint16)
    kernel = rng.random((5, 9, 9))
    store = zarr.create_array(str(tmp_path / "in.zarr"), shape=image.shape, chunks=(1, 24, 48, 48), dtype="uint16")
    store[:] = image
    quiet = {"distributed.worker.daemon": True, "distributed.comm.timeouts.connect": "30s", "convoy.device": "cpu"}
    with (
        dask.config.set(quiet),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, resources={"GPU": 1}, silence_logs=50) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.run(lambda: dask.config.set({"convoy.device": "cpu"}))
        with dask.annotate(resources={"GPU": 1}, retries=5):
            lazy = cd.convolve(da.from_zarr(str(tmp_path / "in.zarr")), kernel, normalize=True, boundary="reflect", dtype="uint16", chunks=(24, 48, 48))
        saved = da.to_zarr(lazy, str(tmp_path / "out.zarr"), compute=False)
        pids = client.run(os.getpid)
        future = client.compute(saved, optimize_graph=False)
        begin = time.monotonic()
        while _count_files(tmp_path / "out.zarr") < 4:
            assert time.monotonic() - begin < 60
            time.sleep(0.005)
        assert _count_files(tmp_path / "out.zarr") < 32  # it is not done yet
        os.kill(next(iter(pids.values())), signal.SIGKILL)
        future.result(timeout=60)
        assert set(client.run(os.getpid).values()) != set(pids.values())
        threads = client.run(convoy.num_threads)
        assert 1 in threads.values()  # of those that have done something
    found = zarr.open_array(str(tmp_path / "out.zarr"), mode="r")[:]
    wanted = convoy.convolve(image, kernel, axes=(1, 2, 3), normalize=True, boundary="reflect", dtype="uint16", device="cpu", precision="float64")
    assert np.abs(found.astype(int) - wanted.astype(int)).max() <= 1
    assert np.mean(found != wanted) < 1e-3

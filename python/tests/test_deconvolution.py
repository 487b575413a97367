"""Deconvolution: several PSFs and devices, stacks, axes, arrays with slices, stops; the command line's names."""

import inspect
import os
import re
import subprocess

import convoy
import numpy as np
import pytest
from test_sliced import Slices

SHAPE = (6, 20, 24)
PSF = np.outer(np.hanning(7), np.hanning(9))[1:-1, 1:-1][None] * np.array([0.3, 1, 0.5])[:, None, None]
OTHER = np.flip(PSF, 0) ** 2
PROGRAM = os.environ.get("CONVOY_PROGRAM", "")


def blurred(psf=PSF, seed=1, noise=0.0):
    rng = np.random.default_rng(seed)
    truth = 5 + 200 * (rng.random(SHAPE) > 0.98)
    image = convoy.convolve(truth.astype(float), psf, normalize=True, boundary="nearest", device="cpu")
    return rng.poisson(image).astype(np.float32) if noise else image.astype(np.float32)


def largest_difference(found, wanted):
    assert found.shape == wanted.shape
    return np.abs(np.asarray(found, float) - wanted).max() / np.abs(wanted).max()


def test_a_psf_for_each_channel(device):
    channels = np.stack([blurred(PSF), blurred(OTHER)])
    movie = np.stack([channels, 3 * channels])
    words = dict(iterations=6, device=device)
    wanted = np.stack([convoy.deconvolve(channels[0], PSF, **words), convoy.deconvolve(channels[1], OTHER, **words)])
    assert largest_difference(wanted[0], convoy.deconvolve(channels[0], OTHER, **words)) > 0.1
    assert largest_difference(convoy.deconvolve(movie, [PSF, OTHER], **words)[0], wanted) < 1e-4
    with convoy.Deconvolver(np.stack([PSF, OTHER]), SHAPE, **words) as restore:
        assert largest_difference(restore(movie)[1], 3 * wanted) < 1e-4
        assert restore.report["iterations"] == 6
        assert "(2, 3, 5, 7)" in repr(restore)
        with pytest.raises(ValueError, match=r"with 2 PSFs it is \(\.\.\., 2, \*"):
            restore(channels[0])
    assert largest_difference(convoy.deconvolve(channels, np.stack([PSF, OTHER]), axes=(1, 2, 3), **words), wanted) < 1e-4
    with pytest.raises(ValueError, match="pad them to one"):
        convoy.deconvolve(channels, [PSF, OTHER[1:]], **words)


def test_axes_wherever_they_stand(device):
    images = np.stack([blurred(), blurred(seed=2)])
    wanted = convoy.deconvolve(images, PSF, 4, device=device)
    behind = convoy.deconvolve(np.moveaxis(images, 0, -1), PSF, 4, axes=(0, 1, 2), device=device)
    assert largest_difference(np.moveaxis(behind, -1, 0), wanted) < 1e-5


def test_several_devices_share_images():
    images = np.stack([blurred(seed=seed) for seed in range(5)])
    wanted = convoy.deconvolve(images, PSF, 5, device="cpu")
    with convoy.Deconvolver(PSF, SHAPE, iterations=5, device=["cpu", "cpu:0"]) as restore:
        seen = []
        assert largest_difference(restore(images, progress=lambda p: seen.append((p.done, p.total))), wanted) < 1e-5
        assert seen[-1] == (25, 25)
        assert sum(share["num_tiles"] for share in restore.report["devices"]) == 5
        assert len(restore.report["devices"]) == 2


def test_tiles_within_limits():
    image = np.concatenate([blurred(seed=seed) for seed in range(8)])
    wanted = convoy.deconvolve(image, PSF, 8, device="cpu")
    with convoy.Deconvolver(PSF, image.shape, iterations=8, tiles="fast", halo=2, memory_limit="300KiB", device="cpu") as restore:
        found = restore(image)
        assert restore.plan.num_tiles > 1
        assert restore.plan.device_bytes <= 300 << 10
        assert restore.report["seam_voxels"] > 0
        assert restore.report["seam_relative_l2"] < 0.1
    assert largest_difference(found, wanted) < 0.1
    with convoy.Deconvolver(PSF, image.shape, iterations=8, memory_limit="300KiB", device="cpu") as restore:
        assert largest_difference(restore(image), wanted) < 1e-3
        assert restore.plan.device_bytes <= 300 << 10


def test_arrays_with_slices(device):
    images = np.stack([blurred(), blurred(OTHER)])
    mask = np.ones(SHAPE, bool)
    mask[:, 3] = False
    words = dict(iterations=5, device=device)
    with convoy.Deconvolver([PSF, OTHER], SHAPE, **words) as restore:
        wanted = restore(images, mask=mask)
        missing = restore.report["missing_voxels"]
        found = restore(Slices(images), mask=mask)
        assert largest_difference(found, wanted) < 1e-5
        assert restore.report["missing_voxels"] == missing == 2 * SHAPE[0] * SHAPE[2]
        sink = Slices(np.zeros(images.shape, np.uint16))
        assert restore(images, out=sink, mask=Slices(mask)) is sink
        assert np.abs(sink._array - wanted).max() <= 0.51 + 1e-3 * wanted.max()
        with pytest.raises(KeyError, match="no such chunk"):
            restore(Slices(images, fails=True))
        with pytest.raises(ValueError, match="this Deconvolver was made for"):
            restore(Slices(images[:, 1:]))


def test_tiles_are_read_one_by_one():
    sizes = []

    class Counted(Slices):
        def __getitem__(self, place):
            part = super().__getitem__(place)
            sizes.append(part.size)
            return part

    image = np.tile(blurred(), (16, 6, 6))
    source, sink = Counted(image), Slices(np.zeros_like(image))
    with convoy.Deconvolver(PSF, image.shape, iterations=3, tiles="fast", memory_limit="4MiB", host_memory_limit="24MiB", device="cpu") as restore:
        restore(source, out=sink)
        num_tiles = restore.plan.num_tiles
    assert num_tiles > 8
    assert len(sizes) >= num_tiles  # beside a look at the whole
    assert sorted(sizes)[-num_tiles] < image.size // 8
    assert largest_difference(sink._array, convoy.deconvolve(image, PSF, 3, device="cpu")) < 0.1


def test_stops(device):
    image = blurred(noise=1)
    for stop, most in (("gradient-consensus", 200), ("discrepancy", 200), (0.05, 25)):
        with convoy.Deconvolver(PSF, SHAPE, stop=stop, device=device) as restore:
            restore(image)
            assert 0 < restore.report["iterations"] < most
            assert restore.report["stop_reason"] == (stop if isinstance(stop, str) else "relative-change")
    with convoy.Deconvolver(PSF, SHAPE, background="auto", iterations=2, device=device) as restore:
        restore(image + 100)
        assert restore.report["background"] == pytest.approx(100, abs=10)
    with pytest.raises(ValueError, match="which is none of 'none', 'gradient-consensus', 'discrepancy'"):
        convoy.Deconvolver(PSF, SHAPE, stop="never")
    with pytest.raises(ValueError, match="tiles"):
        convoy.Deconvolver(PSF, SHAPE, stop="discrepancy", tiles="fast")


def test_bfloat16():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    image = blurred().astype(ml_dtypes.bfloat16)
    wanted = convoy.deconvolve(image.astype(np.float32), PSF, 5, device="cpu")
    assert largest_difference(convoy.deconvolve(image, PSF, 5, device="cpu"), wanted) < 1e-5
    assert convoy.deconvolve(image, PSF, 5, dtype="bfloat16", device="cpu").dtype == ml_dtypes.bfloat16


def test_the_last_objects_are_kept():
    image = blurred()
    convoy.clear_cache()
    first = convoy.deconvolve(image, PSF, 2, device="cpu", tv=0.01)
    from convoy._convolver import kept

    assert len(kept._objects) == 1
    assert np.array_equal(convoy.deconvolve(image, PSF, 2, device="cpu", tv=0.01), first)
    assert len(kept._objects) == 1
    assert not np.array_equal(convoy.deconvolve(image, PSF, 2, device="cpu", tv=0.1), first)
    assert len(kept._objects) == 2
    convoy.clear_cache()


@pytest.mark.parametrize("damping", [0.5, 1.0, 2.0])
def test_damping(damping):
    """White's formula, with momentum and non-circulant edges, against the same in NumPy."""
    rng = np.random.default_rng(0)
    data = rng.poisson(rng.uniform(0, 40, (3, 20, 30))).astype(float)
    weights, n = np.array([1, -4, 6, -4, 1]), data.shape[-1]
    fives = np.stack([data[..., i : n - 4 + i] for i in range(5)])
    mean = fives.mean(0)
    gain = np.mean(np.where(mean > 0, np.tensordot(weights, fives, 1) ** 2 / 70 / np.maximum(mean, 1e-9), 0))

    def three(a):
        return (a[..., :-2] + a[..., 1:-1] + a[..., 2:]) / 3

    def adjoint(a):
        return three(np.pad(a, ((0, 0), (0, 0), (2, 2))))

    estimate = np.full((3, 20, n + 2), data.mean())
    last = estimate
    for i in range(1, 16):
        blurred = np.maximum(three(estimate), 1e-6 * data.mean())
        deviance = blurred - data + np.where(data > 0, data * np.log(np.maximum(data, 1e-300) / blurred), 0)
        u = np.minimum(1, 2 * deviance / (damping**2 * gain))
        new = estimate * adjoint(1 + u**9 * (10 - 9 * u) * (data / blurred - 1)) / adjoint(np.ones_like(data))
        fall = min(0.9, 1 - 1 / i) * (last - new)
        estimate, last = np.where(fall <= 0, new - fall, new**2 / np.maximum(new + fall, 1e-300)), new
    words = dict(damping=damping, start="flat", precision="float64", device="cpu")
    found = convoy.deconvolve(data, np.ones((1, 1, 3)), 15, **words)
    np.testing.assert_allclose(found, last[..., 1:-1], rtol=0, atol=1e-10 * last.max())


def test_scratch(tmp_path):
    """Equal to exact tiles in memory; the file has no name, and is told in the plan."""
    image = np.random.default_rng(3).poisson(20, (64, 160, 160)).astype(np.float32)
    words = dict(iterations=2, device="cpu", memory_limit="1MiB", host_memory_limit="32MiB")
    with convoy.Deconvolver(PSF, image.shape, iterations=2, device="cpu", memory_limit="1MiB") as restore:
        expected = restore(image)
    with convoy.Deconvolver(PSF, image.shape, scratch=tmp_path, **words) as restore:
        assert restore.plan.json["tiling"] == "exact" and restore.plan.json["scratch_bytes"] > 6 * image.nbytes
        assert not list(tmp_path.iterdir())
        assert np.array_equal(restore(image), expected)
    with pytest.raises(OSError, match="missing"):
        convoy.Deconvolver(PSF, image.shape, scratch=tmp_path / "missing" / "file", **words)


# What the command line calls otherwise, and what it alone has: files, their axes, and how it prints.
RENAMED = {"devices": "device", "ram-limit": "host_memory_limit", "kernel-axes": "axes"}
FILES = {
    "allow-missing-chunks", "backend", "help", "no-normalize", "ome-zarr", "overwrite", "picture", "progress", "quiet", "raw", "report", "resume", "series", "trace-memory",
}  # fmt: skip
NOT_YET = {"psf-crop", "psf-voxel-size", "region", "core"}  # of resample_psf, psf_box, DeconvolutionSpec::region and split_output
CURVE = {"curve"}  # is in every report


@pytest.mark.skipif(not PROGRAM, reason="no program to compare with (CONVOY_PROGRAM)")
def test_names_and_defaults_are_those_of_the_command_line():
    text = subprocess.run([PROGRAM, "deconvolve", "--help"], capture_output=True, text=True, check=True).stdout
    options = dict(re.findall(r"^ +(?:-\w, *)?--([a-z-]+)(.*(?:\n {8,}.*)*)", text, flags=re.M))
    assert len(options) > 30
    theirs = {RENAMED.get(name, name.replace("-", "_")) for name in options if name not in FILES | NOT_YET}
    words = inspect.signature(convoy.Deconvolver.__init__).parameters
    ours = {name for name in words if not name.startswith("_")} - {"self", "psf", "shape"} - CURVE
    of_calls = {name for function in (convoy.deconvolve, convoy.Deconvolver.__call__) for name in inspect.signature(function).parameters}
    assert ours - theirs == set()
    assert theirs - ours - of_calls == set()
    compared = 0
    for name, rest in options.items():
        default = re.search(r"\(default ([\w.-]+)", " ".join(rest.split()))
        word = words.get(RENAMED.get(name, name.replace("-", "_")))
        if default is None or word is None or word.default is None or name in ("precision", "normalize"):
            continue
        value = default[1].rstrip(".")
        assert str(word.default) == value or float(word.default) == float(value), name
        compared += 1
    assert compared >= 14

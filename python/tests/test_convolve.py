"""Values, shapes and dtypes of convolve() and Convolver, against sums in double precision."""

import itertools
import pickle

import convoy
import numpy as np
import pytest
from conftest import assert_close, direct

SHAPES = [((40,), (7,)), ((21, 33), (4, 5)), ((10, 20, 14), (3, 4, 5)), ((5, 6), (9, 8))]


@pytest.mark.parametrize(("shape", "extents"), SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_modes(device, rng, shape, extents, dtype):
    image, kernel = rng.standard_normal(shape).astype(dtype), rng.standard_normal(extents)
    for mode in ("same", "full"):
        found = convoy.convolve(image, kernel, mode, device=device)
        assert found.dtype == dtype
        assert_close(found, direct(image, kernel, mode))
    if all(n >= k for n, k in zip(shape, extents)):
        assert_close(convoy.convolve(image, kernel, "valid", device=device), direct(image, kernel, "valid"))


@pytest.mark.parametrize(("boundary", "mode"), list(itertools.product(["constant", "reflect", "nearest", "wrap", "mirror"], ["same", "full"])))
def test_boundaries(device, rng, boundary, mode):
    image, kernel = rng.standard_normal((12, 17)), rng.standard_normal((4, 5))
    found = convoy.convolve(image, kernel, mode, boundary=boundary, cval=1.5, device=device)
    assert_close(found, direct(image, kernel, mode, boundary, 1.5))


def test_circular_is_what_an_fft_gives(device, rng):
    image, kernel = rng.standard_normal((8, 9)), rng.standard_normal((8, 9))
    wanted = np.fft.ifft2(np.fft.fft2(image) * np.fft.fft2(kernel)).real
    assert_close(convoy.convolve(image, kernel, "circular", origin="first", device=device), wanted)


def test_origin_operation_normalize_region(rng):
    image, kernel = rng.standard_normal((12, 17)), rng.random((4, 5))
    full = direct(image, kernel, "full")
    for origin, at in (("first", (0, 0)), ("scipy", (1, 2)), ((3, 1), (3, 1)), ("peak", np.unravel_index(kernel.argmax(), kernel.shape))):
        assert_close(convoy.convolve(image, kernel, origin=origin), full[at[0] : at[0] + 12, at[1] : at[1] + 17])
    assert_close(convoy.convolve(image, kernel, normalize=True), direct(image, kernel) / kernel.sum())
    flipped = convoy.convolve(image, kernel[::-1, ::-1], boundary="reflect", origin=(1, 2))
    assert_close(convoy.convolve(image, kernel, operation="flip", boundary="reflect"), flipped)
    part = convoy.convolve(image, kernel, region=(slice(2, 5), slice(-4, None)))
    assert_close(part, direct(image, kernel)[2:5, -4:])
    assert part.shape == (3, 4)


@pytest.mark.parametrize("boundary", ["zero", "reflect", "nearest", "wrap", "mirror"])
def test_correlate_is_the_adjoint(rng, boundary):
    kernel, x, y = rng.standard_normal((4, 5)), rng.standard_normal((12, 17)), rng.standard_normal((12, 17))
    there = (convoy.convolve(x, kernel, boundary=boundary) * y).sum()
    back = (convoy.convolve(y, kernel, boundary=boundary, operation="correlate") * x).sum()
    assert there == pytest.approx(back, rel=1e-12)


DTYPES = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "?", ">f4", ">u2", ">i8"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_dtype_and_strides(rng, dtype):
    kernel = rng.standard_normal((3, 2, 4))
    image = (rng.standard_normal((8, 10, 12)) * 50).astype(dtype)
    natural = "float64" if np.dtype(dtype).itemsize > 4 or dtype in ("u4", "i4") else "float32"
    for view in (image, image[::2, ::-1, ::3], image.transpose(2, 0, 1), np.asfortranarray(image), image[:, :, 2:9], image[:, :1]):
        wanted = direct(view, kernel)
        found = convoy.convolve(view, kernel, precision="float64")
        assert found.dtype == np.float64
        assert_close(found, wanted)
        assert convoy.convolve(view, kernel).dtype == natural


def test_output_dtypes_round_half_to_even_and_clip():
    image = np.array([0.5, 1.5, 2.5, -3.0, 300.0], np.float32)
    blur = convoy.Convolver([1.0], (5,), device="cpu")
    found = blur(image, dtype="uint8")
    assert found.dtype == np.uint8
    assert found.tolist() == [0, 2, 2, 0, 255]
    assert blur.report["saturated_voxels"] == 2
    assert blur(image, dtype="float16").dtype == np.float16
    with pytest.raises(TypeError, match="int64"):
        blur(image, dtype="int64")


def test_out_is_written_and_returned(rng):
    image, kernel = rng.standard_normal((12, 17)), rng.standard_normal((4, 5))
    wanted = direct(image, kernel)
    for out in (np.empty((12, 17)), np.empty((17, 12)).T, np.empty((12, 34))[:, ::2], np.empty((12, 17), ">f8")):
        assert convoy.convolve(image, kernel, out=out) is out
        assert_close(out, wanted)
    frozen = np.empty((12, 17))
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        convoy.convolve(image, kernel, out=frozen)
    with pytest.raises(ValueError, match="overlaps"):
        convoy.convolve(image, kernel, out=image)
    with pytest.raises(ValueError, match=r"\(3, 3\)"):
        convoy.convolve(image, kernel, out=np.empty((3, 3)))
    image.flags.writeable = False
    assert_close(convoy.convolve(image, kernel), wanted)


def test_strides_are_read_and_written_in_place(rng):
    """Channels of one array: neighbours stay as they are, and no voxel is copied first."""
    channels, kernel = rng.standard_normal((12, 17, 3)), rng.standard_normal((4, 5))
    before = channels.copy()
    assert convoy.convolve(channels[..., 0], kernel, out=channels[::-1, ::-1, 2]) is not None
    assert_close(channels[::-1, ::-1, 2], direct(before[..., 0], kernel))
    assert np.array_equal(channels[..., :2], before[..., :2])
    with pytest.raises(ValueError, match="overlaps"):
        convoy.convolve(channels[2:, :, 0], kernel, out=channels[:-2, :, 0])
    records = np.zeros((6, 7), dtype=[("a", "u1"), ("b", "f8")])  # not aligned
    records["b"] = rng.standard_normal((6, 7))
    assert_close(convoy.convolve(records["b"], kernel), direct(records["b"], kernel))
    stack = rng.standard_normal((4, 3, 8, 9))
    for view in (stack[::2], stack[:, ::2], stack[::-1, ::-1], stack.transpose(1, 0, 2, 3), stack.transpose(3, 2, 1, 0), stack[:, :1], stack[1:2]):
        extents = (4, 5) if view.shape[-1] == 9 else (2, 3)
        found = convoy.convolve(view, kernel[: extents[0], : extents[1]], axes=(2, 3))
        for index in np.ndindex(view.shape[:2]):
            assert_close(found[index], direct(view[index], kernel[: extents[0], : extents[1]]))


def test_batches_are_one_run(device, rng):
    stack, kernel = rng.standard_normal((2, 3, 8, 9)).astype(np.float32), rng.standard_normal((3, 4))
    with convoy.Convolver(kernel, (8, 9), device=device) as blur:
        found = blur(stack)
        assert blur.report["num_tiles"] >= 6
    for index in np.ndindex(2, 3):
        assert_close(found[index], direct(stack[index], kernel))
    assert_close(convoy.convolve(stack, kernel, axes=(-2, -1), device=device), found.astype(np.float64))
    moved = np.moveaxis(stack, 1, 3)  # (2, 8, 9, 3)
    other = convoy.convolve(moved, kernel, axes=(1, 2), device=device)
    assert other.shape == moved.shape
    assert_close(np.moveaxis(other, 3, 1), found.astype(np.float64))
    swapped = convoy.convolve(stack, kernel.T, axes=(3, 2), device=device)  # the kernel's axes in the order of `axes`
    assert_close(swapped, found.astype(np.float64))
    into = np.empty_like(moved)
    assert convoy.convolve(moved, kernel, axes=(1, 2), out=into, device=device) is into
    assert_close(into, other.astype(np.float64))
    assert convoy.convolve(stack, kernel[0], axes=2).shape == stack.shape
    assert convoy.convolve(np.empty((0, 8, 9)), kernel, axes=(1, 2)).shape == (0, 8, 9)


def test_memory_limits_make_tiles(rng):
    image, kernel = rng.standard_normal((32, 48, 40)).astype(np.float32), rng.standard_normal((5, 5, 5))
    limited = convoy.Convolver(kernel, image.shape, device="cpu", memory_limit="256KiB")
    assert limited.plan.num_tiles > 1
    assert limited.plan.device_bytes <= 256 * 1024
    assert_close(limited(image), direct(image, kernel))
    assert limited.report["devices"][0]["id"].startswith("cpu")
    with pytest.raises(ValueError, match="MiBs"):
        convoy.convolve(image, kernel, memory_limit="3 MiBs")


def test_several_devices(rng):
    image, kernel = rng.standard_normal((16, 48, 40)).astype(np.float32), rng.standard_normal((5, 5, 5))
    blur = convoy.Convolver(kernel, image.shape, device=["cpu", "cpu"])
    assert_close(blur(image), direct(image, kernel))
    assert len(blur.report["devices"]) == 2


def test_methods_agree(rng):
    image, kernel = rng.standard_normal((20, 30)), np.outer(np.hanning(7), np.hanning(5))
    for method in ("fft", "direct", "separable"):
        blur = convoy.Convolver(kernel, image.shape, precision="float64", method=method, device="cpu")
        assert (blur.plan.json["path"] == method) != (method == "fft")
        assert_close(blur(image), direct(image, kernel))


def test_nan(rng):
    image = rng.standard_normal((8, 9))
    image[2, 3] = np.nan
    with pytest.raises(convoy.InvalidArgument, match="2,3"):
        convoy.convolve(image, np.ones((3, 3)))
    blur = convoy.Convolver(np.ones((3, 3)), (8, 9), nan="zero", precision="float64")
    assert_close(blur(image), direct(np.nan_to_num(image), np.ones((3, 3))))
    assert blur.report["non_finite_voxels"] == 1
    image[2, 3] = -99
    assert_close(convoy.convolve(image, np.ones((3, 3)), no_data=-99), direct(np.where(image == -99, 0, image), np.ones((3, 3))))


def test_missing_voxels(rng):
    image, kernel = rng.standard_normal((8, 9)), rng.random((3, 3))
    image[2, 3] = np.nan
    known = (~np.isnan(image)).astype(float)
    wanted = direct(np.nan_to_num(image), kernel) * kernel.sum() / direct(1 - (1 - known), kernel, boundary="constant", cval=1.0)
    blur = convoy.Convolver(kernel, (8, 9), nan="interpolate", precision="float64")
    assert_close(blur(image), wanted)
    assert blur.report["non_finite_voxels"] == 1
    kept = convoy.convolve(image, kernel, nan="interpolate", preserve_nan=True)
    assert np.array_equal(np.isnan(kept), np.isnan(image))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex(rng, dtype):
    image = (rng.standard_normal((8, 9)) + 1j * rng.standard_normal((8, 9))).astype(dtype)
    kernel = rng.standard_normal((3, 4)) + 1j * rng.standard_normal((3, 4))
    apart = lambda x, k: direct(x.real, k.real) - direct(x.imag, k.imag) + 1j * (direct(x.real, k.imag) + direct(x.imag, k.real))
    limit = 1e-12 if dtype == "complex128" else 1e-5
    for x, k in ((image, kernel), (image, kernel.real), (image.real, kernel), (image.T, kernel), (image[::-1, ::2], kernel)):
        found = convoy.convolve(x, k)
        assert found.dtype == dtype
        assert np.abs(found - apart(x, k)).max() < limit * 100


def test_pickle(rng):
    image, kernel = rng.standard_normal((12, 17)), rng.standard_normal((4, 5))
    blur = convoy.Convolver(kernel, image.shape, boundary="mirror", precision="float64")
    copy = pickle.loads(pickle.dumps(blur))
    assert np.array_equal(copy(image), blur(image))
    restore = convoy.Deconvolver(np.ones((3, 3)), (12, 17), iterations=2)
    positive = np.abs(image)
    assert np.array_equal(pickle.loads(pickle.dumps(restore))(positive), restore(positive))
    plan = convoy.plan((64, 64), (5, 5))
    assert pickle.loads(pickle.dumps(plan)).json == plan.json


def test_lists_and_scalars():
    assert convoy.convolve([1.0, 2.0, 3.0], [1.0, 1.0], "full").tolist() == pytest.approx([1, 3, 5, 3])
    with pytest.raises(ValueError, match="axes"):
        convoy.convolve(1.0, 2.0)


def test_closed():
    blur = convoy.Convolver([1.0], (5,))
    blur.close()
    with pytest.raises(ValueError, match="closed"):
        blur(np.zeros(5))

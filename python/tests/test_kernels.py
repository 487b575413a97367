"""Several kernels in one call, input boxes, and bfloat16 in host memory."""

import convoy
import numpy as np
import pytest
from conftest import assert_close, direct

SHAPE, EXTENTS = (12, 17), (4, 5)


@pytest.fixture
def kernels(rng):
    return rng.standard_normal((3, *EXTENTS))


def adjoint_of(images, apply, shape):
    """Of a linear map on images of `shape`, by its rows."""
    rows = [apply(unit.reshape(shape)).ravel() for unit in np.eye(int(np.prod(shape)))]
    return (np.array(rows) @ images.ravel()).reshape(shape)


def test_every_image_with_every_kernel(device, rng, kernels):
    stack = rng.standard_normal((2, *SHAPE))
    with convoy.Convolver(kernels, SHAPE, precision="float64", boundary="reflect", device=device) as bank:
        found = bank(stack)
        assert found.shape == (2, 3, *SHAPE)
        for i, k in np.ndindex(2, 3):
            assert_close(found[i, k], direct(stack[i], kernels[k], boundary="reflect"))
        into = np.empty_like(found)
        assert bank(stack, out=into) is into
        assert np.array_equal(into, found)
        assert bank.plan.json["spec"]["num_kernels"] == 3
    assert np.array_equal(convoy.convolve(stack[0], kernels, boundary="reflect", device=device), found[0])
    assert np.array_equal(convoy.convolve(stack, kernels, axes=(1, 2), boundary="reflect", device=device), found)
    assert convoy.convolve(stack[0], kernels, "valid", device=device).shape == (3, 9, 13)
    back = convoy.Convolver(kernels, SHAPE, precision="float64", operation="correlate", device=device)
    assert_close(back(found)[1], adjoint_of(found[1], lambda x: np.array([direct(x, k) for k in kernels]), SHAPE))


def test_each_image_with_its_kernel(device, rng, kernels):
    stacks = rng.standard_normal((2, 3, *SHAPE))
    found = convoy.convolve(stacks, kernels, axes=(2, 3), pairing="each", device=device)
    for i, k in np.ndindex(2, 3):
        assert_close(found[i, k], direct(stacks[i, k], kernels[k]))
    with pytest.raises(ValueError, match=r"\(\.\.\., 3, "):
        convoy.convolve(stacks[:, :2], kernels, axes=(2, 3), pairing="each", device=device)


def test_a_psf_that_varies(device, rng, kernels):
    image, weights = rng.standard_normal((2, *SHAPE)), rng.random((3, *SHAPE))
    found = convoy.convolve(image, kernels, axes=(1, 2), pairing="sum", weights=weights, device=device)
    assert found.shape == image.shape
    assert_close(found[1], sum(direct(w * image[1], k) for w, k in zip(weights, kernels)))
    other = convoy.convolve(image, kernels, axes=(1, 2), pairing="sum", weights=1 - weights, device=device)
    assert_close(found + other, np.array([sum(direct(one, k) for k in kernels) for one in image]))
    with pytest.raises(ValueError, match="weights"):
        convoy.convolve(image[0], kernels, weights=weights)
    with pytest.raises(ValueError, match="weights"):
        convoy.convolve(image[0], kernels[0], weights=weights)
    with pytest.raises(ValueError, match="last ones"):
        convoy.convolve(image, kernels, axes=(0, 2))


def test_plans_of_several_kernels():
    one, four = (convoy.plan((64, 64, 64), (9, 9, 9), num_kernels=n, device="cpu", method="fft") for n in (1, 4))
    assert four.device_bytes > one.device_bytes


def test_input_box_is_what_a_region_needs(rng):
    """The region from the box alone: the rest of the image is NaN, which nan='error' would refuse were it read."""
    image, kernel = rng.standard_normal((30, 40)), rng.standard_normal((4, 7))
    for boundary in ("zero", "reflect", "nearest", "wrap", "mirror"):
        region = (slice(10, 13), slice(0, 9))
        box = convoy.input_box(image.shape, kernel.shape, boundary=boundary, region=region)
        poisoned = np.full_like(image, np.nan)
        poisoned[box] = image[box]
        found = convoy.convolve(poisoned, kernel, boundary=boundary, region=region, device="cpu", method="direct")
        assert_close(found, direct(image, kernel, boundary="constant" if boundary == "zero" else boundary)[region])
        assert poisoned[box].size < image.size
    with pytest.raises(ValueError, match="region"):
        convoy.input_box((30, 40), (4, 7), region=(slice(3, 3), slice(0, 2)))


def bits_of(values):
    """bfloat16 of float32: the upper half, which these values fit."""
    return (np.asarray(values, np.float32).view(np.uint32) >> 16).astype(np.uint16)


def test_bfloat16_of_ml_dtypes(device):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    image = np.arange(-20, 20, dtype=np.float32).reshape(5, 8)
    half = image.astype(ml_dtypes.bfloat16)
    kernel = np.array([[0.5, 1, 0.5]])
    wanted = direct(image, kernel)
    found = convoy.convolve(half, kernel, device=device)
    assert found.dtype == np.float32
    assert_close(found, wanted)
    assert_close(convoy.convolve(image, kernel.astype(ml_dtypes.bfloat16), device=device), wanted)
    rounded = convoy.convolve(half[:, ::2], kernel, dtype="bfloat16", device=device)
    assert rounded.dtype == ml_dtypes.bfloat16
    assert np.array_equal(rounded.view(np.uint16), bits_of(direct(image[:, ::2], kernel)))
    out = np.empty((5, 8), ml_dtypes.bfloat16)
    assert convoy.convolve(half, kernel, out=out, device=device) is out
    assert np.array_equal(out, wanted.astype(ml_dtypes.bfloat16))

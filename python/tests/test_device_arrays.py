"""Arrays on a device: torch and CuPy where a GPU is, and on the CPU stand-in of HIP (CONVOY_HIP_LIBRARY names it), whose addresses are those
of host memory, arrays that say they lie there."""

import convoy
import numpy as np
import pytest
from conftest import assert_close, direct

HIP = [d for d in convoy.devices() if d.id.startswith("hip")]
on_hip = pytest.mark.skipif(not HIP, reason="no HIP device, real or stand-in (CONVOY_HIP_LIBRARY)")
KERNEL = np.random.default_rng(3).standard_normal((3, 4)).astype(np.float32)
IMAGE = np.random.default_rng(4).standard_normal((9, 12)).astype(np.float32)
WANTED = direct(IMAGE, KERNEL)


class Namespace:
    float32, float64, float16, uint8, complex64, complex128 = "float32", "float64", "float16", "uint8", "complex64", "complex128"

    @staticmethod
    def empty(shape, dtype, device):
        return DeviceArray(np.empty(shape, dtype), device)


class DeviceArray:
    """Says that it lies on a ROCm device, and writes down the streams that it is asked for."""

    def __init__(self, array, device=0):
        self.array, self.device, self.streams = array, device, []
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __array_namespace__(self):
        return Namespace

    def __dlpack_device__(self):
        return (10, self.device)

    def __dlpack__(self, *, stream=None, max_version=None):
        self.streams.append(stream)
        return self.array.__dlpack__()


@on_hip
def test_values_and_outputs():
    image = DeviceArray(IMAGE)
    found = convoy.convolve(image, KERNEL)
    assert type(found) is DeviceArray
    assert_close(found.array, WANTED)
    assert image.streams == [0]  # HIP's default stream in DLPack; 1 is CUDA's
    out = DeviceArray(np.empty_like(IMAGE))
    with convoy.Convolver(KERNEL, (9, 12), device="hip") as blur:
        assert blur(image, out=out) is out
        assert_close(out.array, WANTED)
        half = blur(DeviceArray(IMAGE.astype(np.float16)), dtype="float16")
        assert half.array.dtype == np.float16
        assert np.abs(half.array - WANTED).max() < 0.02
        assert blur.plan.json["kind"] == "convolution"


@on_hip
def test_batches():
    stack = np.stack([IMAGE, 2 * IMAGE, -IMAGE])
    found = convoy.convolve(DeviceArray(stack), KERNEL, axes=(1, 2), boundary="reflect")
    for one, scale in zip(found.array, (1, 2, -1)):
        assert_close(one, scale * direct(IMAGE, KERNEL, boundary="reflect"))


@on_hip
def test_strides_of_any_sign():
    stack = np.stack([IMAGE, 2 * IMAGE])
    padded = np.full((2, 9, 30), np.nan, np.float32)
    padded[:, :, 3:27:2] = stack
    reverse = np.ascontiguousarray(stack[:, ::-1, ::-1])[:, ::-1, ::-1]
    out = np.full((2, 9, 24), -7, np.float32)
    with convoy.Convolver(KERNEL, (9, 12), device="hip") as blur:
        for image in (padded[:, :, 3:27:2], reverse, np.asfortranarray(stack), stack):
            found = blur(DeviceArray(image), out=DeviceArray(out[:, :, ::-2]))
            for one, scale in zip(found.array, (1, 2)):
                assert_close(one, scale * WANTED)
            assert (out[:, :, ::2] == -7).all()


@on_hip
def test_complex_images_and_kernels():
    image = (IMAGE + 3j * IMAGE[::-1]).astype(np.complex64)
    found = convoy.convolve(DeviceArray(image), KERNEL).array
    assert found.dtype == np.complex64
    assert_close(found.real, WANTED)
    assert_close(found.imag, 3 * direct(IMAGE[::-1], KERNEL))
    found = convoy.convolve(DeviceArray(IMAGE), (KERNEL - 2j * KERNEL).astype(np.complex64)).array
    assert_close(found.real, WANTED)
    assert_close(found.imag, -2 * WANTED)


@on_hip
def test_missing_voxels():
    image = IMAGE.copy()
    image[3:5, 4] = np.nan
    kernel = np.abs(KERNEL)
    for words in (dict(nan="interpolate"), dict(nan="interpolate", preserve_nan=True), dict(nan="zero", preserve_nan=True)):
        found = convoy.convolve(DeviceArray(image), kernel, **words).array
        wanted = convoy.convolve(image, kernel, device="cpu", **words)
        assert (np.isnan(found) == np.isnan(wanted)).all()
        assert_close(np.nan_to_num(found), np.nan_to_num(wanted))


@on_hip
def test_what_does_not_fit_is_refused():
    image = DeviceArray(IMAGE)
    with convoy.Convolver(KERNEL, (9, 12), device="hip") as blur:
        with pytest.raises(ValueError, match="host memory"):
            blur(image, out=np.empty((9, 12), np.float32))
        with pytest.raises(ValueError, match="hip:1"):
            blur(image, out=DeviceArray(np.empty((9, 12), np.float32), 1))
        with pytest.raises(ValueError, match="shape"):
            blur(image, out=DeviceArray(np.empty((9, 11), np.float32)))
        with pytest.raises(TypeError, match="uneven distances"):
            blur(DeviceArray(np.zeros((2, 4, 9, 12), np.float32)[:, ::3]))
    with convoy.Convolver(KERNEL, (9, 12), device="cpu") as blur, pytest.raises(ValueError, match="hip:0"):
        blur(image)
    with pytest.raises(ValueError, match="hip:0"):
        convoy.deconvolve(image, np.ones((3, 3)))


def cuda(name):
    library = pytest.importorskip(name)
    try:
        found = library.cuda.is_available()
    except Exception:
        found = False
    if not found:
        pytest.skip("no CUDA device")
    return library


def test_torch_on_cuda():
    torch = cuda("torch")
    image = torch.from_numpy(IMAGE).cuda()
    wanted = torch.from_numpy(WANTED)
    assert_close(convoy.convolve(image, KERNEL).cpu().numpy(), WANTED)
    blur = convoy.Convolver(KERNEL, (9, 12), device="cuda:0")
    other = torch.cuda.Stream()
    with torch.cuda.stream(other):
        doubled = blur(image * 2)
        shifted = doubled + 1
    other.synchronize()
    assert torch.allclose(shifted.cpu().double(), 2 * wanted + 1, atol=1e-4)
    out = torch.empty(9, 12, dtype=torch.float16, device="cuda")
    assert blur(image, out=out) is out
    transposed = image.T.contiguous().T
    assert not transposed.is_contiguous()
    assert_close(blur(transposed).cpu().numpy(), WANTED)
    assert_close(blur(torch.complex(image, -2 * image)).cpu().numpy(), (1 - 2j) * WANTED)
    x = torch.randn(5, 6, dtype=torch.float64, device="cuda", requires_grad=True)
    k = torch.randn(3, 2, dtype=torch.float64, device="cuda", requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, b: convoy.convolve(a, b, boundary="reflect"), (x, k))


def test_cupy():
    cupy = cuda("cupy")
    image = cupy.asarray(IMAGE)
    blur = convoy.Convolver(cupy.asarray(KERNEL), (9, 12), device="cuda:0")
    with cupy.cuda.Stream(non_blocking=True) as stream:
        found = blur(image * 2)
    stream.synchronize()
    assert type(found) is cupy.ndarray
    assert_close(cupy.asnumpy(blur(cupy.asarray(IMAGE[::-1].copy())[::-1])), WANTED)
    assert_close(cupy.asnumpy(found), 2 * WANTED)

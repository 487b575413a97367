"""Arrays of other libraries in host memory: what comes in goes out. What cannot be imported here is skipped."""

import convoy
import numpy as np
import pytest
from conftest import assert_close, direct

KERNEL = np.random.default_rng(3).standard_normal((3, 4))
IMAGE = np.random.default_rng(4).standard_normal((9, 12))
WANTED = direct(IMAGE, KERNEL)


def test_array_api_strict():
    xp = pytest.importorskip("array_api_strict")
    image = xp.asarray(IMAGE)
    found = convoy.convolve(image, xp.asarray(KERNEL))
    assert type(found) is type(image)
    assert_close(np.from_dlpack(found), WANTED)
    blur = convoy.Convolver(KERNEL, (9, 12))
    assert type(blur(xp.asarray(IMAGE, dtype=xp.float32))) is type(image)
    transposed = xp.permute_dims(image, (1, 0))
    assert_close(np.from_dlpack(convoy.convolve(transposed, KERNEL, axes=(1, 0))), WANTED.T)


def test_arrays_that_speak_dlpack_only():
    class Capsules:
        def __init__(self, array):
            self._array = array
            self.shape, self.dtype = array.shape, array.dtype

        def __dlpack__(self, **keywords):
            return self._array.__dlpack__(**keywords)

        def __dlpack_device__(self):
            return self._array.__dlpack_device__()

    assert_close(convoy.convolve(Capsules(IMAGE), Capsules(KERNEL)), WANTED)
    out = np.empty_like(IMAGE)
    given = Capsules(out)
    assert convoy.convolve(Capsules(IMAGE), KERNEL, out=given) is given
    assert_close(out, WANTED)


def test_buffers_and_memory_maps(tmp_path):
    np.save(tmp_path / "image.npy", IMAGE)
    assert_close(convoy.convolve(np.load(tmp_path / "image.npy", mmap_mode="r"), KERNEL), WANTED)
    assert_close(convoy.convolve(memoryview(IMAGE), KERNEL), WANTED)
    assert_close(convoy.convolve(IMAGE.tolist(), KERNEL), WANTED)


def test_torch():
    torch = pytest.importorskip("torch")
    image = torch.from_numpy(IMAGE)
    found = convoy.convolve(image, torch.from_numpy(KERNEL))
    assert type(found) is torch.Tensor
    assert found.dtype == torch.float64
    assert_close(found.numpy(), WANTED)
    assert_close(convoy.convolve(image.T, KERNEL.T).numpy(), WANTED.T)
    assert_close(convoy.convolve(image.T, KERNEL, axes=(1, 0)).numpy(), WANTED.T)
    out = torch.empty(9, 12, dtype=torch.float16)
    assert convoy.convolve(image.half(), KERNEL, out=out) is out
    assert abs(out.numpy() - WANTED).max() < 0.02
    assert convoy.Convolver(KERNEL, (9, 12))(image, dtype=torch.float32).dtype == torch.float32
    assert_close(convoy.convolve(image.bfloat16(), KERNEL).numpy(), direct(image.bfloat16().double().numpy(), KERNEL))
    assert convoy.convolve(image, KERNEL, dtype="bfloat16").dtype == torch.bfloat16


def test_jax():
    jax = pytest.importorskip("jax")
    image = jax.numpy.asarray(IMAGE, dtype=jax.numpy.float32)
    found = convoy.convolve(image, jax.numpy.asarray(KERNEL))
    assert isinstance(found, jax.Array)
    assert_close(np.asarray(found), WANTED)
    with pytest.raises(ValueError, match="JAX"):
        convoy.convolve(image, KERNEL, out=image)

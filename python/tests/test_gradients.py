"""Derivatives: by NumPy against finite differences everywhere; torch's gradcheck and jax.grad where these are installed."""

import itertools

import convoy
import numpy as np
import pytest
from convoy._gradients import Linear

CASES = [
    dict(mode=mode, operation=operation, shape=shape, extents=extents)
    for mode, operation, (shape, extents) in itertools.product(
        ["same", "full", "valid", "circular"], ["convolve", "correlate", "flip"], [((6, 7), (3, 4)), ((5, 4), (7, 6)), ((4, 3, 5), (2, 3, 2)), ((9,), (4,))]
    )
]
CASES += [
    dict(mode="same", operation=operation, boundary=boundary, shape=(5, 6), extents=extents)
    for operation, boundary, extents in itertools.product(["convolve", "correlate", "flip"], ["reflect", "nearest", "wrap", "mirror"], [(3, 4), (2, 9)])
]
CASES += [dict(mode="same", boundary="constant", cval=2.0, operation=o, shape=(5, 6), extents=(3, 4)) for o in ("convolve", "flip")]
CASES += [dict(mode="same", origin=o, operation=p, shape=(5, 6), extents=(3, 4)) for o in ("scipy", "first", (2, 1)) for p in ("convolve", "correlate", "flip")]
CASES += [dict(mode=m, region=(slice(1, 3), slice(0, 2)), shape=(5, 6), extents=(3, 4)) for m in ("same", "full", "valid")]


def name_of(case):
    return "-".join(str(v) for v in case.values())


def words_of(case):
    words = dict(
        boundary="zero", cval=0.0, origin="center", operation="convolve", normalize=False, nan="error", no_data=None, region=None,
        precision="float64", method="auto", path="auto", device="cpu", memory_limit=None, host_memory_limit=None, tune="model",
        deterministic=False,
    )  # fmt: skip
    words.update({k: v for k, v in case.items() if k not in ("shape", "extents")})
    if words["region"] is not None:
        words["region"] = tuple((s.start, s.stop, s.step) for s in words["region"])
    return words


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_derivatives_are_exact(rng, case):
    """A bilinear map: d/dx <g, f(x, k)> in direction v is <g, f(v, k)>, without any finite difference."""
    words = words_of(case)
    x, k = rng.standard_normal(case["shape"]), rng.standard_normal(case["extents"])
    options = {n: v for n, v in words.items() if n != "precision"}
    f = lambda image, kernel: convoy.convolve(image, kernel, precision="float64", **options)
    y = f(x, k)
    g, linear = rng.standard_normal(y.shape), Linear(x.shape, k.shape, words)
    whole = linear.placed(g, np.zeros)
    v, w = rng.standard_normal(x.shape), rng.standard_normal(k.shape)
    by_image = linear.by_image(whole, k)
    assert by_image.shape == x.shape
    assert (by_image * v).sum() == pytest.approx((g * (f(x + v, k) - y)).sum(), rel=1e-10, abs=1e-11)
    by_kernel = linear.by_kernel(x, whole)
    assert by_kernel.shape == k.shape
    assert (by_kernel * w).sum() == pytest.approx((g * f(x, w)).sum(), rel=1e-10, abs=1e-11)


@pytest.mark.parametrize("shape", [(9,), (5, 6), (3, 4, 5)])
def test_batches(rng, shape):
    words = words_of(dict(mode="same", boundary="reflect"))
    x, k, g = rng.standard_normal((2, 3, *shape)), rng.standard_normal((2,) * len(shape)), rng.standard_normal((2, 3, *shape))
    linear = Linear(shape, k.shape, words)
    single = sum(linear.by_kernel(x[i], g[i]) for i in np.ndindex(2, 3))
    np.testing.assert_allclose(linear.by_kernel(x, g), single, rtol=1e-10)
    np.testing.assert_allclose(linear.by_image(g, k)[1, 2], linear.by_image(g[1, 2], k), rtol=1e-10, atol=1e-12)


TORCH_CASES = CASES[::5]


@pytest.mark.parametrize("case", TORCH_CASES, ids=name_of)
def test_torch_gradcheck(case):
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    image = torch.randn(*case["shape"], dtype=torch.float64, requires_grad=True)
    kernel = torch.randn(*case["extents"], dtype=torch.float64, requires_grad=True)
    options = {k: v for k, v in case.items() if k not in ("shape", "extents")}
    assert torch.autograd.gradcheck(lambda x, k: convoy.convolve(x, k, device="cpu", **options), (image, kernel))


def test_torch_modules():
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    stack = torch.randn(2, 3, 5, 6, dtype=torch.float64, requires_grad=True)
    kernel = torch.rand(3, 4, dtype=torch.float64, requires_grad=True)
    call = lambda x, k: convoy.convolve(x, k, axes=(-2, -1), boundary="mirror", normalize=True, device="cpu")
    assert torch.autograd.gradcheck(call, (stack, kernel))
    moved = lambda x, k: convoy.convolve(x, k, axes=(1, 2), device="cpu")
    assert torch.autograd.gradcheck(moved, (stack, torch.rand(2, 2, dtype=torch.float64, requires_grad=True)))
    blur = convoy.Convolver(kernel, (5, 6), precision="float64", device="cpu")
    assert torch.autograd.gradcheck(blur, (stack,))
    assert torch.autograd.gradgradcheck(blur, (stack,))
    image = torch.randn(8, 9, requires_grad=True)
    convoy.convolve(image, np.ones((3, 3)), device="cpu").square().sum().backward()
    assert image.grad.dtype == torch.float32
    with pytest.raises(ValueError, match="out"):
        blur(stack, out=torch.empty(2, 3, 5, 6))
    with pytest.raises(ValueError, match="peak"):
        convoy.convolve(image, kernel, origin="peak", device="cpu")


def test_torch_fits_a_kernel():
    """The gradient is of use: a kernel is found by descent from image and output."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    image, truth = torch.randn(24, 25, dtype=torch.float64), torch.randn(3, 4, dtype=torch.float64)
    wanted = convoy.convolve(image, truth, boundary="reflect", device="cpu")
    kernel = torch.zeros(3, 4, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([kernel], lr=0.3)
    for _ in range(60):
        optimiser.zero_grad()
        (convoy.convolve(image, kernel, boundary="reflect", device="cpu") - wanted).square().mean().backward()
        optimiser.step()
    assert (kernel.detach() - truth).abs().max() < 1e-3


@pytest.mark.parametrize("case", CASES[::9], ids=name_of)
def test_jax_gradients(case):
    jax = pytest.importorskip("jax")
    import convoy.jax

    generator = np.random.default_rng(1)
    image, kernel = generator.standard_normal(case["shape"]), generator.standard_normal(case["extents"])
    options = {k: v for k, v in case.items() if k not in ("shape", "extents")}
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        call = lambda x, k: convoy.jax.convolve(x, k, **options)
        np.testing.assert_allclose(jax.jit(call)(image, kernel), convoy.convolve(image, kernel, device="cpu", **options), rtol=1e-12)
        loss = lambda x, k: (call(x, k) ** 2).sum()
        by_image, by_kernel = jax.grad(loss, (0, 1))(image, kernel)
        v, w, step = generator.standard_normal(image.shape), generator.standard_normal(kernel.shape), 1e-5
        along = (loss(image + step * v, kernel + step * w) - loss(image - step * v, kernel - step * w)) / (2 * step)
        assert float((by_image * v).sum() + (by_kernel * w).sum()) == pytest.approx(float(along), rel=1e-6)
        stack = np.stack([image, 2 * image])
        np.testing.assert_allclose(jax.vmap(lambda x: call(x, kernel))(stack)[0], call(image, kernel), rtol=1e-12)

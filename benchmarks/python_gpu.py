#!/usr/bin/env python3
"""The Python package on a GPU with torch, CuPy and JAX: right, in place, without synchronising, and how long a call takes.

Usage: benchmarks/python_gpu.py [-o python.json]     (with convoy, torch, CuPy, JAX and SciPy importable, and a CUDA GPU)
Prints each check with its figures; status 1 if one is wrong. What cannot be imported is reported as skipped.
"""

import argparse
import json
import pathlib
import sys
import time

import convoy
import numpy as np

RNG = np.random.default_rng(1)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def error(found, wanted):
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def seconds_a_call(torch, call, num=2000):
    for _ in range(50):
        call()
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(num):
        call()
    passed = (time.perf_counter() - begin) / num
    torch.cuda.synchronize()
    return passed


def milliseconds(torch, call, num=20, rounds=7):
    """Of the device, by events: the median of rounds of `num` calls."""
    call()
    times = []
    for _ in range(rounds):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(num):
            call()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end) / num)
    return float(np.median(times))


def torch_values():
    import torch

    image, kernel = normal(33, 40), normal(5, 7)
    found = convoy.convolve(torch.from_numpy(image).cuda(), kernel)
    wrong = error(found.cpu().numpy(), convoy.convolve(image, kernel, device="cpu"))
    return wrong < 1e-6 and found.is_cuda, {"error": wrong}


def torch_elements():
    import torch

    images = torch.from_numpy(normal(4, 60, 50)).cuda()
    kernel = normal(5, 4)
    base = convoy.convolve(images, kernel, axes=(1, 2))
    figures = {}
    for name in ("float16", "bfloat16", "uint8", "int16"):
        these = (images.abs() * 20 if "int" in name else images).to(getattr(torch, name))
        wanted = convoy.convolve(these.float(), kernel, axes=(1, 2))
        figures[name] = error(convoy.convolve(these, kernel, axes=(1, 2)).float().cpu().numpy(), wanted.cpu().numpy())
    turned = convoy.convolve(images.transpose(1, 2), np.ascontiguousarray(kernel.T), axes=(1, 2)).transpose(1, 2)
    figures["strided"] = error(turned.cpu().numpy(), base.cpu().numpy())
    of_complex = convoy.convolve(torch.complex(images, images.flip(0)), kernel, axes=(1, 2))
    figures["complex64"] = error(of_complex.real.cpu().numpy(), base.cpu().numpy())
    return max(figures.values()) < 1e-6, figures


def no_synchronisation():
    """A call behind work that takes long returns before that is done."""
    import torch

    image, kernel = torch.from_numpy(normal(64, 256, 256)).cuda(), normal(9, 9, 9)
    with convoy.Convolver(kernel, tuple(image.shape), device="cuda") as convolver:
        wanted = convolver(image).clone()
        stream = torch.cuda.Stream()
        torch.cuda.synchronize()
        with torch.cuda.stream(stream):
            torch.cuda._sleep(200_000_000)
            begin = time.perf_counter()
            found = convolver(image)
            called = time.perf_counter() - begin
        stream.synchronize()
        waited = time.perf_counter() - begin
        return called < waited / 5 and bool((found == wanted).all()), {"call_seconds": called, "until_done_seconds": waited}


def overhead():
    import torch

    image = torch.from_numpy(normal(64, 64)).cuda()
    out = torch.empty_like(image)
    with convoy.Convolver(np.ones((3, 3), np.float32), (64, 64), device="cuda") as convolver:
        into = seconds_a_call(torch, lambda: convolver(image, out=out))
        return into <= 10e-6, {"out_seconds": into, "new_output_seconds": seconds_a_call(torch, lambda: convolver(image))}


def speed_of_s1():
    import torch

    image = torch.from_numpy(normal(128, 512, 512)).cuda()
    out = torch.empty_like(image)
    with convoy.Convolver(normal(128, 256, 256), (128, 512, 512), device="cuda") as convolver:
        return True, {"ms": milliseconds(torch, lambda: convolver(image, out=out))}


def speed_of_batch():
    import torch

    images, kernel = torch.from_numpy(normal(1000, 256, 256)).cuda(), normal(31, 31)
    out = torch.empty_like(images)
    spectrum = torch.fft.rfft2(torch.from_numpy(kernel).cuda(), s=(288, 288))

    def by_torch():
        return torch.fft.irfft2(torch.fft.rfft2(images, s=(288, 288)) * spectrum, s=(288, 288))[:, 15:271, 15:271]

    with convoy.Convolver(kernel, (256, 256), device="cuda") as convolver:
        ours = milliseconds(torch, lambda: convolver(images, out=out))
    theirs = milliseconds(torch, by_torch, num=5)
    wrong = float((out - by_torch()).norm() / out.norm())
    return wrong < 2e-6 and theirs >= 5 * ours, {"error": wrong, "ms": ours, "torch_ms": theirs, "ratio": theirs / ours}


def torch_gradients():
    import torch

    image, kernel = (torch.randn(*shape, dtype=torch.float64, device="cuda", requires_grad=True) for shape in ((6, 7), (3, 3)))
    return torch.autograd.gradcheck(convoy.convolve, (image, kernel)), {}


def cupy_arrays():
    import cupy

    image, kernel = normal(20, 33), normal(4, 5)
    there = cupy.asarray(image)
    found = convoy.convolve(there, kernel)
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        again = convoy.convolve(there, kernel)
    stream.synchronize()
    wrong = error(cupy.asnumpy(found), convoy.convolve(image, kernel, device="cpu"))
    return wrong < 1e-6 and bool((found == again).all()) and isinstance(found, cupy.ndarray), {"error": wrong}


def jax_arrays():
    import convoy.jax
    import jax
    import jax.numpy as jnp

    image, kernel, weights = normal(20, 33), normal(3, 5), normal(20, 33)
    found = convoy.convolve(jnp.asarray(image), kernel)
    wrong = error(np.asarray(found), convoy.convolve(image, kernel, device="cpu"))
    gradient = jax.grad(lambda of: (convoy.jax.convolve(of, jnp.asarray(kernel)) * weights).sum())(jnp.asarray(image))
    wanted = convoy.convolve(weights, np.ascontiguousarray(kernel[::-1, ::-1]), device="cpu")
    wrong_gradient = error(np.asarray(gradient), wanted)
    return wrong < 1e-6 and wrong_gradient < 1e-5, {"error": wrong, "error_of_gradient": wrong_gradient}


CHECKS = (torch_values, torch_elements, no_synchronisation, overhead, speed_of_s1, speed_of_batch, torch_gradients, cupy_arrays, jax_arrays)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", dest="output", type=pathlib.Path)
    given = parser.parse_args()
    results = []
    for check in CHECKS:
        try:
            right, figures = check()
            verdict = "passed" if right else "failed"
        except ImportError as missing:
            verdict, figures = "skipped", {"because": str(missing)}
        print(f"{check.__name__:20} {verdict}  {figures}", flush=True)
        results.append({"check": check.__name__, "verdict": verdict, **figures})
    if given.output:
        report = {"made_by": "benchmarks/python_gpu.py", "devices": [device.name for device in convoy.devices()], "results": results}
        given.output.write_text(json.dumps(report, indent=1) + "\n")
    sys.exit(any(one["verdict"] == "failed" for one in results))


if __name__ == "__main__":
    main()

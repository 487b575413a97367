"""Gradients for torch. Imported when a tensor that requires them is convolved."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from . import _api, _arrays
from ._gradients import Linear


class _Convolution(torch.autograd.Function):
    """Image and kernel to the output; `run` computes it, `linear` the derivatives."""

    @staticmethod
    def forward(context: Any, image: torch.Tensor, kernel: torch.Tensor, linear: Linear, run: Any) -> torch.Tensor:
        context.save_for_backward(image, kernel)
        context.linear = linear
        return run(image, kernel)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[Any, ...]:
        image, kernel = context.saved_tensors
        whole = context.linear.placed(gradient, gradient.new_zeros).contiguous()
        by_image = by_kernel = None
        if context.needs_input_grad[0]:
            by_image = _Adjoint.apply(whole, kernel, context.linear).to(image.dtype)
        if context.needs_input_grad[1]:
            by_kernel = _kernel_gradient(context.linear, image, whole).to(kernel)
        return by_image, by_kernel, None, None


class _Adjoint(torch.autograd.Function):
    """The derivative by the image, which is differentiable by the gradient that it is given (not by the kernel)."""

    @staticmethod
    def forward(context: Any, gradient: torch.Tensor, kernel: torch.Tensor, linear: Linear) -> torch.Tensor:
        context.save_for_backward(kernel)
        context.linear = linear
        return linear.by_image(gradient, _arrays.kernel(kernel, "kernel"))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, again: torch.Tensor) -> tuple[Any, ...]:
        (kernel,) = context.saved_tensors
        if context.needs_input_grad[1]:
            raise NotImplementedError("second derivatives by the kernel are not computed; detach it")
        words = {**context.linear.words, "cval": 0.0}
        if words["boundary"] == "constant":
            words["boundary"] = "zero"
        words["region"] = None
        return _api._convolve(again.contiguous(), kernel, words, batched=True).to(again.dtype), None, None


def _kernel_gradient(linear: Linear, image: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    """Through host memory: the kernel of that convolution is the gradient, which convoy reads from there."""
    found = linear.by_kernel(image.detach().cpu().numpy(), whole.detach().cpu().numpy())
    return torch.from_numpy(np.ascontiguousarray(found))


def _tensor(array: Any, like: torch.Tensor | None = None) -> torch.Tensor:
    return array if isinstance(array, torch.Tensor) else torch.as_tensor(np.asarray(array))


def convolve(image: Any, kernel: Any, words: dict[str, Any], *, batched: bool = False, dtype: Any = None, out: Any = None, progress: Any = None,
             stream: int | None = None) -> torch.Tensor:  # fmt: skip
    """`convoy.convolve` of tensors of which one requires gradients."""
    if out is not None:
        raise ValueError("out cannot be given where gradients are recorded")
    image, kernel = _tensor(image), _tensor(kernel)
    if image.is_complex() or kernel.is_complex():
        raise TypeError("gradients of complex images and kernels are not computed; convolve real and imaginary part apart")
    if not image.is_floating_point():
        image = image.to(torch.float64 if words["precision"] == "float64" else torch.float32)
    words = dict(words)
    if words["normalize"]:  # by torch, which then knows its derivative
        kernel, words["normalize"] = kernel / kernel.sum(), False
    linear = Linear(tuple(image.shape)[image.ndim - kernel.ndim :], tuple(kernel.shape), words)

    def run(x: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        return _api._convolve(x.detach(), k.detach(), words, batched=batched, dtype=dtype, progress=progress, stream=stream)

    return _Convolution.apply(image, kernel, linear, run)


def apply_convolver(convolver: Any, image: torch.Tensor, **call: Any) -> torch.Tensor:
    """`Convolver.__call__` of a tensor that requires gradients: by the image alone."""
    linear = Linear(convolver.shape, convolver._kernel.shape, convolver._words())
    kernel = torch.from_numpy(convolver._kernel)
    return _Convolution.apply(image, kernel, linear, lambda x, k: convolver(x.detach(), **call))

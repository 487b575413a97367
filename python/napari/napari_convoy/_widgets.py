"""Widgets: a layer, a PSF, a device, options; the plan, a bar, Run and Stop.

The work runs on a thread of its own, which convoy's progress function can stop. Nothing of Qt is touched there: a timer of the widget's reads what
the progress function left.
"""

from __future__ import annotations

import textwrap
import threading
from typing import Any

import convoy
import numpy as np
from magicgui.widgets import CheckBox, ComboBox, Container, FloatSpinBox, Label, ProgressBar, PushButton, SpinBox, create_widget
from napari.layers import Image
from napari.qt.threading import thread_worker
from napari.utils.notifications import show_error
from qtpy.QtCore import QTimer

_REFRESH_MILLISECONDS = 100


def _voxels(layer: Image) -> Any:
    """Of a multiscale layer the finest level."""
    return layer.data[0] if layer.multiscale else layer.data


def _in_lines(error: Exception) -> str:
    return textwrap.fill(str(error), width=60)


class _Widget(Container):
    title = ""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.image = create_widget(annotation=Image, label="image")
        self.psf = create_widget(annotation=Image, label="PSF")
        self.device = ComboBox(label="device", choices=[("the best", "auto"), *((f"{d.id}  {d.name}", d.id) for d in convoy.devices())], value="auto")
        self.memory_limit = SpinBox(label="memory limit (MiB, 0: none)", value=0, min=0, max=1 << 24)
        self.plan = Label(value="")
        self.bar = ProgressBar(value=0, min=0, max=1)
        self.run = PushButton(text="Run")
        self.stop = PushButton(text="Stop", enabled=False)
        fields = self.make_fields()
        buttons = Container(widgets=[self.run, self.stop], layout="horizontal", labels=False)
        self.extend([self.image, self.psf, *fields, self.device, self.memory_limit, self.plan, self.bar, buttons])
        self._stopping = threading.Event()
        self._standing: convoy.Progress | None = None
        self._timer = QTimer(self.native)
        self._timer.timeout.connect(self._show_progress)
        self.run.changed.connect(lambda *_: self.start())
        self.stop.changed.connect(lambda *_: self._stopping.set())
        for field in (self.image, self.psf, self.device, self.memory_limit, *fields):
            field.changed.connect(lambda *_: self.show_plan())
        self.show_plan()

    def make_fields(self) -> list[Any]:
        raise NotImplementedError

    def make_plan(self, image: tuple[int, ...], psf: tuple[int, ...]) -> convoy.Plan:
        raise NotImplementedError

    def compute(self, image: Any, psf: np.ndarray, progress: Any) -> Any:
        raise NotImplementedError

    def common(self) -> dict[str, Any]:
        return dict(device=self.device.value, memory_limit=self.memory_limit.value << 20 or None)

    def arrays(self) -> tuple[Any, np.ndarray] | None:
        """Image and PSF; of the PSF without leading axes of one plane that the image has not."""
        if self.image.value is None or self.psf.value is None:
            return None
        image, psf = _voxels(self.image.value), np.asarray(_voxels(self.psf.value))
        while psf.ndim > 1 and psf.shape[0] == 1 and psf.ndim > min(3, image.ndim):
            psf = psf[0]
        return image, psf

    def show_plan(self) -> None:
        pair = self.arrays()
        if pair is None:
            self.plan.value = "choose an image and a PSF"
            return
        image, psf = pair
        try:
            plan = self.make_plan(tuple(image.shape)[image.ndim - psf.ndim :], psf.shape)
            self.plan.value = repr(plan).removeprefix("<convoy.Plan: ").removesuffix(">").replace(", ", "\n")
        except (ValueError, MemoryError, RuntimeError) as error:
            self.plan.value = _in_lines(error)

    def start(self) -> Any:
        """Begins the work and returns its worker."""
        pair = self.arrays()
        if pair is None:
            return None
        self._stopping.clear()
        self._standing = None
        self.run.enabled, self.stop.enabled = False, True
        source = self.image.value

        def progress(standing: convoy.Progress) -> bool:
            self._standing = standing
            return not self._stopping.is_set()

        @thread_worker
        def work() -> Any:
            # An error that leaves this function, or is what it returns, is raised in Qt's loop, which ends the program under PyQt6.
            try:
                return self.compute(*pair, progress), None
            except Exception as error:
                return None, error

        worker = work()
        worker.returned.connect(lambda outcome: self._finish(source, *outcome))
        self._timer.start(_REFRESH_MILLISECONDS)
        worker.start()
        return worker

    def _finish(self, source: Image, result: Any, error: Exception | None) -> None:
        self._timer.stop()
        self._show_progress()
        self.run.enabled, self.stop.enabled = True, False
        if isinstance(error, convoy.Cancelled):
            self.plan.value = "stopped"
        elif error is not None:
            self.plan.value = _in_lines(error)
            show_error(str(error))
        else:
            looks = dict(scale=source.scale, translate=source.translate, colormap=source.colormap.name, blending=source.blending)
            self.viewer.add_image(result, name=f"{source.name}, {self.title}", **looks)

    def _show_progress(self) -> None:
        if self._standing is not None:
            self.bar.max = max(100, self._standing.total)
            self.bar.value = round(self._standing.fraction * self.bar.max)


class ConvolveWidget(_Widget):
    title = "convolved"

    def make_fields(self) -> list[Any]:
        self.boundary = ComboBox(label="outside", choices=["zero", "reflect", "nearest", "wrap", "mirror"], value="reflect")
        self.normalize = CheckBox(text="divide the PSF by its sum", value=True)
        return [self.boundary, self.normalize]

    def make_plan(self, image: tuple[int, ...], psf: tuple[int, ...]) -> convoy.Plan:
        return convoy.plan(image, psf, boundary=self.boundary.value, **self.common())

    def compute(self, image: Any, psf: np.ndarray, progress: Any) -> Any:
        axes = tuple(range(-psf.ndim, 0))
        words = dict(boundary=self.boundary.value, normalize=self.normalize.value, axes=axes)
        if hasattr(image, "dask"):
            from convoy import dask as lazily

            words.pop("axes")
            return lazily.convolve(image, psf, **words, **self.common())
        return convoy.convolve(image, psf, progress=progress, **words, **self.common())


class DeconvolveWidget(_Widget):
    title = "deconvolved"

    def make_fields(self) -> list[Any]:
        self.iterations = SpinBox(label="iterations", value=25, min=1, max=10000)
        self.background = FloatSpinBox(label="background", value=0.0, min=0.0, max=1e6)
        self.tv = FloatSpinBox(label="total variation", value=0.0, min=0.0, max=0.1, step=0.001)
        return [self.iterations, self.background, self.tv]

    def options(self) -> dict[str, Any]:
        return dict(background=self.background.value, tv=self.tv.value, **self.common())

    def make_plan(self, image: tuple[int, ...], psf: tuple[int, ...]) -> convoy.Plan:
        # What a Deconvolver holds does not depend on the PSF's voxels.
        return convoy.Deconvolver(np.ones(psf, np.float32), image, iterations=self.iterations.value, **self.options()).plan

    def compute(self, image: Any, psf: np.ndarray, progress: Any) -> Any:
        return convoy.deconvolve(np.asarray(image), psf, self.iterations.value, progress=progress, **self.options())

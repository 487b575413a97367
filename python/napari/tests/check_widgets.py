"""The widgets in a real napari: plan, run, progress, stop, errors. Usage: check_widgets.py FOLDER, which gets screenshots."""

import pathlib
import sys
import time

import convoy
import napari
import numpy as np
from npe2 import PluginManager
from qtpy.QtWidgets import QApplication

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def until(condition, seconds=60):
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, "it did not come to pass"
        QApplication.processEvents()
        time.sleep(0.01)
    return time.monotonic() - begin


PluginManager.instance().discover()
manifest = PluginManager.instance().get_manifest("napari-convoy")
assert {w.display_name for w in manifest.contributions.widgets} == {"Convolve", "Deconvolve"}

viewer = napari.Viewer(show=True)
viewer.window.resize(1300, 820)
viewer.open_sample("napari-convoy", "spheres")
image, psf = viewer.layers
dock, widget = viewer.window.add_plugin_dock_widget("napari-convoy", "Deconvolve")
widget.image.value, widget.psf.value = image, psf
assert "MiB" in widget.plan.value, widget.plan.value  # before anything is run
widget.background.value, widget.device.value = 5.0, next(d.id for d in convoy.devices() if d.id.startswith("cpu"))
widget.iterations.value = 30
widget.start()
until(lambda: widget.bar.max == 100 and widget.bar.value >= 5)
assert not widget.run.enabled
assert widget.stop.enabled
viewer.screenshot(str(folder / "running.png"), canvas_only=False, flash=False)
until(lambda: len(viewer.layers) == 3)
result = viewer.layers[-1]
assert np.allclose(result.scale, image.scale)
assert result.data.std() > 1.2 * image.data.std()  # it is sharper
assert widget.run.enabled

widget.iterations.value = 10000
widget.start()
until(lambda: widget.bar.max == 10000 and widget.bar.value >= 3)
widget.stop.native.click()
print(f"stopped after {until(lambda: widget.run.enabled):.2f} s")
assert widget.plan.value == "stopped"
assert len(viewer.layers) == 3

_, blur = viewer.window.add_plugin_dock_widget("napari-convoy", "Convolve")
blur.image.value, blur.psf.value = result, psf
blur.start()
until(lambda: len(viewer.layers) == 4)
wanted = convoy.convolve(result.data, psf.data, boundary="reflect", normalize=True)
assert np.allclose(viewer.layers[-1].data, wanted, atol=1e-4 * wanted.max())
psf.visible = False
viewer.grid.enabled = True
viewer.dims.set_point(0, 60)
for _ in range(50):
    QApplication.processEvents()
    time.sleep(0.02)
viewer.screenshot(str(folder / "done.png"), canvas_only=False, flash=False)
holed = viewer.add_image(np.full((8, 8), np.nan, np.float32), name="holes")
small = viewer.add_image(np.ones((3, 3), np.float32), name="box")
blur.image.value, blur.psf.value = holed, small
blur.start()
until(lambda: blur.run.enabled)
assert "NaN" in blur.plan.value, blur.plan.value  # told, and napari lives on
viewer.close()
print("passed")

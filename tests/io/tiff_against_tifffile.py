"""Copies stacks and hyperstacks that Python's tifffile writes through convoy, and lets it read the copies."""
import itertools
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import tifffile
except ImportError as absent:
    print(f"SKIPPED: {absent}")
    sys.exit(0)

copy_image = sys.argv[1]
EXTENTS = dict(T=2, C=3, Z=4, Y=20, X=24)


def copied(source, target, axes=""):
    words = [copy_image, str(source), str(target)] + ([axes] if axes else [])
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, (words, done.stderr)


def in_order(values, axes, wanted="TCZYX"):
    """The array with exactly the wanted axes, in that order."""
    missing = [a for a in wanted if a not in axes]
    values = values.reshape((1,) * len(missing) + values.shape)
    axes = "".join(missing) + axes
    return values.transpose([axes.index(a) for a in wanted])


def check(values, axes, target):
    with tifffile.TiffFile(target) as file:
        series, = file.series
        result = in_order(series.asarray(), series.axes.replace("S", "X") if "X" not in series.axes else series.axes)
        expected = "ome" if ".ome." in target.name else "imagej"
        assert series.kind == expected or values.ndim == 2, (target, series.kind)
    assert result.dtype == values.dtype
    assert np.array_equal(result, in_order(values, axes)), (target, axes, result.shape)


def main(folder):
    targets = [folder / "out.tif", folder / "out.ome.tif"]
    layouts = [{}, {"compression": "zlib"}, {"tile": (16, 16)}, {"tile": (16, 16), "compression": "zlib"}, {"rowsperstrip": 3}]
    for kind, (number, layout) in itertools.product(("u1", "u2", "f4"), enumerate(layouts)):
        for axes in ("YX", "ZYX", "TYX", "CYX", "TZYX", "CZYX", "TCZYX"):
            shape = [EXTENTS[a] for a in axes]
            values = np.random.default_rng(1).integers(0, 200, shape).astype(kind)
            source = folder / "in.ome.tif"
            tifffile.imwrite(source, values, metadata={"axes": axes}, bigtiff=number % 2 == 1, **layout)
            copied(source, targets[number % 2])
            check(values, axes, targets[number % 2])
            if "compression" not in layout:
                order = "".join(a for a in "TZCYX" if a in axes)
                sorted_values = values.transpose([axes.index(a) for a in order])
                tifffile.imwrite(folder / "in.tif", sorted_values, imagej=True, metadata={"axes": order}, byteorder="><"[number % 2],
                                 **{k: v for k, v in layout.items() if k == "rowsperstrip"})
                copied(folder / "in.tif", targets[0])
                check(values, axes, targets[0])
            tifffile.imwrite(folder / "in.tif", values, metadata=None, photometric="minisblack", **layout)
            if len(axes) == 3:  # nothing is known but a list of pages
                copied(folder / "in.tif", targets[1], axes)
                check(values, axes, targets[1])
            tifffile.imwrite(folder / "in.tif", values, photometric="minisblack", **layout)
            copied(folder / "in.tif", targets[1], axes)  # tifffile's own note of the shape, which names no axes
            check(values, axes, targets[1])


with tempfile.TemporaryDirectory() as name:
    main(pathlib.Path(name))

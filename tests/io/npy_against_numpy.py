"""Copies .npy files of every type, order and version through convoy and compares them in NumPy."""
import itertools
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("SKIPPED: this Python has no NumPy")
    sys.exit(0)

copy_image = sys.argv[1]
kept = {"b1": "u1", "i8": "f8", "u8": "f8"}


def copied(source, target):
    return subprocess.run([copy_image, source, target], capture_output=True, text=True)


def check_good(folder):
    random = np.random.default_rng(1)
    source, target = folder / "in.npy", folder / "out.npy"
    kinds = ["|b1", "|u1", "|i1"] + [o + k for o in "<>" for k in ("u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "c8", "c16")]
    shapes = [(7,), (3, 5), (2, 3, 4), (1, 1, 6), (5, 1, 1)]
    for kind, shape, order, version in itertools.product(kinds, shapes, "CF", [(1, 0), (2, 0), (3, 0)]):
        values = np.asarray(random.integers(-100, 100, shape) * 1000003 % 70000).astype(kind, order=order)
        if values.dtype.kind == "c":
            values += 1j * random.integers(-100, 100, shape)
        with open(source, "wb") as file:
            np.lib.format.write_array(file, values, version=version)
        run = copied(source, target)
        assert run.returncode == 0, (kind, shape, order, version, run.stderr)
        result = np.load(target)
        assert result.shape == shape, (kind, shape, result.shape)
        assert result.dtype.str[1:] == kept.get(kind[1:], kind[1:]), (kind, result.dtype)
        assert np.array_equal(result, values), (kind, shape, order, version)


def check_bad(folder):
    source, target = folder / "in.npy", folder / "out.npy"
    for values in (np.zeros((2, 2, 2, 2)), np.float32(1), np.zeros((0, 3)), np.zeros(3, np.clongdouble),
                   np.array([0, 2**53 + 1], "i8"), np.array([0, 2**64 - 1], "u8"), np.zeros(3, [("a", "f4")]), np.array(["text"])):
        np.save(source, values)
        run = copied(source, target)
        assert run.returncode == 1 and run.stderr.count("\n") == 1, (values.dtype, values.shape, run)
        assert str(source) in run.stderr, run.stderr
        assert not target.exists()


with tempfile.TemporaryDirectory() as name:
    check_bad(pathlib.Path(name))
    check_good(pathlib.Path(name))
    left = sorted(p.name for p in pathlib.Path(name).iterdir())
    assert left == ["in.npy", "out.npy"], left

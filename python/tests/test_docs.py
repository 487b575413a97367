"""Every block of Python in docs/python.md and README.md runs, one page's in one namespace, and so do the docstrings' examples."""

import doctest
import pathlib
import re
import subprocess
import sys

import convoy
import convoy.scipy
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NEEDS = {"torch": "torch", "jax": "jax", "cupy": "cupy", "scipy": "scipy", "tqdm": "tqdm", "dask": "dask", "zarr": "zarr", "h5py": "h5py"}


def blocks(page):
    """(line, text, what it needs that is not here)."""
    text = (ROOT / page).read_text()
    for found in re.finditer(r"^(<!-- not run: (.*) -->\n)?```python\n(.*?)^```", text, re.M | re.S):
        yield text[: found.start()].count("\n") + 2, found[3], found[2]


@pytest.mark.parametrize("page", ["docs/python.md", "docs/howto/dask.md", "README.md"])
def test_pages(page, tmp_path, monkeypatch):
    if page == "docs/howto/dask.md" and not (installed("dask") and installed("zarr")):
        pytest.skip("dask and zarr are not installed")
    monkeypatch.chdir(tmp_path)
    np.save("stack.npy", np.random.default_rng(1).random((8, 20, 24), dtype=np.float32))
    np.save("psf.npy", np.ones((3, 5, 5), np.float32))
    namespace, count = {}, 0
    for line, text, reason in blocks(page):
        if reason:
            continue
        missing = [name for name, module in NEEDS.items() if re.search(rf"^\s*(import|from) .*\b{name}\b", text, re.M) and not installed(module)]
        if missing:
            print(f"{page}:{line} skipped: no {missing}")
            continue
        exec(compile("\n" * (line - 1) + text, str(ROOT / page), "exec"), namespace)
        count += 1
    assert count >= (8 if page == "docs/python.md" else 1)


def installed(name):
    import importlib.util

    return importlib.util.find_spec(name) is not None


def test_docstrings():
    from convoy.scipy import _patch

    runner = doctest.DocTestRunner()
    for thing in (convoy.convolve, convoy.Convolver, _patch.patched):
        if thing is _patch.patched and not installed("scipy"):
            continue
        for test in doctest.DocTestFinder(recurse=False).find(thing, globs={}):
            runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
    assert runner.tries >= 5


def test_counts_are_those_of_the_report():
    done = subprocess.run([sys.executable, ROOT / "scripts" / "scipy-report", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

"""The stub is what the extension says, and a user's program passes mypy --strict."""

import os
import pathlib
import subprocess
import sys

import convoy
import pytest

PROGRAM = """
import numpy as np
import convoy

image = np.zeros((8, 9), np.float32)
with convoy.Convolver(np.ones((3, 3)), image.shape, boundary="reflect") as blur:
    blurred = blur(image)
    plan: convoy.Plan = blur.plan
    shape: tuple[int, ...] = blur.output_shape
tiles: int = plan.num_tiles
names: list[str] = [device.id for device in convoy.devices()]
try:
    convoy.deconvolve(image, np.ones((3, 3)), 10, tv=0.01)
except convoy.OutOfMemory as error:
    requested: int = error.requested_bytes
convoy.convolve(image, np.ones((3, 3)), memory_limit="2GiB", progress=lambda p: p.done < 3)
"""


def folder():
    """Where the sources of the package are: links in a build tree."""
    return pathlib.Path(convoy.__file__).resolve().parent


def test_stub(tmp_path):
    pytest.importorskip("nanobind")
    made = tmp_path / "_core.pyi"
    subprocess.run([sys.executable, "-m", "nanobind.stubgen", "-m", "convoy._core", "-o", made], check=True, capture_output=True)
    assert made.read_text() == (folder() / "_core.pyi").read_text(), "python/convoy/_core.pyi: python -m nanobind.stubgen -m convoy._core makes it"


def mypy(*arguments, **keywords):
    pytest.importorskip("mypy")
    place = str(pathlib.Path(convoy.__file__).absolute().parents[1])
    path = {} if "site-packages" in place else {"MYPYPATH": place}  # installed packages it finds by itself
    command = [sys.executable, "-m", "mypy", "--strict", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **path}, **keywords)
    assert done.returncode == 0, done.stdout + done.stderr


def test_users_program_passes_mypy(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    mypy("--follow-imports=silent", "--cache-dir", tmp_path / "cache", "program.py", cwd=tmp_path)

"""Runs the built program in a folder of its own and returns what it did."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("SKIPPED: this Python has no NumPy")
    sys.exit(0)

PROGRAM = sys.argv[1]
ON_WINDOWS = os.environ.get("CONVOY_TEST_SYSTEM") == "windows"  # under wine this script runs elsewhere
_folder = tempfile.TemporaryDirectory(prefix="convoy-cli-")
FOLDER = pathlib.Path(_folder.name)
os.chdir(FOLDER)


def run(*words, **environment):
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=300,
                          env={**os.environ, **environment})


def succeed(*words, **environment):
    done = run(*words, **environment)
    assert done.returncode == 0, (words, done)
    return done


def fail(code, part, *words, **environment):
    """The program must end with `code`, print nothing but one line that holds `part`, and leave the folder alone."""
    before = listing()
    done = run(*words, **environment)
    assert done.returncode == code, (words, done)
    assert done.stdout == "", (words, done)
    assert done.stderr.startswith("convoy: ") and done.stderr.count("\n") == 1, (words, done)
    assert part in done.stderr, (words, part, done.stderr)
    assert listing() == before, (words, before, listing())
    return done


def backends_with_devices():
    """The cpu, then the others that have a device here; of those in CONVOY_TEST_BACKENDS, where that is set."""
    wanted = os.environ.get("CONVOY_TEST_BACKENDS")
    listed = [b["name"] for b in json.loads(succeed("devices", "--json").stdout)["backends"] if b["devices"]]
    listed = [name for name in listed if wanted is None or name in wanted.split(",")]
    return sorted(listed, key=lambda name: name != "cpu")


def listing():
    return sorted((str(path), path.stat().st_size) for path in FOLDER.rglob("*"))


def image(name, *shape, seed=1, dtype=np.float32):
    values = np.random.default_rng(seed).random(shape)
    values = (values if np.dtype(dtype).kind == "f" else 200 * values).astype(dtype)
    np.save(name, values)
    return values


def relative_l2(result, expected):
    kind = np.complex128 if np.iscomplexobj(expected) or np.iscomplexobj(result) else np.float64
    expected = np.asarray(expected, kind)
    return np.linalg.norm(np.asarray(result, kind) - expected) / max(np.linalg.norm(expected), 1e-300)

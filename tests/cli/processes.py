"""Four processes that begin with one empty cache folder, measure their plans, and all come out right; then four with the filled one."""
import os
import shutil
import subprocess

from program import FOLDER, PROGRAM, backends_with_devices, image, np, relative_l2, succeed

image("image.npy", 16, 30, 41)
image("kernel.npy", 3, 5, 4, seed=2)
succeed("convolve", "image.npy", "kernel.npy", "alone.npy", "--backend", "cpu", "--tune", "off")
alone = np.load("alone.npy")
cache = FOLDER / "shared_cache"
environment = dict(os.environ, CONVOY_CACHE_DIR=str(cache))
for backend in backends_with_devices():
    shutil.rmtree(cache, ignore_errors=True)
    tune = "measure" if backend == "cpu" else "model"
    for time in ("empty", "filled"):
        for i in range(4):
            (FOLDER / f"out{i}.npy").unlink(missing_ok=True)
        running = [subprocess.Popen([PROGRAM, "convolve", "image.npy", "kernel.npy", f"out{i}.npy", "--backend", backend,
                                     "--tune", tune, "--method", "fft"], cwd=FOLDER, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                   for i in range(4)]
        for i, process in enumerate(running):
            out, errors = process.communicate(timeout=300)
            assert process.returncode == 0 and errors == "", (backend, time, process.returncode, errors)
            assert relative_l2(np.load(f"out{i}.npy"), alone) < 1e-6, (backend, time, i)
    left = [str(path) for path in cache.rglob("*") if path.is_file()]
    assert (left or backend != "cpu") and not any(".tmp" in path or ".part" in path for path in left), left

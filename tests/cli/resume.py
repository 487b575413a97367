"""kill -9 at random moments: never a file under the output's name that is not complete and right; --resume finishes what was begun,
whatever was damaged since, and refuses what another job began."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

from program import FOLDER, PROGRAM, fail, image, np, relative_l2, run, succeed

KILLS = 20
image("image.npy", 96, 240, 240)
image("kernel.npy", 9, 9, 9, seed=2)
plan = json.loads(succeed("plan", "--image", "96,240,240", "--kernel", "9,9,9", "--backend", "cpu", "--json").stdout)
LIMIT = str(int(16 * plan["smallest_footprint_bytes"]) + 4096)  # many small tiles


def words(output, *more):
    return ["convolve", "image.npy", "kernel.npy", output, "--backend", "cpu", "--memory-limit", LIMIT, "--quiet", *more]


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def read(output):
    """As numbers, by way of .npy: project's reader is convoy's own, so is the copy."""
    if output.endswith(".npy"):
        return np.load(output)
    succeed("convolve", output, "delta.npy", "copy.npy", "--backend", "cpu", "--quiet")
    return np.load("copy.npy")


def killed_after(seconds, output, *more):
    """True if the kill came before the end."""
    process = subprocess.Popen([PROGRAM, *words(output, *more)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def check(output):
    error = relative_l2(read(output), expected)
    assert error < 1e-5, (output, error)  # tiles that are computed again may differ in the last bits
    leftovers = [name for name in os.listdir() if name.startswith(f".{output}")]
    assert leftovers == [], leftovers


np.save("delta.npy", np.float32([[[1]]]))
begin = time.monotonic()
succeed(*words("expected.npy"))
duration = time.monotonic() - begin
expected = np.load("expected.npy")

kills, finished, resumed_tiles = 0, 0, 0
random.seed(20)
formats = ["out.npy", "out.tif", "out.zarr"]
while kills < KILLS:
    output = formats[finished % len(formats)]
    path = pathlib.Path(output)
    if killed_after(random.uniform(0.05, 1.0) * duration, output, "--resume"):
        kills += 1
        if path.exists():  # killed after the file got its name
            check(output)
            finished += 1
            remove(path)
        continue
    check(output)
    finished += 1
    remove(path)
print(f"{kills} kills, {finished} outputs finished in spite of them, a whole run takes {duration:.2f} s")

# Without --resume a killed run leaves nothing under the output's name either.
for _ in range(3):
    assert killed_after(0.5 * duration, "plain.tif")
    assert not pathlib.Path("plain.tif").exists()
for name in os.listdir():
    if name.startswith("."):
        remove(pathlib.Path(name))

# What is there is used, what was damaged is computed again, and another job is refused.
for output in formats:
    for attempt in range(20):
        if killed_after(0.6 * duration, output, "--resume") and pathlib.Path(f".{output}.convoy-journal").exists():
            if pathlib.Path(f".{output}.convoy-journal").read_text().count("\n") > 3:
                break
        remove(pathlib.Path(output))
    part = pathlib.Path(f".{output}.convoy-part")
    assert part.exists() and not pathlib.Path(output).exists()
    if part.is_file():
        with open(part, "r+b") as file:  # one voxel of the first rows, which are written first
            file.seek(8192)
            byte = file.read(1)
            file.seek(8192)
            file.write(bytes([byte[0] ^ 0x55]))
    else:
        next(p for p in part.rglob("*") if p.is_file() and p.parent != part and p.name != ".zarray").write_bytes(b"damaged")
    fail(1, "mode was same, now circular", *words(output, "--resume", "--mode", "circular"))
    fail(1, "precision was f32, now f64", *words(output, "--resume", "--precision", "f64"))
    done = succeed(*[w for w in words(output, "--resume", "--report", "report.json") if w != "--quiet"])
    report = json.loads((FOLDER / "report.json").read_text())
    assert 0 < report["skipped_tiles"] < report["num_tiles"], (output, report["skipped_tiles"], report["num_tiles"])
    assert "were there already" in done.stdout
    check(output)
    remove(pathlib.Path(output))

# Ctrl-C with --resume keeps what is written, and says so.
process = subprocess.Popen([PROGRAM, *words("out.tif", "--resume")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
time.sleep(0.6 * duration)
process.send_signal(signal.SIGINT)
_, errors = process.communicate(timeout=30)
if process.returncode == 130:
    assert "--resume continues it" in errors and not pathlib.Path("out.tif").exists()
succeed(*words("out.tif", "--resume"))
check("out.tif")

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
image("image.npy", 96, 200, 200)
image("kernel.npy", 9, 9, 9, seed=2)
plan = json.loads(succeed("plan", "--image", "96,200,200", "--kernel", "9,9,9", "--backend", "cpu", "--json").stdout)
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


def begun(output):
    """Whether an unfinished output is there of which some boxes, but not all, can be proven to be written."""
    journal, part = (pathlib.Path(f".{output}.convoy-{kind}") for kind in ("journal", "part"))
    if not journal.exists() or journal.read_text().count("\n") < 5:
        return False
    return part.is_file() or any(is_chunk(path) for path in part.rglob("*"))


def is_chunk(path):
    return path.is_file() and not path.name.startswith(".") and path.parent.name != "0"


def stopped_when_begun(signal_number, output, *more):
    """Stops a run in its middle. Returns what it printed."""
    for _ in range(20):
        process = subprocess.Popen([PROGRAM, *words(output, *more)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not begun(output):
            time.sleep(0.002)
        process.send_signal(signal_number)
        _, errors = process.communicate(timeout=30)
        if process.returncode in (-signal_number, 130):
            assert not pathlib.Path(output).exists() and begun(output)
            return errors
        remove(pathlib.Path(output))
    raise AssertionError("every run ended before it was stopped")


def check(output):
    error = relative_l2(read(output), expected)
    assert error < 1e-6, (output, error)  # tiles that are computed again may differ in the last bits
    leftovers = [name for name in os.listdir() if name.startswith(f".{output}")]
    assert leftovers == [], leftovers


np.save("delta.npy", np.float32([[[1]]]))
begin = time.monotonic()
succeed(*words("expected.npy"))
duration = time.monotonic() - begin
expected = np.load("expected.npy")

kills, finished = 0, 0
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
succeed(*words(output, "--resume"))
check(output)
remove(path)
finished += 1
print(f"{kills} kills, {finished} outputs finished in spite of them, a whole run takes {duration:.2f} s")

# Without --resume a killed run leaves nothing under the output's name either.
plain_kills = 0
while plain_kills < 3:
    if killed_after(random.uniform(0.1, 0.5) * duration, "plain.tif"):
        plain_kills += 1
        assert not pathlib.Path("plain.tif").exists() or relative_l2(read("plain.tif"), expected) < 1e-6
    remove(pathlib.Path("plain.tif"))
for name in os.listdir():
    if name.startswith("."):
        remove(pathlib.Path(name))

# What is there is used, what was damaged is computed again, and another job is refused.
for output in formats:
    stopped_when_begun(signal.SIGKILL, output, "--resume")
    part = pathlib.Path(f".{output}.convoy-part")
    if part.is_file():
        with open(part, "r+b") as file:  # one voxel of the first rows, which are written first
            file.seek(8192)
            byte = file.read(1)
            file.seek(8192)
            file.write(bytes([byte[0] ^ 0x55]))
    else:
        next(path for path in part.rglob("*") if is_chunk(path)).write_bytes(b"damaged")
    fail(1, "mode was same, now circular", *words(output, "--resume", "--mode", "circular"))
    fail(1, "region was all, now", *words(output, "--resume", "--region", "0:96,0:200,0:200"))
    fail(1, "precision was f32, now f64", *words(output, "--resume", "--precision", "f64"))
    done = succeed(*[w for w in words(output, "--resume", "--report", "report.json") if w != "--quiet"])
    report = json.loads((FOLDER / "report.json").read_text())
    skipped = report["skipped_tiles"]
    assert skipped < report["num_tiles"] and (skipped > 0 or part.suffix == ".zarr"), (output, skipped, report["num_tiles"])
    assert (skipped > 0) == ("were there already" in done.stdout)
    check(output)
    remove(pathlib.Path(output))

# A region's output is continued as well, and only by a job of that region.
REGION = "10:80,:,20:190"
stopped_when_begun(signal.SIGKILL, "region.npy", "--resume", "--region", REGION)
fail(1, "region was 10:80,0:200,20:190, now 10:80,0:200,10:180", *words("region.npy", "--resume", "--region", "10:80,:,10:180"))
succeed(*words("region.npy", "--resume", "--region", REGION))
assert relative_l2(np.load("region.npy"), expected[10:80, :, 20:190]) < 1e-6

# Ctrl-C with --resume keeps what is written, and says so.
assert "--resume continues it" in stopped_when_begun(signal.SIGINT, "out.tif", "--resume")
assert "unfinished 'out.tif'" in succeed(*words("out.tif")).stderr
assert relative_l2(read("out.tif"), expected) < 1e-6
succeed(*words("out.tif", "--resume"))
check("out.tif")

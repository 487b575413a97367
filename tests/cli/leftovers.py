"""What killed runs leave: convoy clean lists and removes it, the next run of the same output removes it, and nothing else goes."""
import json
import os
import pathlib
import signal
import subprocess
import time

from program import FOLDER, PROGRAM, fail, np, run, succeed

np.save("image.npy", np.ones((48, 160, 160), np.float32))
np.save("kernel.npy", np.ones((9, 9, 9), np.float32))
plan = json.loads(succeed("plan", "--image", "48,160,160", "--kernel", "9,9,9", "--backend", "cpu", "--method", "fft", "--json").stdout)
SLOW = ["--backend", "cpu", "--method", "fft", "--quiet", "--memory-limit", str(int(1.1 * plan["smallest_footprint_bytes"]) + 4096)]
FAST = ["--backend", "cpu", "--quiet"]
CONVOLVE = ["convolve", "image.npy", "kernel.npy"]
PLACE = pathlib.Path("place")
PLACE.mkdir()


def begun(output, *more):
    """A run in its middle."""
    before = set(os.listdir(PLACE))
    process = subprocess.Popen([PROGRAM, *CONVOLVE, f"place/{output}", *SLOW, *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = PLACE / f".{output}.convoy-journal"
    while not allocated(before) or (more and (not journal.exists() or journal.read_bytes().count(b"\n") < 3)):
        assert process.poll() is None
        time.sleep(0.005)
    return process


def allocated(before):
    """Whether a new hidden file, or one in a new hidden folder, has room on the disk."""
    try:
        new = [PLACE / name for name in hidden() if name not in before]
        return any(path.stat().st_blocks for one in new for path in [one, *one.rglob("*")])
    except FileNotFoundError:  # given its name meanwhile
        return False


def kill(process):
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def clean(*words):
    return json.loads(succeed("clean", "place", "--json", *words).stdout)


def hidden():
    return sorted(name for name in os.listdir(PLACE) if name.startswith("."))


assert succeed("clean", "place").stdout == "" and clean() == []
fail(1, "nowhere", "clean", "nowhere")
fail(2, "--remove", "clean", "place", "--resumable")
for output in ("a.npy", "a.tif", "a.zarr"):
    # A killed run's file, and one that is being written.
    kill(begun(output))
    [left] = clean()
    assert left["state"] == "abandoned" and left["output"] == f"place/{output}" and left["age_seconds"] < 100, left
    assert left["size_bytes"] > 0 and left["path"] == f"place/{hidden()[0]}" and not left["removed"], left
    assert "abandoned" in succeed("clean", "place").stdout
    running = begun("b" + output)
    states = {one["output"]: one["state"] for one in clean()}
    assert states == {f"place/{output}": "abandoned", f"place/b{output}": "being written"}, states
    assert [one["removed"] for one in clean("--remove", "--resumable")] == [True, False]
    assert running.poll() is None and len(hidden()) == 1
    kill(running)
    # The next run of that output removes it; that of another one does not.
    succeed(*CONVOLVE, "place/c.npy", *FAST)
    assert len(hidden()) == 1
    succeed(*CONVOLVE, f"place/b{output}", *FAST)
    assert hidden() == []
    # Two runs of one output at once, without --resume: neither takes the other's file for abandoned.
    running = begun(output)
    succeed(*CONVOLVE, f"place/{output}", *FAST)
    assert len(hidden()) == 1 and running.poll() is None
    kill(running)
    more = ["--overwrite"]
    succeed(*CONVOLVE, f"place/{output}", *FAST, *more)
    assert hidden() == []
    # What --resume would continue is removed only if that is asked for; a run that is at it has it locked.
    running = begun("r" + output, "--resume")
    assert clean("--remove", "--resumable")[0]["state"] == "being written"
    second = run(*CONVOLVE, f"place/r{output}", *FAST, "--resume")
    assert second.returncode == 1 and "is being written by another process" in second.stderr, second
    assert running.poll() is None
    kill(running)
    [left] = clean("--remove")
    assert left["state"] == "resumable" and not left["removed"] and len(hidden()) == 2, left
    [left] = clean("--remove", "--resumable")
    assert left["removed"] and hidden() == [], left

# Links, pipes, folders in place of files and the reverse, files of two names, other names: neither listed nor touched.
(PLACE / "thesis").write_text("years of work")
os.symlink("thesis", PLACE / ".x.npy.convoy-1-1.part")
os.symlink("thesis", PLACE / ".x.npy.convoy-part")
os.link(PLACE / "thesis", PLACE / ".x.npy.convoy-1-2.part")
os.mkfifo(PLACE / ".x.npy.convoy-1-3.part")
(PLACE / ".x.npy.convoy-1-4.part").mkdir()
(PLACE / ".x.npy.convoy-1-5.folder").write_text("a file")
(PLACE / ".x.npy.convoy-1-x.part").write_text("another name")
(PLACE / "x.npy.convoy-1-6.part").write_text("not hidden")
(PLACE / ".convoy-1-7.part").write_text("of no output")
before = sorted((name, os.lstat(PLACE / name).st_ino) for name in os.listdir(PLACE))
assert clean("--remove", "--resumable") == []
succeed(*CONVOLVE, "place/x.npy", *FAST)
os.remove(PLACE / "x.npy")
assert sorted((name, os.lstat(PLACE / name).st_ino) for name in os.listdir(PLACE)) == before
# A folder may hold links to elsewhere: only the links go.
kill(begun("d.zarr"))
os.symlink(FOLDER / "place/thesis", PLACE / hidden()[[name.endswith(".folder") and ".d.zarr" in name for name in hidden()].index(True)] / "link")
assert [one["removed"] for one in clean("--remove")] == [True]
assert (PLACE / "thesis").read_text() == "years of work"

# An image that was changed, with size and time as before, is not continued; nor is one that changes in mid-run written.
kill(begun("o.npy", "--resume"))
times = os.stat("image.npy")
values = np.load("image.npy")
values[0, 0, 0] = 2
np.save("image.npy", values)
os.utime("image.npy", ns=(times.st_atime_ns, times.st_mtime_ns))
fail(1, "image was ", *CONVOLVE, "place/o.npy", *FAST, "--resume")
for more in ([], ["--resume"]):
    running = subprocess.Popen([PROGRAM, *CONVOLVE, "place/p.npy", *SLOW, *more], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(0.3)
    os.utime("image.npy")
    _, errors = running.communicate(timeout=300)
    assert running.returncode == 1 and "image.npy: was changed while it was read" in errors, (running.returncode, errors)
    assert not (PLACE / "p.npy").exists()
succeed("clean", "place", "--remove", "--resumable")
os.rename("image.npy", "whole.npy")
succeed("convolve", "whole.npy", "kernel.npy", "image.zarr", "--dtype", "u8", *FAST)
CONVOLVE[1] = "image.zarr"
kill(begun("q.npy", "--resume"))
chunk = next(path for path in sorted(pathlib.Path("image.zarr").rglob("*")) if path.is_file() and path.parent.name not in ("0", "image.zarr"))
times = os.stat(chunk)
data = bytearray(chunk.read_bytes())
data[-1] ^= 1
chunk.write_bytes(data)
os.utime(chunk, ns=(times.st_atime_ns, times.st_mtime_ns))
fail(1, "image was ", *CONVOLVE, "place/q.npy", *FAST, "--resume")

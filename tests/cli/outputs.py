"""Outputs in a hostile world: what is on the disk is deleted, planted, full or locked while convoy writes, and the machine stops at
any moment. Nothing hollow or half written ever has the output's name, and nothing of others is touched."""
import itertools
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys

from disk_record import Recorder, states_after_crash
from program import FOLDER, PROGRAM, fail, image, np, run, succeed

if len(sys.argv) < 3:
    print("SKIPPED: the library that watches calls is not built with sanitizers")
    sys.exit(0)
ROOT = FOLDER / "outputs"
ROOT.mkdir()
recorder = Recorder(sys.argv[2], ROOT)
CPU = ("--backend", "cpu", "--quiet")
FORMATS = ("out.npy", "out.tif", "out.zarr")
image("image.npy", 12, 40, 40)
image("kernel.npy", 3, 3, 3, seed=2)


def words(output, *more):
    return [PROGRAM, "convolve", "image.npy", "kernel.npy", ROOT / output, *CPU, *more]


def content(path):
    """A file's bytes, or those of all files of a folder."""
    path = pathlib.Path(path)
    if path.is_dir():
        return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
    return path.read_bytes() if path.exists() else None


def remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def emptied():
    for path in ROOT.iterdir():
        remove(path)


def whole(output, *more):
    emptied()
    done = recorder.run(words(output, *more))
    assert done.returncode == 0, done
    return content(ROOT / output)


# The machine stops, at any moment: whatever of what was not synchronised is lost, the name has the file of before, or the new one.
random.seed(1)
for output, before, more in itertools.product(FORMATS, (False, True), ((), ("--resume",))):
    emptied()
    old = None
    if before:
        succeed("convolve", "kernel.npy", "kernel.npy", ROOT / output, *CPU)
        old = content(ROOT / output)
    overwrite = ("--overwrite",) if before and output.endswith(".zarr") else ()
    start = recorder.snapshot()
    done = recorder.run(words(output, *more, *overwrite))
    assert done.returncode == 0, done
    new = content(ROOT / output)
    assert old is None or new != old
    seen = set()
    for moment, entries in states_after_crash(start, recorder.calls(), os.stat(ROOT).st_ino, random):
        found = entries.get(output)
        assert found in (old, new), (output, before, more, moment, None if found is None else type(found))
        seen.add("nothing" if found is None else "old" if found == old else "new")
    assert seen == ({"old", "new"} if before else {"nothing", "new"}), (output, seen)

# The temporary file or folder is removed or moved before any of the calls that change files: an error, and nothing hollow.
for output, more in itertools.product(FORMATS, ((), ("--resume",))):
    expected = whole(output, *more)
    num_changes = recorder.num_changes()
    for number in sorted(random.sample(range(2, num_changes), min(12, num_changes - 2))):
        emptied()
        process = recorder.start(words(output, *more), stop_at=number)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), (output, number, status)
        hidden = [path for path in ROOT.iterdir() if path.name.startswith(".") and not path.name.endswith("journal")]
        for path in hidden:
            if number % 2:
                remove(path)
            else:
                path.rename(FOLDER / "moved")
                remove(FOLDER / "moved")
        process.send_signal(signal.SIGCONT)
        _, err = process.communicate(timeout=300)
        found = content(ROOT / output)
        assert found in (None, expected), (output, more, number, err)
        assert (process.returncode == 0) == (found == expected), (output, more, number, process.returncode, err)
        assert process.returncode in (0, 1) and (process.returncode == 0 or output in err), (output, number, err)

# Calls that fail, the late ones of network file systems among them: an error, and nothing of it stays.
for output, call in itertools.product(FORMATS, ("write:28", "write:122", "create:30", "sync:5", "sync:28", "rename:5", "close:28")):
    emptied()
    done = recorder.run(words(output), fail=call)
    assert done.returncode == 1 and output in done.stderr, (output, call, done)
    left = [path.name for path in ROOT.iterdir()]
    assert left in ([], [output] if call.startswith(("sync", "close")) else []), (output, call, left)

# A disk that is too small is asked, not filled.
for output in ("out.npy", "out.tif", "out.raw"):
    emptied()
    done = recorder.run(words(output), free_bytes=8192)
    assert done.returncode == 1 and "has 8.00 KiB free" in done.stderr and "are missing" in done.stderr, done
    assert not any(call[0] in ("allocate", "truncate", "write") for call in recorder.calls()), recorder.calls()
    assert not list(ROOT.iterdir())

# Planted links, under every hidden name that can be known beforehand.
emptied()
victim = FOLDER / "victim"
victim.mkdir()
(victim / "thesis").write_text("no newline")
for output in FORMATS:
    for kind in ("part", "journal"):
        for target in (victim, victim / "thesis", FOLDER / "nowhere"):
            link = ROOT / f".{output}.convoy-{kind}"
            link.symlink_to(target)
            done = run(*words(output, "--resume")[1:])
            assert done.returncode == 1 and link.name in done.stderr and "link" in done.stderr, (output, kind, target, done)
            assert content(victim) == {"thesis": b"no newline"} and not (FOLDER / "nowhere").exists()
            remove(link)
            assert not list(ROOT.iterdir()), list(ROOT.iterdir())

# A store that exists.
succeed(*words("out.zarr")[1:])
for command in (words("out.zarr")[1:], ("deconvolve", "image.npy", "kernel.npy", ROOT / "out.zarr", *CPU, "--iterations", "1"),
                ("phantom", "spheres", ROOT / "out.zarr", "--size", "4,5,6", "--quiet"),
                ("psf", "gaussian", ROOT / "out.zarr", "--size", "5,5,5", "--sigma", "1,1,1", "--quiet")):
    fail(1, "--overwrite", *command)
    succeed(*command, "--overwrite")
    (ROOT / "out.zarr/labels").mkdir()
    (ROOT / "out.zarr/labels/annotation").write_text("years")
    fail(1, "holds 'labels'", *command, "--overwrite")
    shutil.rmtree(ROOT / "out.zarr/labels")

# Folders that another user may not enter, list or write to.
emptied()
if os.geteuid() == 0 and shutil.which("setpriv"):
    FOLDER.chmod(0o755)
    other_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM]
    for mode, part in ((0o700, "Permission denied"), (0o755, "nothing may be put into its folder")):
        ROOT.chmod(mode)
        done = subprocess.run([*other_user, *map(str, words("out.npy")[1:])], capture_output=True, text=True)
        if "exec" not in done.stderr:  # the program itself lies where that user may not enter
            assert done.returncode == 1 and part in done.stderr and "outputs" in done.stderr, (oct(mode), done)
    shutil.copy("image.npy", ROOT / "image.npy")
    ROOT.chmod(0o700)
    done = subprocess.run([*other_user, "convolve", str(ROOT / "image.npy"), "kernel.npy", str(ROOT / "out.npy"), *CPU],
                          capture_output=True, text=True)
    if "exec" not in done.stderr:
        assert done.returncode == 1 and "Permission denied" in done.stderr, done

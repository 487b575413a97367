"""kill -9 before every call that changes a file, and at random moments: --resume under another memory limit then gives the bytes of an
uninterrupted run, leaves nothing, and touches nothing of others. Without --resume the next run removes what was left.

Usage: kills.py CONVOY DISK_RECORDER [--long]. The short form tries every k-th call and 12 kills per format; the long one every call and
200 kills in all, and writes what it saw to $CONVOY_KILLS_JSON."""
import datetime
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

from program import FOLDER, PROGRAM, np, succeed

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from disk_record import Recorder  # noqa: E402

LONG = "--long" in sys.argv
FORMATS = [".npy", ".tif", ".zarr", ".v3.zarr"]  # the last is OME-Zarr 0.5
PLACE = FOLDER / "place"
SMALL = {".npy": (6, 20, 33), ".tif": (6, 20, 33), ".zarr": (66, 140, 136), ".v3.zarr": (66, 140, 136)}  # of eight chunks
LARGE = (48, 120, 120)
# Whole numbers, so that every tiling rounds to the same voxels.
values = np.random.default_rng(3)
for shape in {*SMALL.values(), LARGE}:
    np.save(f"image-{shape[0]}.npy", values.integers(0, 200, shape).astype(np.uint16))
np.save("kernel.npy", np.ones((3, 3, 3), np.float32))


def limits(shape):
    """Memory limits of many, of some, and of few tiles."""
    words = ["plan", "--image", ",".join(map(str, shape)), "--kernel", "3,3,3", "--backend", "cpu", "--no-normalize", "--tune", "off", "--json"]
    limit = int(3 * json.loads(succeed(*words).stdout)["smallest_footprint_bytes"]) + 4096
    chosen = []
    for most_tiles in (60, 20, 6):
        while json.loads(succeed(*words, "--memory-limit", limit).stdout)["num_tiles"] > most_tiles:
            limit = limit * 4 // 3
        chosen.append(limit)
    return chosen


def words(image, output, limit, *more):
    return [PROGRAM, "convolve", str(FOLDER / image), str(FOLDER / "kernel.npy"), str(output), "--backend", "cpu", "--no-normalize", "--tune", "off",
            "--dtype", "u16", "--memory-limit", str(limit), "--quiet", *(["--ome-zarr", "0.5"] if str(output).endswith(".v3.zarr") else []),
            *more]


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()}


def fresh_place(output):
    """An empty folder but for a neighbour's files, among them some under names like ours."""
    shutil.rmtree(PLACE, ignore_errors=True)
    (PLACE / f".{output}.convoy-notes").mkdir(parents=True)
    (PLACE / f".{output}.convoy-notes" / "thesis").write_text("years of work")
    (PLACE / ".neighbour.npy.convoy-part").write_text("unfinished")
    (PLACE / ".neighbour.npy.convoy-journal").write_text("to be continued")
    (PLACE / f".{output}.convoy-12-x.part").write_text("not ours")
    (PLACE / "neighbour.npy").write_text("done")
    os.symlink(PLACE / "neighbour.npy", PLACE / f".{output}.convoy-12-3.part")
    return contents(PLACE)


def resume_until_done(image, output, limit, what):
    done = subprocess.run(words(image, output, limit, "--resume"), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (what, done.stderr)


def check(output, expected, neighbours, what):
    there = contents(PLACE)
    mine = {name: data for name, data in there.items() if name.split("/")[0] == output.name}
    others = {name: data for name, data in there.items() if name not in mine}
    assert others == neighbours, (what, sorted(set(others) ^ set(neighbours)))
    assert mine == expected, (what, [name for name in mine if mine[name] != expected.get(name)], sorted(set(mine) ^ set(expected)))
    assert (PLACE / f".{output.name}.convoy-12-3.part").is_symlink(), what


def expected_bytes(image, output, limit):
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    subprocess.run(words(image, output, limit), check=True, timeout=300)
    return contents(PLACE)


def kill_at_every_call(suffix, resume):
    """Returns how many kills there were."""
    output = PLACE / f"out{suffix}"
    shape = SMALL[suffix]
    image = f"image-{shape[0]}.npy"
    many, some, few = limits(shape)
    expected = expected_bytes(image, output, few)
    recorder = Recorder(RECORDER, PLACE)
    more = ["--resume"] if resume else []
    fresh_place(output.name)
    done = recorder.run(words(image, output, many, *more))
    assert done.returncode == 0, done.stderr
    num_calls = recorder.num_changes()
    step = 1 if LONG else max(1, num_calls // 9)
    kills = 0
    for number in range(1, num_calls + 1, step):
        neighbours = fresh_place(output.name)
        torn = {"torn": 1} if number // step % 2 else {}
        killed = recorder.run(words(image, output, many, *more), kill_at=number, **torn)
        what = (suffix, resume, f"call {number} of {num_calls}", torn)
        if killed.returncode == 0:  # threads share the work anew each time: this run made fewer calls
            check(output, expected, neighbours, what)
            continue
        assert killed.returncode == -signal.SIGKILL, (what, killed)
        kills += 1
        there = {name: data for name, data in contents(PLACE).items() if name.split("/")[0] == output.name}
        assert there in ({}, expected), (what, "an output that is not whole has its name")
        overwrite = ["--overwrite"] if there else []
        if resume:
            done = subprocess.run(words(image, output, some if number % 2 else few, "--resume", *overwrite), capture_output=True,
                                  text=True, timeout=300)
        else:
            done = subprocess.run(words(image, output, many, *overwrite), capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, (what, done.stderr)
        check(output, expected, neighbours, what)
    return kills, num_calls


def kill_at_random(suffix, wanted):
    """Returns how many outputs were finished in spite of that many kills."""
    output = PLACE / f"out{suffix}"
    image = f"image-{LARGE[0]}.npy"
    choices = limits(LARGE)
    expected = expected_bytes(image, output, choices[2])
    begin = time.monotonic()
    subprocess.run(words(image, output, choices[1], "--resume", "--overwrite"), check=True, timeout=300)
    duration = time.monotonic() - begin
    kills, finished = 0, 0
    neighbours = fresh_place(output.name)
    while kills < wanted:
        limit = random.choice(choices)
        process = subprocess.Popen(words(image, output, limit, "--resume"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(random.uniform(0.02, 1.0) * duration)
        process.send_signal(signal.SIGKILL)
        _, errors = process.communicate(timeout=300)
        if process.returncode == -signal.SIGKILL and not output.exists():
            kills += 1
            continue
        if process.returncode == -signal.SIGKILL:  # killed when the output had its name: what is beside it goes with the next run
            kills += 1
            subprocess.run(words(image, output, limit, "--resume", "--overwrite"), check=True, timeout=300)
        else:
            assert process.returncode == 0, (suffix, errors)
        check(output, expected, neighbours, (suffix, kills))
        finished += 1
        neighbours = fresh_place(output.name)
    resume_until_done(image, output, random.choice(choices), suffix)
    check(output, expected, neighbours, suffix)
    return finished + 1


RECORDER = sys.argv[2]
random.seed(20)
steps = []
for suffix in FORMATS:
    for resume in (True, False):
        begin = time.monotonic()
        kills, num_calls = kill_at_every_call(suffix, resume)
        figure = f"{suffix}{' --resume' if resume else ''}: killed before {kills} of {num_calls} calls that change files"
        print(figure)
        steps.append({"step": f"kill at every call, {suffix}{' --resume' if resume else ''}", "verdict": "passed",
                      "elapsed_seconds": int(time.monotonic() - begin), "figures": [figure]})
    begin = time.monotonic()
    wanted = -(-200 // len(FORMATS)) if LONG else 4
    figure = f"{suffix}: {wanted} kills at random, {kill_at_random(suffix, wanted)} outputs finished in spite of them"
    print(figure)
    steps.append({"step": f"kill at random, {suffix}", "verdict": "passed", "elapsed_seconds": int(time.monotonic() - begin), "figures": [figure]})

if os.environ.get("CONVOY_KILLS_JSON"):
    source = pathlib.Path(__file__).parent
    commit = subprocess.run(["git", "-C", str(source), "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    result = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"), "commit": commit or "unknown", "num_failed": 0, "steps": steps}
    pathlib.Path(os.environ["CONVOY_KILLS_JSON"]).write_text(json.dumps(result, indent=4) + "\n")

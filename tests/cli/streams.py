"""Standard streams that are closed, full or without a reader: a message that cannot be printed changes neither output nor exit code,
and no output file ever gets a standard stream's number. Results that cannot be printed are an error."""
import json
import os
import signal
import subprocess

from program import FOLDER, PROGRAM, np, succeed

np.save("image.npy", np.ones((8, 30, 33), np.float32))
kernel = np.ones((3, 5, 5), np.float32)
kernel[0, 0, 0] = 9  # far from its middle: one warning is printed
np.save("kernel.npy", kernel)
np.save("large.npy", np.ones((64, 256, 256), np.float32))
plan = json.loads(succeed("plan", "--image", "64,256,256", "--kernel", "3,5,5", "--backend", "cpu", "--json").stdout)
LIMIT = int(12 * plan["smallest_footprint_bytes"])  # so many tiles that progress is shown
MESSAGES = {
    "small": ["convolve", "image.npy", "kernel.npy", "OUT", "--backend", "cpu"],
    "progress": ["convolve", "large.npy", "kernel.npy", "OUT", "--backend", "cpu", "--progress", "--memory-limit", str(LIMIT)],
    "log": ["convolve", "image.npy", "kernel.npy", "OUT", "--backend", "cpu"],
    "memory": ["convolve", "image.npy", "kernel.npy", "OUT", "--backend", "cpu", "--trace-memory"],
    "deconvolve": ["deconvolve", "image.npy", "kernel.npy", "OUT", "--backend", "cpu", "--iterations", "2"],
    "psf": ["psf", "gaussian", "OUT", "--size", "9,9,9", "--sigma", "1,1,1"],
}
STREAMS = ["2>&-", "0<&- 2>&-", "0<&- 1>&- 2>&-", ">/dev/full 2>&1"]


def shell(words, streams, **environment):
    """The exit code of the program under these redirections."""
    line = " ".join([PROGRAM, *words, streams])
    return subprocess.run(["sh", "-c", line], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300,
                          env={**os.environ, **environment}).returncode


def read_bytes(name):
    return (FOLDER / name).read_bytes()


for kind, words in MESSAGES.items():
    environment = {"CONVOY_LOG": "all"} if kind == "log" else {}
    for suffix in (".npy", ".tif") if kind == "small" else (".npy",):
        fresh = [word.replace("OUT", "expected" + suffix) for word in words]
        succeed(*fresh)
        for streams in STREAMS if kind == "small" else STREAMS[1::2]:
            named = [word.replace("OUT", "out" + suffix) for word in words]
            code = shell(named, streams, **environment)
            assert code == 0, (kind, streams, code)
            assert read_bytes("out" + suffix) == read_bytes("expected" + suffix), (kind, suffix, streams)
            os.remove("out" + suffix)

# An error keeps its code, too.
for streams in STREAMS:
    assert shell(["convolve", "none.npy", "kernel.npy", "out.npy"], streams) == 1, streams
    assert shell(["convolve"], streams) == 2, streams
# Results are not messages.
for words in (["devices"], ["devices", "--json"], ["plan", "--image", "9,9,9", "--kernel", "3,3,3", "--backend", "cpu", "--json"],
              ["--version"], ["convolve", "--help"]):
    for streams in ("1>/dev/full", "0<&- 1>&- 2>&-"):
        assert shell(words, streams) == 1, (words, streams)


def read_by_nobody(words, which, **environment):
    """Runs with a pipe in place of a stream, whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, which: writer}
    done = subprocess.run([PROGRAM, *words], timeout=300, env={**os.environ, **environment}, **streams)
    os.close(writer)
    return done.returncode


for words in (MESSAGES["small"], MESSAGES["progress"]):
    for which in ("stdout", "stderr"):
        named = [word.replace("OUT", "out.npy") for word in words]
        assert read_by_nobody(named, which, CONVOY_LOG="all") == 0, (words, which)
        os.remove("out.npy")
assert read_by_nobody(["devices"], "stdout") == 1
assert not [name for name in os.listdir() if name.startswith(".")]


def limited():
    """Files of at most 10 KiB, stderr's included."""
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (10240, 10240))


# ulimit -f: an error with the limit, and nothing left; a log that has reached the limit is a message that is lost.
before = sorted(os.listdir())
done = subprocess.run([PROGRAM, *[word.replace("OUT", "out.npy") for word in MESSAGES["small"]]], preexec_fn=limited,
                      capture_output=True, text=True, timeout=300)
assert done.returncode == 1 and "out.npy" in done.stderr and "ulimit -f" in done.stderr and "10.00 KiB" in done.stderr, done
with open("log", "wb") as log:
    log.write(bytes(10240))
    log.flush()
    done = subprocess.run([PROGRAM, "psf", "gaussian", "out.npy", "--size", "3,3,3", "--sigma", "1,1,1"], preexec_fn=limited, stdout=log,
                          stderr=log, env={**os.environ, "CONVOY_LOG": "all"}, timeout=300)
    assert done.returncode == 0, done
    os.remove("out.npy")
os.remove("log")
assert sorted(os.listdir()) == before

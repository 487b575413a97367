"""Ctrl-C and other signals: exit code 128 + signal, one line, no output and no temporary file; and a progress bar only on a terminal."""
import json
import os
import pty
import signal
import subprocess
import sys
import time

from program import FOLDER, PROGRAM, image, listing, np, succeed

image("image.npy", 96, 160, 160)
np.save("kernel.npy", np.ones((9, 9, 9), np.float32))
plan = json.loads(succeed("plan", "--image", "96,160,160", "--kernel", "9,9,9", "--backend", "cpu", "--method", "fft", "--json").stdout)
# A limit so low that there are very many small tiles.
WORDS = [PROGRAM, "convolve", "image.npy", "kernel.npy", "out.npy", "--backend", "cpu", "--method", "fft", "--memory-limit",
         str(int(1.1 * plan["smallest_footprint_bytes"]) + 4096)]
before = listing()


def on_terminal():
    """Runs with stderr on a terminal; stops after two seconds. Returns what was drawn."""
    master, slave = pty.openpty()
    process = subprocess.Popen(WORDS, stdout=subprocess.DEVNULL, stderr=slave)
    os.close(slave)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    drawn = b""
    try:
        while chunk := os.read(master, 65536):
            drawn += chunk
    except OSError:  # the terminal's other end is closed
        pass
    os.close(master)
    return process.wait(timeout=60), drawn.decode()


def by(stop):
    """How the message names what ended the run."""
    limits = {signal.SIGXCPU: " (processor time, ulimit -t)", signal.SIGXFSZ: " (size of files, ulimit -f)"}
    return "" if stop == signal.SIGINT else f" by {stop.name}" + limits.get(stop, "")


def stopped(words, stop, after_seconds, **popen):
    """Runs, stops, and returns what stderr said. A machine that does other work, too, gets half a second more than the second."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen)
    names = set(os.listdir())
    while process.poll() is None and set(os.listdir()) == names:  # what is there first is the unfinished output
        time.sleep(0.005)
    time.sleep(after_seconds)
    running = process.poll() is None
    begin = time.monotonic()
    process.send_signal(stop)
    output, errors = process.communicate(timeout=60)
    seconds = time.monotonic() - begin
    assert running, "the run was too short to be stopped: " + output
    assert process.returncode == 128 + stop, (process.returncode, output, errors)
    assert errors.endswith(f"convoy: interrupted{by(stop)}; no output was written\n"), errors
    assert seconds < 1.5, f"it took {seconds} s to stop"
    assert listing() == before
    return errors


ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE, signal.SIGXCPU, signal.SIGXFSZ)
for stop in ENDING:
    assert stopped(WORDS, stop, 0.5).count("\n") == 1, stop
lines = stopped([*WORDS, "--progress"], signal.SIGINT, 2).splitlines()
assert len(lines) == 2 and " % " in lines[0] and "Mvoxel/s" in lines[0] and "MB/s" in lines[0] and lines[0].endswith("left"), lines
# One tile, which is not waited for; and a folder, which goes as well.
succeed("phantom", "spheres", "large.npy", "--size", "400,400,400", "--dtype", "u8", "--quiet")
before = listing()
for output in ("out.npy", "out.zarr"):
    stopped([PROGRAM, "convolve", "large.npy", "kernel.npy", output, "--backend", "cpu", "--precision", "f64"], signal.SIGINT, 0.1)


def started(words, ignored=()):
    def ignore():
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)

    names = set(os.listdir())
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=ignore, restore_signals=False)
    while process.poll() is None and set(os.listdir()) == names:
        time.sleep(0.005)
    return process


# What is ignored at the start stays ignored, as under nohup; the others end it.
process = started(WORDS, ignored=[signal.SIGHUP, signal.SIGQUIT])
for stop in (signal.SIGHUP, signal.SIGQUIT):
    process.send_signal(stop)
time.sleep(0.5)
assert process.poll() is None
process.send_signal(signal.SIGTERM)
assert "by SIGTERM" in process.communicate(timeout=60)[1] and process.returncode == 143
assert listing() == before

# Signals that come in pairs, or every second, do no harm.
process = started(WORDS)
for stop in (signal.SIGHUP, signal.SIGHUP, signal.SIGXCPU, signal.SIGXCPU):
    process.send_signal(stop)
process.communicate(timeout=60)
assert process.returncode in (129, 152), process.returncode
assert listing() == before

# The second Ctrl-C does not wait for a long step, and leaves nothing, either.
process = started([PROGRAM, "convolve", "large.npy", "kernel.npy", "out.npy", "--backend", "cpu", "--precision", "f64"])
process.send_signal(signal.SIGINT)
time.sleep(0.05)
process.send_signal(signal.SIGINT)
process.communicate(timeout=60)
assert process.returncode == 130, process.returncode
assert listing() == before

try:
    for end in pty.openpty():
        os.close(end)
except OSError as error:
    print(f"SKIPPED: the progress bar on a terminal, as no pseudo-terminal can be opened here: {error}; all else passed")
    sys.exit(0)
code, drawn = on_terminal()
assert code == 130, (code, drawn)
assert "\r" in drawn and "%" in drawn and "left" in drawn and "Mvoxel/s" in drawn, drawn
assert drawn.replace("\r\n", "\n").endswith("convoy: interrupted; no output was written\n"), drawn[-200:]
assert listing() == before

"""A program that is allowed little (address space, data, descriptors, stacks, processes) does its work or ends with a message; it
never crashes, hangs or leaves anything. Usage: limits.py PROGRAM"""
import os
import resource
import subprocess

from program import FOLDER, PROGRAM, image, listing

MEBI = 2**20
DONE, FAILED, NOT_LOADED = 0, 1, 127  # the last by the dynamic loader, before the program begins


def run_within(backend, limits, user=None):
    def lower():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if user:
            os.setgroups([])
            os.setuid(user)
        for which, most in limits.items():
            resource.setrlimit(which, (most, most))

    return subprocess.run([PROGRAM, "convolve", "image.npy", "kernel.npy", "out.npy", "--backend", backend, "--quiet"], capture_output=True,
                          text=True, timeout=120, preexec_fn=lower, env={**os.environ, "CONVOY_CACHE_DIR": "off", "CONVOY_THREADS": "4"})


def ends_well(backend, user=None, **limits):
    names = {getattr(resource, "RLIMIT_" + name.upper()): most for name, most in limits.items()}
    before = listing()
    done = run_within(backend, names, user)
    assert done.returncode in (DONE, FAILED, NOT_LOADED), (backend, limits, done)
    if done.returncode == DONE:
        (FOLDER / "out.npy").unlink()
    else:
        assert done.stderr.strip(), (backend, limits, "no message")
        assert done.returncode == NOT_LOADED or done.stderr.startswith("convoy: ") and done.stderr.count("\n") == 1, (limits, done)
    assert listing() == before, (backend, limits, "something is left", listing())
    return done.returncode


def main():
    image("image.npy", 64, 256, 256)
    image("kernel.npy", 3, 5, 7)
    os.chmod(FOLDER, 0o777)
    codes = [ends_well("cpu", **{"as": mebi * MEBI}) for mebi in (20, 30, 36, 40, 50, 70, 100, 110, 120, 130, 150, 200, 300, 1000)]
    assert codes[-1] == DONE and FAILED in codes, codes
    for mebi in (1, 5, 10, 20, 40, 80):
        ends_well("cpu", data=mebi * MEBI)
    for most in range(4, 14):
        ends_well("cpu", nofile=most)
    for kibi in (128, 256, 512, 2048):
        ends_well("cpu", stack=kibi * 1024)
    if os.geteuid() == 0:  # who may do everything is not held to a number of processes
        for most in (1, 2, 4):
            ends_well("cpu", user=65534, nproc=most)
    if subprocess.run([PROGRAM, "devices"], capture_output=True, text=True).stdout.count("vulkan:"):
        for mebi in (200, 300, 500, 700, 900, 1000):
            ends_well("vulkan", **{"as": mebi * MEBI})


main()

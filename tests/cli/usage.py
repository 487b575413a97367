"""Wrong command lines: exit code 2, one line that names option and remedy, nothing written."""
import subprocess

from program import PROGRAM, fail, image, succeed

image("image.npy", 8, 9, 10)
image("kernel.npy", 3, 3, 3)
CONVOLVE = ("convolve", "image.npy", "kernel.npy", "out.npy")
PLAN = ("plan", "--image", "8,9,10", "--kernel", "3,3,3")

assert "convoy 0." in succeed("--version").stdout == succeed("-V").stdout
for words in ((), ("convolve",), ("plan",), ("devices",), ("phantom",), ("phantom", "spheres"), ("psf",), ("psf", "gaussian"),
              ("psf", "widefield"), ("project",), ("report",), ("deconvolve",), ("selftest",), ("completion",), ("completion", "zsh"), ("manual",)):
    done = succeed(*words, "--help")
    assert "Example" in done.stdout and done.stderr == "", words
    assert succeed("help", *words).stdout == done.stdout
assert "default" in succeed("convolve", "--help").stdout

assert fail(2, "a subcommand is needed: convolve").stderr.startswith("convoy: a subcommand")
fail(2, "a subcommand is needed: spheres", "phantom")
fail(2, "phantom: unknown command 'nonsense'; the commands are spheres", "phantom", "nonsense")
fail(2, "unknown command 'nonsense'; the commands are convolve", "nonsense")
fail(2, "unknown command 'convlove'; did you mean 'convolve'?", "convlove", *CONVOLVE[1:])
fail(2, "unknown command 'plann'; did you mean 'plan'?", "help", "plann")
fail(2, "unknown option '--mod'; did you mean '--mode'?", *CONVOLVE, "--mod", "same")
fail(2, "unknown option '--memory-limits'; did you mean '--memory-limit'?", *CONVOLVE, "--memory-limits=2GiB")
fail(2, "unexpected arguments 'first' 'second' 'third'", *CONVOLVE, "first", "second", "third")
fail(2, "did you mean 'circular'?", *CONVOLVE, "--mode", "circlar")
fail(2, "--iterations: '2.5' is not a whole number from 0 to", "deconvolve", "a.npy", "b.npy", "c.npy", "--iterations", "2.5")
fail(2, "--split: '1.5' is not a whole number from 1 to", *PLAN, "--split", "1.5")
fail(2, "--devices", *CONVOLVE, "--devices", "")
fail(2, "KERNEL", "plan", "image.npy")
fail(2, "--image", "plan", "image.npy", "kernel.npy", "--image", "8,9,10")
fail(2, "--axes", *PLAN, "--axes", "ZYX")
fail(2, "KERNEL", "convolve", "image.npy")
fail(2, "extra", *CONVOLVE, "extra")
fail(2, "--unknown", *CONVOLVE, "--unknown")
fail(2, "--mode: 'some' is none of full, same, valid, circular", *CONVOLVE, "--mode", "some")
fail(2, "--boundary", *CONVOLVE, "--boundary", "mirrored")
fail(2, "--boundary constant", *CONVOLVE, "--constant", "3")
fail(2, "--boundary constant", *CONVOLVE, "--constant", "3", "--boundary", "reflect")
fail(2, "--constant", *CONVOLVE, "--boundary", "constant", "--constant", "3x")
fail(2, "--flip", *CONVOLVE, "--flip", "--correlate")
for mode in ("valid", "circular"):
    fail(2, "--mode same and full", *CONVOLVE, "--mode", mode, "--boundary", "reflect")
for mode in ("full", "valid"):
    fail(2, "--origin", *CONVOLVE, "--mode", mode, "--origin", "first")
for origin in ("middle", "1,1", "1,1,x", "1,1,1,1", "-1,1,1", "1,1,1 ", ""):
    fail(2, "--origin", *CONVOLVE, "--origin", origin)
fail(2, "--dtype: 'i64' is none of", *CONVOLVE, "--dtype", "i64")
fail(2, "--precision", *CONVOLVE, "--precision", "f16")
fail(2, "'fast' is none of auto, native, fused and staged", *CONVOLVE, "--path", "fast")
fail(2, "--nan", *CONVOLVE, "--nan", "ignore")
fail(2, "unknown backend 'abacus'", *CONVOLVE, "--backend", "abacus")
fail(2, "after the colon", *CONVOLVE, "--backend", "cpu:x")
for limit in ("abc", "-1", "-1GiB", "2 apples", "", "0", "1GiB2"):
    fail(2, "--memory-limit", *CONVOLVE, f"--memory-limit={limit}")
    fail(2, "--ram-limit", *CONVOLVE, f"--ram-limit={limit}")
for size in ("", "1,2", "1,2,x", "1,2,-3", "1,2,nan"):
    fail(2, "--voxel-size", *CONVOLVE, f"--voxel-size={size}")
fail(2, "--series", *CONVOLVE, "--series=-1")
for layout in ("", "8,9,10", "8,9,u16", "8,9,10,u17", "8,9,10,u16,-1", "8,9,10,u16,0,little", "0,9,10,u16"):
    fail(2, "--raw", *CONVOLVE, f"--raw={layout}")
for axes in ("TQZYX", "TTYX", "TC", "tzyw", "ZC0YX", "Z-3YX"):
    fail(2, "--axes", *CONVOLVE, f"--axes={axes}")
fail(2, "--progress", *CONVOLVE, "--progress", "--quiet")
fail(2, "out.npy", "convolve", "out.npy", "kernel.npy", "out.npy")
fail(2, "image.npy", "convolve", "image.npy", "kernel.npy", "image.npy")
fail(2, "kernel.npy", "convolve", "image.npy", "kernel.npy", "./kernel.npy")
fail(2, "out.npy", *CONVOLVE, "--report", "out.npy")
fail(2, "kernel.npy", *CONVOLVE, "--report", "kernel.npy")

fail(2, "--kernel", "plan", "--image", "8,9,10")
for size in ("0,4,4", "4,0", "0", "-4,4,4", "4,4,4,4", "4,4,", ",4", "4x4", "4,4,4junk", "4.5,4,4", "", "99999999999999999999"):
    fail(2, "--image", "plan", f"--image={size}", "--kernel", "3,3,3")
    fail(2, "--size", "psf", "gaussian", "psf.npy", f"--size={size}", "--sigma", "1,1,1")
    fail(2, "--size", "phantom", "spheres", "s.npy", f"--size={size}")
fail(2, "--origin", *PLAN, "--origin", "peak")
fail(2, "--constant", *PLAN, "--constant", "1")
fail(2, "--sigma", "psf", "gaussian", "psf.npy", "--size", "3,3,3", "--sigma", "1,1")
fail(2, "--sigma", "psf", "gaussian", "psf.npy", "--size", "3,3,3", "--sigma", "1,1,nan")
fail(2, "--size", "psf", "gaussian", "psf.npy", "--sigma", "1,1,1")
fail(2, "--dtype", "psf", "gaussian", "psf.npy", "--size", "3,3,3", "--sigma", "1,1,1", "--dtype", "u8")
fail(2, "--oversampling", "psf", "widefield", "psf.npy", "--size", "3,3,3", "--oversampling", "0")
fail(2, "--center", "phantom", "spheres", "s.npy", "--size", "8,8,8", "--center", "1,2")
fail(2, "--radius", "phantom", "spheres", "s.npy", "--size", "8,8,8", "--radius", "4junk")
fail(2, ".png", "project", "image.npy", "picture.jpg")
for gamma in ("0", "-1", "x"):
    fail(2, f"--gamma: '{gamma}' is not a number above 0", "project", "image.npy", "picture.png", f"--gamma={gamma}")
fail(2, "--split: '0' is not a whole number from 1", *PLAN, "--split=0")
fail(2, "--halo: '-1' is not a number of 0 or more", "deconvolve", "a.tif", "b.tif", "c.tif", "--halo=-1")
fail(2, ".html", "report", "run.json", "page.htm")
fail(2, "--scale-z", "project", "image.npy", "picture.png", "--scale-z=0")

with open("/dev/full", "w") as full:
    assert subprocess.run([PROGRAM, "--version"], stdout=full, stderr=subprocess.DEVNULL).returncode == 1

"""What each subcommand does when all is well."""
import json
import os
import re
import shutil
import subprocess

from program import FOLDER, image, np, relative_l2, run, succeed

values = image("image.npy", 12, 20, 24)
kernel = image("kernel.npy", 3, 5, 7, seed=2)
np.save("delta.npy", np.pad(np.float32([[[1]]]), ((1, 1), (2, 2), (3, 3))))
CPU = ("--backend", "cpu")

# convolve: summary, report, quiet, output types, metadata
done = succeed("convolve", "image.npy", "kernel.npy", "out.npy", *CPU, "--report", "report.json")
assert done.stdout.count("\n") == 2 and "cpu" in done.stdout and "12x20x24" in done.stdout, done.stdout
assert "host memory: peak " in done.stdout and ", planned " in done.stdout, done.stdout
assert "\x1b" not in done.stderr
result = np.load("out.npy")
assert result.dtype == np.float32 and result.shape == values.shape
report = json.loads((FOLDER / "report.json").read_text())
assert report["backend"] == "cpu" and report["device"]["id"].startswith("cpu") and report["device"]["driver"]
assert report["command"][1:3] == ["convolve", "image.npy"] and report["version"]
assert report["plan"]["num_tiles"] == report["num_tiles"] == 1
assert abs(report["input_sum"] - values.sum(dtype=float)) < 1e-3 * report["input_sum"]
assert abs(report["output_sum"] - result.sum(dtype=float)) < 1e-3 * report["output_sum"]
assert report["saturated_voxels"] == 0 and report["peak_device_bytes"] > 0
times = report["timings"]
assert times["total_seconds"] >= times["run_seconds"] > 0
done = succeed("convolve", "image.npy", "delta.npy", "same.npy", *CPU, "--quiet")
assert done.stdout == done.stderr == ""
assert relative_l2(np.load("same.npy"), values) < 5e-6
for dtype in ("f64", "u16", "u8"):
    succeed("convolve", "image.npy", "delta.npy", "typed.npy", *CPU, "--dtype", dtype)
    assert np.load("typed.npy").dtype == {"f64": "f8", "u16": "u2", "u8": "u1"}[dtype]
succeed("convolve", "image.npy", "delta.npy", "typed.npy", *CPU, "--precision", "f64")
assert np.load("typed.npy").dtype == np.float64
assert relative_l2(np.load("typed.npy"), values) < 1e-12

# tiling gives the same, and shows in the report
smallest = json.loads(succeed("plan", "--image", "12,20,24", "--kernel", "3,5,7", "--json", *CPU).stdout)["smallest_footprint_bytes"]
succeed("convolve", "image.npy", "kernel.npy", "tiled.npy", *CPU, "--memory-limit", 2 * smallest, "--report", "report.json")
report = json.loads((FOLDER / "report.json").read_text())
assert report["num_tiles"] > 1 and report["peak_device_bytes"] <= 2 * smallest
assert relative_l2(np.load("tiled.npy"), result) < 5e-6

# warnings: shifted peak, negative kernel, saturation, replaced NaN
shifted = np.zeros((3, 9, 9), np.float32)
shifted[1, 4, 7] = 1
np.save("shifted.npy", shifted)
assert "--origin peak" in succeed("convolve", "image.npy", "shifted.npy", "w.npy", *CPU).stderr
assert succeed("convolve", "image.npy", "shifted.npy", "w.npy", *CPU, "--origin", "peak").stderr == ""
assert relative_l2(np.load("w.npy"), values) < 5e-6
assert succeed("convolve", "image.npy", "shifted.npy", "w.npy", *CPU, "--origin", "1,4,7").stderr == ""
np.save("box.npy", np.ones((5, 5, 5), np.float32))
assert succeed("convolve", "image.npy", "box.npy", "w.npy", *CPU).stderr == ""
np.save("negative.npy", np.float32([[[-0.25, 1.5, -0.25]]]))
assert "2 negative" in succeed("convolve", "image.npy", "negative.npy", "w.npy", *CPU).stderr
np.save("bright.npy", np.full((4, 5, 6), 300, np.float32))
assert "120 output voxels are clipped" in succeed("convolve", "bright.npy", "delta.npy", "w.npy", *CPU, "--dtype", "u8").stderr
assert (np.load("w.npy") == 255).all()
holed = values.copy()
holed[3, 4, 5] = np.nan
np.save("holed.npy", holed)
assert "1 NaN" in succeed("convolve", "holed.npy", "delta.npy", "w.npy", *CPU, "--nan", "zero").stderr
assert np.load("w.npy")[3, 4, 5] < 1e-6

# the number of axes and the voxel size are kept
image("plane.npy", 20, 24)
image("line.npy", 24)
succeed("convolve", "plane.npy", "plane.npy", "p2.npy", *CPU)
succeed("convolve", "line.npy", "line.npy", "p1.npy", *CPU)
assert np.load("p2.npy").shape == (20, 24) and np.load("p1.npy").shape == (24,)
succeed("psf", "widefield", "psf.tif", "--size", "5,9,9", "--voxel", "0.5,0.25,0.125")
succeed("convolve", "psf.tif", "delta.npy", "again.tif", *CPU)
text = (FOLDER / "again.tif").read_bytes()
assert b"ImageJ=" in text and b"images=5\nslices=5\nunit=micron\nspacing=0.5\n" in text

# trace-memory: every step, and 0 at the end
lines = succeed("convolve", "image.npy", "kernel.npy", "out.npy", *CPU, "--trace-memory").stderr.splitlines()
lines = [line for line in lines if "warning" not in line]
used = [int(line.split()[3]) for line in lines]
assert all(line.startswith("used ") and line.split()[2] == "GiB" for line in lines), lines
assert max(used) > 0 and used[-1] == 0, lines

# plan: text and JSON, and no device memory
text = succeed("plan", "--image", "128,512,512", "--kernel", "128,256,256", *CPU).stdout
assert "nine copies" in text and "128x512x512" in text
plan = json.loads(succeed("plan", "--image", "512,512", "--kernel", "9", "--json", *CPU).stdout)
assert plan["spec"]["image"] == [1, 512, 512] and plan["spec"]["kernel"] == [1, 1, 9]
assert sum(line["bytes"] for line in plan["ledger"]) == plan["footprint_bytes"]

# plan of files: sizes, elements and the kernel's peak are the files'
text = succeed("plan", "image.npy", "kernel.npy", *CPU).stdout
assert "image  image.npy: f32 12x20x24 zyx" in text and "image 12x20x24 with kernel 3x5x7" in text, text
assert json.loads(succeed("plan", "image.npy", "shifted.npy", "--origin", "peak", "--json", *CPU).stdout)["spec"]["origin"] == [1, 4, 7]
jobs = succeed("plan", "image.npy", "kernel.npy", "--split", "3", *CPU).stdout
assert jobs.count("--region") == jobs.count("reads 0:") + jobs.count("reads 3:") + jobs.count("reads 7:") == 3, jobs

# the path of a tile: what is asked for, and why not
for path in ("fused", "staged"):
    assert f", {path}" in succeed("plan", "image.npy", "kernel.npy", *CPU, "--path", path).stdout
    succeed("convolve", "image.npy", "delta.npy", "path.npy", *CPU, "--quiet", "--path", path, "--overwrite")
    assert relative_l2(np.load("path.npy"), values) < 5e-6
    assert json.loads(succeed("plan", "image.npy", "kernel.npy", "--json", *CPU, "--path", path.upper()).stdout)["path"] == path
assert run("convolve", "image.npy", "delta.npy", "path.npy", *CPU, "--quiet", "--path", "auto", "--overwrite").returncode == 0
for words in (("plan", "image.npy", "kernel.npy"), ("convolve", "image.npy", "delta.npy", "native.npy")):
    assert "there is no native path: the device has no kernels with shared memory" in run(*words, *CPU, "--path", "native").stderr
succeed("selftest", *CPU, "--path", "staged", "--report", "staged.json")
report = json.loads(open("staged.json").read())
assert report["path"] == "staged" and report["passed"] and not any("fused path" in check["name"] for check in report["checks"])

# common spellings, in any case
succeed("convolve", "image.npy", "delta.npy", "spelt.npy", *CPU, "--dtype", "UInt16", "--mode", "SAME", "--boundary", "periodic",
        "--precision", "float64", "--memory-limit", "2Gi", "--ram-limit", "1e9")
assert np.load("spelt.npy").dtype == np.uint16

# environment variables that cannot be used are reported; the run goes on
assert "CONVOY_THREADS is 'many'" in succeed("devices", CONVOY_THREADS="many").stderr
assert "CONVOY_LOG names 'plans'" in succeed("plan", "--image", "8,8", "--kernel", "3,3", *CPU, CONVOY_LOG="plans,run").stderr
assert ", 1 thread)" in succeed("convolve", "image.npy", "delta.npy", "one.npy", *CPU, CONVOY_THREADS="1").stdout

# a run of one tile shows progress, however short it is
shown = succeed("convolve", "image.npy", "delta.npy", "shown.npy", *CPU, "--progress")
assert "1 tile" in shown.stdout and shown.stderr.splitlines()[-1].startswith("100 %"), shown

# completions and manual page hold every command and option
manual = succeed("manual").stdout
completions = {shell: succeed("completion", shell).stdout for shell in ("bash", "zsh", "fish")}
for command in ("convolve", "deconvolve", "plan", "devices", "phantom", "psf", "selftest", "project", "report", "clean"):
    assert f".SS convoy {command}" in manual, command
    for option in re.findall(r"--[a-z][a-z-]*", succeed(command, "--help").stdout.split("Examples:")[0]):
        assert option.replace("-", "\\-") in manual, (command, option)
        for shell, text in completions.items():
            assert (option if shell != "fish" else f"-l {option[2:]}") in text, (command, option, shell)
for shell, text in completions.items():
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=text, text=True, check=True)
offered = subprocess.run(["bash", "-c", completions["bash"] + """
COMP_WORDS=(convoy convolve --mode ''); COMP_CWORD=3; _convoy; echo "${COMPREPLY[@]}"
COMP_WORDS=(convoy phan); COMP_CWORD=1; _convoy; echo "${COMPREPLY[@]}" """], capture_output=True, text=True, check=True).stdout
assert offered.splitlines() == ["full same valid circular", "phantom"], offered

# devices
text = succeed("devices").stdout
assert "cpu" in text
text = succeed("devices", "--verbose", CONVOY_FFTW3F_LIBRARY="/none/libfftw3f.so").stdout
assert "libraries that were looked for:" in text, text
assert "FFTW in single precision (CONVOY_FFTW3F_LIBRARY): not found\n    /none/libfftw3f.so: " in text, text
assert "libraries" not in succeed("devices", "--json").stdout
for library in json.loads(succeed("devices", "--verbose", "--json").stdout)["libraries"]:
    assert library["attempts"] and library["variable"].startswith("CONVOY_"), library
    assert bool(library["found"]) == any(not attempt["problem"] for attempt in library["attempts"]), library
devices = json.loads(succeed("devices", "--json").stdout)
for backend in devices["backends"]:
    assert bool(backend["devices"]) != bool(backend["unavailable_because"]), backend
    for device in backend["devices"]:
        assert device["name"] and device["driver"] and device["limits"]["total_bytes"] > 0, device

# phantom
succeed("phantom", "spheres", "s.npy", "--size", "16,32,32", "--radius", "5", "--center", "8,16,16", "--center", "0,0,40")
spheres = np.load("s.npy")
z, y, x = np.mgrid[:16, :32, :32]
expected = ((z - 8) ** 2 + (y - 16) ** 2 + (x - 16) ** 2 <= 25) | (z**2 + y**2 + (x - 40) ** 2 <= 25)
assert spheres.dtype == np.float32 and np.array_equal(spheres, expected)
succeed("phantom", "spheres", "s.npy", "--size", "16,32,32", "--dtype", "u16", "--value", "1000")
assert np.load("s.npy").dtype == np.uint16 and np.load("s.npy").max() == 1000
succeed("phantom", "spheres", "s.npy")
spheres = np.load("s.npy")
assert spheres.shape == (128, 512, 512) and set(np.unique(spheres)) == {0, 1}
for face in (spheres[0], spheres[-1], spheres[:, 0], spheres[:, -1], spheres[:, :, -1]):
    assert face.any()
os.remove("s.npy")

# psf gaussian
succeed("psf", "gaussian", "g.npy", "--size", "7,8,9", "--sigma", "1,1.5,2", "--dtype", "f64")
gauss = np.load("g.npy")
z, y, x = np.mgrid[:7, :8, :9]
expected = np.exp(-0.5 * ((z - 3) ** 2 + ((y - 4) / 1.5) ** 2 + ((x - 4) / 2) ** 2))
assert np.allclose(gauss, expected / expected.sum(), rtol=1e-12)
succeed("psf", "gaussian", "g.npy", "--size", "3,3,5", "--sigma", "0,0,1")
assert abs(np.load("g.npy").sum() - 1) < 1e-6 and np.count_nonzero(np.load("g.npy")) == 5

# psf widefield: sum, symmetry, Airy's first dark ring at 0.6098 wavelength / NA
succeed("psf", "widefield", "w.npy", "--size", "9,61,61", "--na", "0.8", "--wavelength", "0.5", "--refractive-index", "1",
        "--voxel", "0.2,0.019057,0.019057", "--dtype", "f64")
psf = np.load("w.npy")
assert abs(psf.sum() - 1) < 1e-12 and (psf >= 0).all()
assert np.allclose(psf, psf[::-1], rtol=1e-12) and np.allclose(psf, psf[:, ::-1], rtol=1e-9)
assert np.allclose(psf, psf[:, :, ::-1], rtol=1e-9) and np.allclose(psf, psf.transpose(0, 2, 1), rtol=1e-9)
focus = psf[4, 30, 30:]
assert np.unravel_index(psf.argmax(), psf.shape) == (4, 30, 30)
assert focus.argmin() == 20 and focus[20] < 1e-6 * focus[0], focus[18:23] / focus[0]
assert abs(focus[10] / focus[0] - 0.3657) < 2e-3  # (2 J1(v) / v)^2 at v = 3.8317 / 2
along_z = psf[4:, 30, 30] / psf[4, 30, 30]
assert (np.diff(along_z[:4]) < 0).all()

# no temporary files remain
assert not [name for name in os.listdir() if name.startswith(".")]

"""Kernels are dumped as files, whether or not their code is cached, and an edited file is compiled in place of what is
generated. argv[2] is the backend; one without own passes has no kernels to look at."""
import os
import re
import sys

from program import FOLDER, image, np, relative_l2, run, succeed

BACKEND = sys.argv[2]
asked = run("plan", "--backend", BACKEND, "--image", "8,8,8", "--kernel", "3,3,3", "--path", "native")
if asked.returncode:
    print(f"SKIPPED: {asked.stderr}\n{run('devices').stdout}")
    sys.exit(0)

os.environ.update(CONVOY_CACHE_DIR=str(FOLDER / "cache"), CONVOY_LOG="dispatch")
os.umask(0o022)
voxels = image("image.npy", 12, 20, 24)
image("kernel.npy", 3, 5, 5, seed=2)


def convolve(path="native", expect=succeed, **environment):
    done = expect("convolve", "image.npy", "kernel.npy", "result.npy", "--backend", BACKEND, "--path", path, "--overwrite",
                  "--quiet", **environment)
    return (np.load("result.npy") if done.returncode == 0 else None), done.stderr


def texts(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


# ---- every kernel is a file that says what it is
first = FOLDER / "first"
expected, _ = convolve(CONVOY_DUMP_KERNELS=str(first))
dumped = texts(first)
EXTENSION = next(iter(dumped)).rpartition(".")[2]
assert any(name.startswith(("rows_inverse_", "planes_inverse_")) for name in dumped), dumped.keys()
assert any(name.startswith("columns_product_") for name in dumped), dumped.keys()
for name, text in dumped.items():
    assert re.fullmatch(rf"[\w-]+-[0-9a-f]{{8}}\.{EXTENSION}", name), name
    assert text.startswith("// Kernel of convoy ") and (EXTENSION != "comp" or "\n#version 450\n" in text), name
    for what in ("device", "workgroup", "shared memory", "buffers"):
        assert f"\n// {what} " in text, (name, what)
    if name.startswith("columns_"):
        assert re.search(r"\n// plan +tile of \S+ voxels \(z, y, x\), padded to \S+, path native\n", text), text[:800]
        assert re.search(r"\n// transform +\d+ = [\d* ]+: \d stages\n", text), text[:800]
        assert re.search(r"\n +// stage 1 of \d: radix \d+, stride \d+", text), name
    body = text.splitlines()[1 + text[: text.rindex("\n  uint thread_x")].count("\n"):]
    assert body[-1] == "}" and all(line.startswith(("  ", "#")) for line in body[:-1]), name
assert all((first / name).stat().st_mode & 0o022 == 0 for name in dumped)

# ---- also where the compiled code is cached, and of the FFT library
second = FOLDER / "second"
result, log = convolve(CONVOY_DUMP_KERNELS=str(second))
assert texts(second).keys() == dumped.keys() and "compiled kernel" in log  # with the lines of other files
result, log = convolve(CONVOY_DUMP_KERNELS=str(second))
assert "compiled kernel" not in log
third = FOLDER / "third"
convolve()
third.mkdir()
assert texts(third) == {}
result, log = convolve()
assert "compiled kernel" not in log  # the plain code is cached
result, log = convolve(CONVOY_DUMP_KERNELS=str(third))
assert {name: text for name, text in texts(third).items()} == dumped and np.array_equal(result, expected)
for times in (1, 2):
    library = FOLDER / f"library{times}"
    result, _ = convolve("fused", CONVOY_DUMP_KERNELS=str(library))
    assert relative_l2(result, expected) < 1e-5
    assert any(name.startswith("vkfft_convolution_") for name in texts(library)), texts(library).keys()
assert texts(FOLDER / "library1") == texts(FOLDER / "library2")

# ---- what lies in the folder already is neither followed nor replaced
name = next(name for name in dumped if name.startswith(("rows_inverse_", "planes_inverse_")))
planted = FOLDER / "planted"
planted.mkdir()
victim = FOLDER / "victim"
victim.write_text("mine")
(planted / name).symlink_to(victim)
other = next(other for other in dumped if other != name)
(planted / other).write_text("mine, too")
result, log = convolve(CONVOY_DUMP_KERNELS=str(planted))
assert victim.read_text() == "mine" and (planted / name).is_symlink() and (planted / other).read_text() == "mine, too"
assert texts(planted).keys() == dumped.keys() and np.array_equal(result, expected)
assert f"{name} is left as it is: it is a link" in log and f"{other} is left as it is: it holds something else" in log
(planted / other).unlink()
result, log = convolve(CONVOY_USE_KERNELS=str(planted))
assert f"{name} is not taken: it is a link; the generated text is compiled" in log and np.array_equal(result, expected)
assert f"{other} is not taken: there is none; the generated text is compiled" in log

# ---- a folder that cannot be written to is reported, and computing goes on
result, log = convolve(CONVOY_DUMP_KERNELS="/dev/null/kernels")
assert "cannot be written: Not a directory" in log and np.array_equal(result, expected)

# ---- an edited text is compiled
edited = re.sub(r"real scale = (\S+?)(f?);", r"real scale = real(2) * \1\2;", dumped[name])
assert edited != dumped[name]
(first / name).write_text(edited)
doubled, log = convolve(CONVOY_USE_KERNELS=str(first))
assert relative_l2(doubled, 2 * expected.astype(np.float64)) < 1e-6
assert f"{first}/{name} is compiled in place of the generated text" in log
doubled, log = convolve(CONVOY_USE_KERNELS=str(first), CONVOY_DUMP_KERNELS=str(first))
assert relative_l2(doubled, 2 * expected.astype(np.float64)) < 1e-6 and (first / name).read_text() == edited
result, _ = convolve()
assert np.array_equal(result, expected)  # without the variable nothing of it is left

# ---- but not one that others may write to, or that does not compile
(first / name).chmod(0o666)
result, log = convolve(CONVOY_USE_KERNELS=str(first))
assert "every user may write to it; the generated text is compiled" in log and np.array_equal(result, expected)
(first / name).chmod(0o644)
(first / name).write_text(edited.replace("real scale", "real nonsense"))
_, log = convolve(expect=run, CONVOY_USE_KERNELS=str(first))
assert f"{first}/{name}" in log.splitlines()[-1] or f"edited: {first}/{name}" in log, log
print(f"{len(dumped)} kernels of {BACKEND}")

"""`--scratch`: where --ram-limit does not hold the arrays of exact tiles they lie in a file without a name; the result is that of exact tiles
in memory, bit by bit, and what cannot be taken is refused before anything is left."""
import json
import pathlib
import shlex
import subprocess

from program import FOLDER, PROGRAM, fail, listing, np, succeed

RNG = np.random.default_rng(1)
np.save("image.npy", RNG.poisson(RNG.uniform(0, 30, (48, 256, 300))).astype(np.uint16))
np.save("mask.npy", (RNG.random((48, 256, 300)) > 0.1).astype(np.uint8))
grid = np.meshgrid(*(np.arange(n) - n // 2 for n in (5, 9, 9)), indexing="ij")
np.save("psf.npy", np.exp(-0.5 * sum((axis / 1.5) ** 2 for axis in grid)).astype(np.float32))
pathlib.Path("disk").mkdir()
WORK = ("deconvolve", "image.npy", "psf.npy", "out.npy", "--backend", "cpu", "--quiet", "--iterations", 2, "--memory-limit", "12MiB")
LIMIT = ("--ram-limit", "120MiB")


def restored(*words):
    succeed(*WORK, *words, "--overwrite", "--report", "run.json")
    return np.load("out.npy"), json.loads((FOLDER / "run.json").read_text())


for words in ((), ("--edges", "reflect", "--stop", "gradient-consensus", "--mask", "mask.npy")):
    expected, _ = restored(*words)
    for place in ("disk/file",) if words else ("disk",):
        result, report = restored(*words, *LIMIT, "--scratch", place)
        plan = report["plan"]
        assert plan["tiling"] == "exact" and plan["scratch_bytes"] == sum(line["bytes"] for line in plan["scratch_ledger"]) > 80e6, words
        assert np.array_equal(result, expected), words
        scratch_bytes = scratch_bytes if words else plan["scratch_bytes"]
        assert report["peak_host_bytes"] <= 1.05 * report["planned_host_bytes"] <= 1.05 * report["ram_limit_bytes"], report["peak_host_bytes"]
        assert not list(pathlib.Path("disk").iterdir())
told = json.loads(succeed("plan", "image.npy", "psf.npy", "--deconvolve", *WORK[4:6], *WORK[7:], *LIMIT, "--scratch", "disk", "--json").stdout)
assert told["scratch_bytes"] == scratch_bytes
text = succeed("plan", "image.npy", "psf.npy", "--deconvolve", *WORK[4:6], *WORK[7:], *LIMIT, "--scratch", "disk").stdout
assert "scratch file" in text and "estimate, weights" in text.split("scratch file\n")[1], text
assert restored(*LIMIT)[1]["plan"]["tiling"] == "fast"  # without one

pathlib.Path("out.npy").unlink()
pathlib.Path("there").touch()
fail(1, "there is one already", *WORK, *LIMIT, "--scratch", "there")
fail(1, "scratch file none/file", *WORK, *LIMIT, "--scratch", "none/file")
before = listing()
command = shlex.join(map(str, (PROGRAM, *WORK, *LIMIT, "--scratch", "disk")))
done = subprocess.run(["bash", "-c", f"ulimit -f 20000; {command}"], capture_output=True, text=True)
assert done.returncode == 1 and "are needed, but files of this process may have" in done.stderr, done
assert listing() == before
print("exact tiles in a scratch file")

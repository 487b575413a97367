"""--deterministic: the same bytes from every process, whatever memory is free and whatever other processes have measured."""
import json
import os

from program import FOLDER, fail, image, np, succeed

image("image.npy", 16, 60, 91)
image("kernel.npy", 5, 9, 8, seed=2)
np.save("counts.npy", np.round(100 * np.load("image.npy")))
os.environ["CONVOY_CACHE_DIR"] = str(FOLDER / "cache")
SCARCE = {"CONVOY_LIMIT_FREE_BYTES": "500kB"}
CONVOLVE = ("convolve", "image.npy", "kernel.npy", "out.npy", "--backend", "cpu", "--method", "fft")
DECONVOLVE = ("deconvolve", "counts.npy", "kernel.npy", "out.npy", "--backend", "cpu", "--iterations", "8")


def output(*words, **environment):
    succeed(*words, "--report", "report.json", **environment)
    return (FOLDER / "out.npy").read_bytes(), json.loads((FOLDER / "report.json").read_text())["plan"]


for command in (CONVOLVE, DECONVOLVE):
    usual, usual_plan = output(*command)
    scarce, scarce_plan = output(*command, **SCARCE)
    assert usual != scarce and usual_plan["num_tiles"] < scarce_plan["num_tiles"], (command, "memory makes no difference to this problem")

    expected, _ = output(*command, "--deterministic")
    succeed(*CONVOLVE, "--tune", "measure")  # leaves wisdom for all that follow
    assert any("wisdom" in str(path) for path in (FOLDER / "cache").rglob("*")), "nothing was kept"
    assert output(*command, "--deterministic")[0] == expected, (command, "wisdom")
    assert output(*command, "--deterministic", CONVOY_LIMIT_FREE_BYTES="1GB")[0] == expected, (command, "free memory")
    assert output(*command, "--deterministic", CONVOY_THREADS="1")[0] == expected, (command, "threads")
    limited, _ = output(*command, "--deterministic", "--memory-limit", "500kB")
    assert limited != expected, (command, "the limit makes no difference")
    assert output(*command, "--deterministic", "--memory-limit", "500kB", **SCARCE)[0] == limited, (command, "tiles")

fail(1, "rests on no measured time", *CONVOLVE, "--deterministic", "--tune", "measure")

"""Real data: Bars restored on the CPU and on the other devices that there are, against the truth. Needs CONVOY_TEST_DATA."""
from bars_data import DATA, read_stack
from program import backends_with_devices, np, succeed

truth, observed = read_stack(DATA / "actual.tif"), read_stack(DATA / "data.tif")


def correlation(values):
    return np.corrcoef(np.ravel(values), truth.ravel())[0, 1]


PLAIN = "--acceleration", "none", "--start", "flat"


def restore(image, backend, *words):
    succeed("deconvolve", image, DATA / "kernel.tif", "out.npy", "--backend", backend, "--quiet", *words)
    return np.load("out.npy")


# Pearson correlation with the truth of double-precision Richardson-Lucy from a flat start, weights above 0.01.
REFERENCE = {1: 0.152, 5: 0.267, 10: 0.376, 25: 0.513, 50: 0.582}
# What the defaults shall reach at least: by 25 iterations, what plain ones do not by far.
DEFAULTS = {10: 0.65, 25: 0.72}
assert abs(correlation(observed) - 0.402) < 1e-3
for backend in backends_with_devices():
    for iterations, expected in REFERENCE.items():
        found = correlation(restore(DATA / "data.tif", backend, *PLAIN, "--iterations", iterations))
        assert abs(found - expected) < 1.5e-3, (backend, iterations, found)
    print(f"{backend}: data.tif after 50 iterations: correlation with the truth {found:.4f}, before {correlation(observed):.4f}")
    assert found > correlation(observed) + 0.15

    for iterations, least in DEFAULTS.items():
        result = restore(DATA / "data.tif", backend, "--iterations", iterations)
        print(f"{backend}: data.tif after {iterations} iterations by default: {correlation(result):.4f}")
        assert correlation(result) >= least, (backend, iterations, correlation(result))
        assert (result[truth == truth.min()] == 0).mean() < 0.01

    succeed("convolve", DATA / "actual.tif", DATA / "kernel.tif", "blurred.npy", "--backend", backend, "--quiet")
    before = correlation(np.load("blurred.npy"))
    after = correlation(restore("blurred.npy", backend, "--iterations", 50))
    print(f"{backend}: blurred by convoy, then restored: correlation {before:.4f} -> {after:.4f}")
    assert after > before + 0.1, (backend, before, after)

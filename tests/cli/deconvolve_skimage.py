"""`convoy deconvolve --compat skimage` against skimage.restoration.richardson_lucy, or where there is no scikit-image against the
algorithm that it publishes, for odd and even PSFs in one, two and three dimensions."""
from program import fail, np, relative_l2, succeed

try:
    from skimage.restoration import richardson_lucy
except ImportError:
    print("this Python has no scikit-image: its published algorithm stands in")
    from scipy.signal import convolve

    def richardson_lucy(image, psf, num_iter):
        estimate, mirrored = np.full(image.shape, 0.5), np.flip(psf)
        for _ in range(num_iter):
            estimate *= convolve(image / (convolve(estimate, psf, mode="same") + 1e-12), mirrored, mode="same")
        return np.clip(estimate, -1, 1)


RNG = np.random.default_rng(3)
for shape, psf_shape in (((40,), (5,)), ((40,), (6,)), ((20, 30), (5, 7)), ((20, 31), (4, 7)), ((9, 12, 14), (3, 4, 5)),
                         ((8, 12, 14), (2, 3, 4))):
    psf = RNG.random(psf_shape)
    psf /= psf.sum()
    image = np.zeros(shape)
    image[tuple(RNG.integers(0, n, 12) for n in shape)] = 0.8
    image = image + 0.1
    np.save("image.npy", image)
    np.save("psf.npy", psf)
    expected = richardson_lucy(image, psf, num_iter=12)
    for backend, words, tolerance in (("cpu", ("--precision", "f64"), 1e-9), ("cpu", (), 1e-4)):
        succeed("deconvolve", "image.npy", "psf.npy", "out.npy", "--compat", "skimage", "--iterations", 12, "--backend", backend,
                "--quiet", *words)
        error = relative_l2(np.load("out.npy"), expected)
        assert error <= tolerance, (shape, psf_shape, backend, words, error)
    print(f"{shape} with PSF {psf_shape}: relative L2 difference {error:.1e} in single precision")

COMPATIBLE = ("deconvolve", "image.npy", "psf.npy", "none.npy", "--backend", "cpu", "--compat", "skimage")
for words in (("--edges", "zero"), ("--background", 1), ("--acceleration", "biggs"), ("--origin", "first"), ("--no-normalize",)):
    fail(2, "scikit-image", *COMPATIBLE, *words)

"""The libraries that peers.py times: each convolves in the way its users do."""

import platform
import random
import time

NUM_SAMPLES = 24


class Problem:
    """One case: shapes, and where the output lies in the full convolution."""

    def __init__(self, result):
        self.image = tuple(result["image_zyx"])
        self.kernel = tuple(result["kernel_zyx"])
        self.mode = result["mode"]
        self.precision = result["precision"]
        self.batch = result.get("batch", 1)
        self.sigma = result.get("sigma")
        self.identity = {k: result[k] for k in ("case", "scale", "image_zyx", "kernel_zyx", "mode", "precision")}
        self.identity["batch"] = self.batch
        if "compulsory_bytes" in result:
            self.identity["compulsory_bytes"] = result["compulsory_bytes"]

    def taps(self):
        return self.kernel[0] * self.kernel[1] * self.kernel[2]

    def shift(self, scipy_origin=False):
        """Output voxel o is voxel o + shift of the full convolution, per axis."""
        if self.mode == "valid":
            return tuple(min(n, k) - 1 for n, k in zip(self.image, self.kernel))
        if self.mode == "full":
            return (0, 0, 0)
        return tuple((k - 1) // 2 if scipy_origin else k // 2 for k in self.kernel)

    def output(self):
        if self.mode == "full":
            return tuple(n + k - 1 for n, k in zip(self.image, self.kernel))
        if self.mode == "valid":
            return tuple(abs(n - k) + 1 for n, k in zip(self.image, self.kernel))
        return self.image

    def padded(self, next_fast_len):
        if self.mode == "circular":
            return self.image
        return tuple(1 if n + k == 2 else next_fast_len(n + k - 1) for n, k in zip(self.image, self.kernel))

    def window(self):
        """The output in the padded product; in mode circular the kernel is rolled to its origin beforehand."""
        if self.mode == "circular":
            return (slice(None),) * 3
        return tuple(slice(s, s + n) for s, n in zip(self.shift(), self.output()))

    def sample_positions(self):
        """Corners and random voxels of the output."""
        chooser = random.Random(3)
        shape = self.output()
        chosen = {(z, y, x) for z in (0, shape[0] - 1) for y in (0, shape[1] - 1) for x in (0, shape[2] - 1)}
        wanted = min(NUM_SAMPLES, shape[0] * shape[1] * shape[2])
        while len(chosen) < wanted:
            chosen.add(tuple(chooser.randrange(n) for n in shape))
        return sorted(chosen)


class Library:
    """A way to convolve: load() makes arrays ready, convolve() is what is timed. The library's own words for arrays
    are in the few methods at the end."""
    name = ""
    backend = "cuda"

    def __init__(self, problem, threads):
        self.problem = problem
        self.threads = threads
        self.padded = None
        self.host_image = None

    def supports(self):
        return self.problem.batch == 1

    def shift(self):
        return self.problem.shift()

    def axes(self):
        """Axes of one voxel need no transform; counted from the end, for images may come in batches."""
        return tuple(a - 3 for a in range(3) if self.padded[a] > 1 or a == 2)

    def lengths(self):
        return tuple(self.padded[a] for a in self.axes())

    def place_kernel(self):
        """The kernel in a padded array of zeros: from index 0 on, or round its centre in mode circular, where it is
        added up if it is longer than the image."""
        origin = self.shift() if self.problem.mode == "circular" else (0, 0, 0)
        placed = self.kernel
        for axis in range(3):
            period = self.padded[axis]
            shape = list(placed.shape)
            shape[axis] = period
            wider = self.zeros(shape)
            for begin in range(0, self.problem.kernel[axis], period):  # within one period no place is met twice
                end = min(begin + period, self.problem.kernel[axis])
                to, part = [slice(None)] * 3, [slice(None)] * 3
                to[axis] = self.as_index([(t - origin[axis]) % period for t in range(begin, end)])
                part[axis] = slice(begin, end)
                wider[tuple(to)] += placed[tuple(part)]
            placed = wider
        return placed

    def direct_sum(self, position):
        """The definition at one output voxel, in double precision."""
        image, kernel, shift = self.last_image(), self.flipped_kernel(), self.shift()
        for axis in range(3):
            n, k = self.problem.image[axis], self.problem.kernel[axis]
            begin = position[axis] + shift[axis] - (k - 1)
            of_image, of_kernel = [slice(None)] * 3, [slice(None)] * 3
            if self.problem.mode == "circular":
                of_image[axis] = self.as_index([(begin + u) % n for u in range(k)])
            else:
                low, high = max(0, begin), min(n, begin + k)
                of_image[axis] = slice(low, high)
                of_kernel[axis] = slice(low - begin, high - begin)
            image = image[tuple(of_image)]
            kernel = kernel[tuple(of_kernel)]
        return float((self.to_double(image) * self.to_double(kernel)).sum())

    def last_image(self):
        return self.image if self.problem.batch == 1 else self.image[-1]

    def host_to_host(self):
        return self.convolve()

    def peak_bytes(self):
        return None

    def release(self):
        """Frees what the library keeps for later."""


class Scipy(Library):
    name = "scipy.fft"
    backend = "cpu"

    def supports(self):
        return True

    def load(self):
        import numpy
        import scipy
        import scipy.fft
        self.np, self.fft = numpy, scipy.fft
        self.libraries = {"scipy": scipy.__version__, "numpy": numpy.__version__}
        self.device, self.driver = processor_name(), f"scipy {scipy.__version__}"
        self.real = numpy.float32 if self.problem.precision == "f32" else numpy.float64
        generator = numpy.random.default_rng(1)
        images = (self.problem.batch,) if self.problem.batch > 1 else ()
        self.image = generator.standard_normal(images + self.problem.image, dtype=self.real)
        kernel = generator.standard_normal(self.problem.kernel, dtype=self.real)
        self.kernel = (kernel / numpy.sqrt((self.to_double(kernel) ** 2).sum())).astype(self.real)
        self.prepare()

    def prepare(self):
        self.padded = self.problem.padded(lambda n: self.fft.next_fast_len(n, real=True))
        self.spectrum = self.fft.rfftn(self.place_kernel(), axes=self.axes(), workers=self.threads)

    def convolve(self):
        how = {"s": self.lengths(), "axes": self.axes(), "workers": self.threads}
        transformed = self.fft.rfftn(self.image, **how)
        transformed *= self.spectrum
        whole = self.fft.irfftn(transformed, overwrite_x=True, **how)
        return self.np.ascontiguousarray(whole[(..., *self.problem.window())])

    def batch_seconds(self, count, operation):
        start = time.perf_counter()
        for _ in range(count):
            operation()
        return time.perf_counter() - start

    def zeros(self, shape):
        return self.np.zeros(shape, self.real)

    def as_index(self, values):
        return self.np.asarray(values)

    def to_double(self, array):
        return array.astype(self.np.float64)

    def flipped_kernel(self):
        return self.kernel[::-1, ::-1, ::-1]


class Ducc(Scipy):
    """The same with ducc0's transforms."""
    name = "ducc0"

    def prepare(self):
        import ducc0
        self.libraries["ducc0"] = ducc0.__version__
        self.driver = f"ducc0 {ducc0.__version__}"
        self.fft = ducc0.fft
        self.padded = self.problem.padded(lambda n: self.fft.good_size(n, True))
        self.spectrum = self.fft.r2c(self.place_kernel(), axes=self.absolute(self.place_kernel()), nthreads=self.threads)

    def absolute(self, array):
        """ducc0's last transformed axis comes last, and none is counted from the end."""
        return tuple(array.ndim + a for a in self.axes())

    def convolve(self):
        shape = list(self.image.shape)
        for axis, length in zip(self.axes(), self.lengths()):
            shape[axis] = length
        wide = self.zeros(shape)
        wide[(..., *(slice(n) for n in self.problem.image))] = self.image
        axes = self.absolute(wide)
        transformed = self.fft.r2c(wide, axes=axes, nthreads=self.threads)
        transformed *= self.spectrum
        whole = self.fft.c2r(transformed, axes=axes, lastsize=self.lengths()[-1], forward=False, inorm=2,
                             nthreads=self.threads)
        return self.np.ascontiguousarray(whole[(..., *self.problem.window())])


class ScipyFftconvolve(Scipy):
    name = "scipy fftconvolve"

    def supports(self):
        return self.problem.batch == 1 and self.problem.mode != "circular"

    def shift(self):
        return self.problem.shift(scipy_origin=True)

    def prepare(self):
        import scipy.signal
        self.signal = scipy.signal

    def convolve(self):
        return self.signal.fftconvolve(self.image, self.kernel, self.problem.mode)


class ScipyOaconvolve(ScipyFftconvolve):
    """Overlap-add, for images much longer than the kernel."""
    name = "scipy oaconvolve"

    def convolve(self):
        return self.signal.oaconvolve(self.image, self.kernel, self.problem.mode)


MOST_SUMMED_TAPS = 200  # of libraries that sum up: beyond, nobody would


class ScipyNdimage(Scipy):
    """Sums up, on one thread."""
    name = "scipy ndimage"

    def supports(self):
        return self.problem.batch == 1 and self.problem.mode == "same" and self.problem.taps() <= MOST_SUMMED_TAPS

    def prepare(self):
        import scipy.ndimage
        self.ndimage = scipy.ndimage

    def convolve(self):
        return self.ndimage.convolve(self.image, self.kernel, mode="constant")


class ScipyGaussian(ScipyNdimage):
    """One axis after the other, on one thread; its kernel is the Gaussian of 4 sigma that convoy's case has."""
    name = "scipy gaussian_filter"

    def supports(self):
        return self.problem.batch == 1 and is_gaussian_of_four_sigma(self.problem)

    def prepare(self):
        super().prepare()
        self.kernel = gaussian(self.np, self.problem)

    def convolve(self):
        return self.ndimage.gaussian_filter(self.image, self.problem.sigma, mode="constant")


class OpenCv(Scipy):
    """filter2D, which sums up kernels of 11 x 11 and smaller, and transforms for larger ones."""
    name = "OpenCV"

    def supports(self):
        flat = self.problem.image[0] == 1 and self.problem.kernel[0] == 1
        return flat and self.problem.batch == 1 and self.problem.mode == "same" and all(k % 2 for k in self.problem.kernel)

    def prepare(self):
        import cv2
        self.cv2 = cv2
        cv2.setNumThreads(self.threads)
        self.libraries["OpenCV"] = cv2.__version__
        self.driver = f"OpenCV {cv2.__version__}"
        self.mirrored = self.np.ascontiguousarray(self.flipped_kernel()[0])

    def convolve(self):
        return self.cv2.filter2D(self.image[0], -1, self.mirrored, borderType=self.cv2.BORDER_CONSTANT)[None]


class OpenCvGaussian(OpenCv):
    name = "OpenCV GaussianBlur"

    def supports(self):
        return super().supports() and is_gaussian_of_four_sigma(self.problem, flat=True)

    def prepare(self):
        super().prepare()
        self.kernel = gaussian(self.np, self.problem)

    def convolve(self):
        size = self.problem.kernel[2], self.problem.kernel[1]
        return self.cv2.GaussianBlur(self.image[0], size, self.problem.sigma, borderType=self.cv2.BORDER_CONSTANT)[None]


class Cupy(Library):
    name = "CuPy"

    def load(self):
        import cupy
        import cupyx.scipy.fft
        self.cp, self.fft = cupy, cupyx.scipy.fft
        if cupy.cuda.runtime.getDeviceCount() == 0:
            raise ImportError("CuPy sees no device")
        self.libraries = {"CuPy": cupy.__version__}
        self.device = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
        self.driver = f"CUDA driver {cupy.cuda.runtime.driverGetVersion()}"
        self.real = cupy.float32 if self.problem.precision == "f32" else cupy.float64
        generator = cupy.random.default_rng(1)
        self.image = generator.standard_normal(self.problem.image, dtype=self.real)
        kernel = generator.standard_normal(self.problem.kernel, dtype=self.real)
        self.kernel = (kernel / cupy.sqrt((self.to_double(kernel) ** 2).sum())).astype(self.real)
        self.prepare()

    def prepare(self):
        self.padded = self.problem.padded(lambda n: self.fft.next_fast_len(n, real=True))
        self.spectrum = self.cp.fft.rfftn(self.place_kernel(), axes=self.axes())

    def convolve_array(self, image):
        transformed = self.cp.fft.rfftn(image, s=self.lengths(), axes=self.axes())
        transformed *= self.spectrum
        whole = self.cp.fft.irfftn(transformed, s=self.lengths(), axes=self.axes())
        return self.cp.ascontiguousarray(whole[self.problem.window()])

    def convolve(self):
        return self.convolve_array(self.image)

    def host_to_host(self):
        if self.host_image is None:
            self.host_image = self.cp.asnumpy(self.image)
        return self.cp.asnumpy(self.convolve_array(self.cp.asarray(self.host_image)))

    def batch_seconds(self, count, operation):
        start, stop = self.cp.cuda.Event(), self.cp.cuda.Event()
        start.record()
        for _ in range(count):
            operation()
        stop.record()
        stop.synchronize()
        return 1e-3 * self.cp.cuda.get_elapsed_time(start, stop)

    def peak_bytes(self):
        return self.cp.get_default_memory_pool().total_bytes()

    def release(self):
        self.cp.fft.config.get_plan_cache().clear()
        self.cp.get_default_memory_pool().free_all_blocks()
        self.cp.get_default_pinned_memory_pool().free_all_blocks()

    def zeros(self, shape):
        return self.cp.zeros(shape, self.real)

    def as_index(self, values):
        return self.cp.asarray(values)

    def to_double(self, array):
        return array.astype(self.cp.float64)

    def flipped_kernel(self):
        return self.kernel[::-1, ::-1, ::-1]


class CupyFftconvolve(Cupy):
    name = "cupyx fftconvolve"

    def supports(self):
        return super().supports() and self.problem.mode != "circular"

    def shift(self):
        return self.problem.shift(scipy_origin=True)

    def prepare(self):
        import cupyx.scipy.signal
        self.signal = cupyx.scipy.signal

    def convolve_array(self, image):
        return self.signal.fftconvolve(image, self.kernel, self.problem.mode)


class CupyNdimage(Cupy):
    """Sums up, like its model in SciPy."""
    name = "cupyx ndimage"

    def supports(self):
        return super().supports() and self.problem.mode == "same" and self.problem.taps() <= MOST_SUMMED_TAPS

    def prepare(self):
        import cupyx.scipy.ndimage
        self.ndimage = cupyx.scipy.ndimage

    def convolve_array(self, image):
        return self.ndimage.convolve(image, self.kernel, mode="constant")


class CupyGaussian(CupyNdimage):
    """One axis after the other; its kernel is the Gaussian of 4 sigma that convoy's case has."""
    name = "cupyx gaussian_filter"

    def supports(self):
        return self.problem.batch == 1 and is_gaussian_of_four_sigma(self.problem)

    def prepare(self):
        super().prepare()
        self.kernel = gaussian(self.cp, self.problem)

    def convolve_array(self, image):
        return self.ndimage.gaussian_filter(image, self.problem.sigma, mode="constant")


class Torch(Library):
    name = "PyTorch"

    def supports(self):
        return True

    def load(self):
        import torch
        self.torch = torch
        if not self.is_usable():
            raise ImportError("PyTorch sees no CUDA device")
        self.libraries = {"PyTorch": torch.__version__}
        self.device, self.driver = torch.cuda.get_device_name(0), f"CUDA {torch.version.cuda}"
        torch.cuda.reset_peak_memory_stats()
        self.real = torch.float32 if self.problem.precision == "f32" else torch.float64
        images = (self.problem.batch,) if self.problem.batch > 1 else ()
        self.image = torch.randn(images + self.problem.image, device=self.place(), dtype=self.real)
        kernel = torch.randn(self.problem.kernel, device=self.place(), dtype=self.real)
        self.kernel = (kernel / self.to_double(kernel).square().sum().sqrt()).to(self.real)
        self.flipped = self.kernel.flip((0, 1, 2))
        self.prepare()

    def prepare(self):
        self.padded = self.problem.padded(next_7_smooth)
        self.spectrum = self.torch.fft.rfftn(self.place_kernel(), dim=self.axes())

    def is_usable(self):
        return self.torch.cuda.is_available()

    def place(self):
        return "cuda"

    def convolve_array(self, image):
        transformed = self.torch.fft.rfftn(image, s=self.lengths(), dim=self.axes())
        transformed *= self.spectrum
        whole = self.torch.fft.irfftn(transformed, s=self.lengths(), dim=self.axes())
        return whole[(..., *self.problem.window())].contiguous()

    def convolve(self):
        return self.convolve_array(self.image)

    def host_to_host(self):
        if self.host_image is None:
            self.host_image = self.image.cpu()
        return self.convolve_array(self.host_image.cuda()).cpu()

    def batch_seconds(self, count, operation):
        start, stop = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(count):
            operation()
        stop.record()
        stop.synchronize()
        return 1e-3 * start.elapsed_time(stop)

    def peak_bytes(self):
        return self.torch.cuda.max_memory_reserved()

    def release(self):
        self.torch.backends.cuda.cufft_plan_cache.clear()
        self.torch.cuda.empty_cache()
        self.torch.cuda.reset_peak_memory_stats()

    def zeros(self, shape):
        return self.torch.zeros(shape, device=self.place(), dtype=self.real)

    def as_index(self, values):
        return self.torch.as_tensor(values, device=self.place())

    def to_double(self, array):
        return array.double()

    def flipped_kernel(self):
        return self.flipped


class TorchConv(Torch):
    """torch.nn.functional.conv2d and conv3d, which are cuDNN, in full single precision."""
    name = "PyTorch conv"

    def supports(self):
        return (self.problem.batch == 1 and self.problem.mode == "same" and self.problem.taps() <= MOST_SUMMED_TAPS
                and all(k % 2 == 1 for k in self.problem.kernel))

    def prepare(self):
        self.torch.backends.cudnn.allow_tf32 = False
        self.torch.backends.cudnn.benchmark = True
        flat = self.problem.image[0] == 1 and self.problem.kernel[0] == 1
        functional = self.torch.nn.functional
        self.call = functional.conv2d if flat else functional.conv3d
        self.weight = self.flipped[None] if flat else self.flipped[None, None]
        self.padding = tuple(k // 2 for k in self.problem.kernel[1 if flat else 0:])

    def convolve_array(self, image):
        batch = image[None] if self.call is self.torch.nn.functional.conv2d else image[None, None]
        return self.call(batch, self.weight, padding=self.padding).view(self.problem.image)


LIBRARIES = {"cupy": Cupy, "cupyx": CupyFftconvolve, "torch": Torch, "cupyx-ndimage": CupyNdimage, "cupyx-gaussian": CupyGaussian,
             "torch-conv": TorchConv, "scipy": Scipy, "scipy-fftconvolve": ScipyFftconvolve, "scipy-oaconvolve": ScipyOaconvolve,
             "scipy-ndimage": ScipyNdimage, "scipy-gaussian": ScipyGaussian, "ducc": Ducc, "opencv": OpenCv,
             "opencv-gaussian": OpenCvGaussian}


def is_gaussian_of_four_sigma(problem, flat=False):
    """What gaussian_filter's own defaults make of sigma; with `flat` in a plane."""
    sigma = problem.sigma
    return (sigma is not None and problem.mode == "same"
            and all(k == 2 * int(4 * sigma + 0.5) + 1 for k in problem.kernel[1 if flat else 0:]))


def gaussian(library, problem):
    """The kernel of that, in double precision; library: numpy or what is like it."""
    along = []
    for size in problem.kernel:
        position = library.arange(size, dtype=library.float64) - size // 2
        weight = library.exp(-0.5 * (position / problem.sigma) ** 2)
        along.append(weight / weight.sum())
    z, y, x = along
    return z[:, None, None] * y[:, None] * x


def next_7_smooth(at_least):
    """PyTorch offers no such function; cuFFT likes these lengths."""
    while True:
        rest = at_least
        for factor in (2, 3, 5, 7):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return at_least
        at_least += 1


def processor_name():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"

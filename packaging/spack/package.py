from spack.package import *


class Convoy(CMakePackage):
    """Convolution on any device: images of any size, on CUDA, HIP, Vulkan or the CPU."""

    version("main", branch="main")

    variant("shared", default=True, description="Shared libraries")
    variant("io", default=True, description="Image files and the command line")
    variant("mpi", default=False, description="convoy-mpi", when="+io")
    variant("vulkan", default=False, description="The Vulkan backend")

    depends_on("cxx", type="build")
    depends_on("cmake@3.22:", type="build")
    depends_on("git", type="build")
    depends_on("fmt")
    depends_on("nlohmann-json")
    depends_on("xxhash")
    depends_on("fftw precision=float,double", type="run")
    depends_on("mpi", when="+mpi")
    with when("+io"):
        depends_on("cli11")
        depends_on("libtiff@4.1:")
        depends_on("libpng")
        depends_on("pugixml")
        depends_on("zlib-api")
        depends_on("zstd")
        depends_on("c-blosc")
    with when("+vulkan"):
        depends_on("vulkan-headers")
        depends_on("glslang")

    def cmake_args(self):
        choose = self.define_from_variant
        return [
            choose("BUILD_SHARED_LIBS", "shared"),
            choose("CONVOY_IO", "io"),
            choose("CONVOY_BUILD_CLI", "io"),
            choose("CONVOY_MPI", "mpi"),
            choose("CONVOY_VULKAN", "vulkan"),
            self.define("CONVOY_BUILD_TESTS", False),
            self.define("CONVOY_BUILD_BENCHMARKS", False),
            self.define("CONVOY_FETCH_VKFFT", True),
            self.define("CONVOY_FETCH_DUCC", True),
        ]

# A packager puts the release's address in: url and sha256 beside head.
class Convoy < Formula
  desc "Convolution on any device: images of any size, on CUDA, HIP, Vulkan or the CPU"
  license "MIT"
  head "file://#{File.expand_path("../..", __dir__)}", using: :git, branch: "main"

  depends_on "cli11" => :build
  depends_on "cmake" => :build
  depends_on "ninja" => :build
  depends_on "nlohmann-json" => :build
  depends_on "vulkan-headers" => :build
  depends_on "xxhash" => :build
  depends_on "c-blosc"
  depends_on "fftw"
  depends_on "fmt"
  depends_on "glslang"
  depends_on "libpng"
  depends_on "libtiff"
  depends_on "pugixml"
  depends_on "zstd"
  uses_from_macos "zlib"

  def install
    system "cmake", "-S", ".", "-B", "out", "-G", "Ninja", *std_cmake_args, "-DBUILD_SHARED_LIBS=ON",
           "-DCONVOY_BUILD_TESTS=OFF", "-DCONVOY_BUILD_BENCHMARKS=OFF", "-DCONVOY_FETCH_VKFFT=ON", "-DCONVOY_FETCH_DUCC=ON"
    system "cmake", "--build", "out"
    system "cmake", "--install", "out"
  end

  test do
    system bin/"convoy", "selftest", "--backend", "cpu"
  end
end

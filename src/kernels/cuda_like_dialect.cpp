#include <fmt/format.h>

#include "kernels/dialects.hpp"
#include "kernels/voxel_conversions.hpp"

namespace convoy::inline v0 {
namespace {

const char* cuda_type(Element voxel) {
  switch (voxel) {
    case Element::u8:
      return "unsigned char";
    case Element::u16:
      return "unsigned short";
    case Element::f32:
      return "float";
    case Element::f64:
      return "double";
    case Element::i8:
      return "signed char";
    case Element::i16:
      return "short";
    case Element::u32:
      return "unsigned int";
    case Element::i32:
      return "int";
    case Element::f16:
    case Element::bf16:
      return "unsigned short";
    case Element::c64:
    case Element::c128:
      break;  // no kernel has buffers of them
  }
  return "";
}

const ConversionWords kCudaWords{"__device__ ", "__uint_as_float", "__float_as_uint",
                                 [](Element element) { return fmt::format("({})", cuda_type(element)); }};

/// KernelSpec::uses_tickets. What others wrote is fetched from the second-level cache, to which they released it, past
/// the first-level one: an acquire would empty that, and every group would look up its factors anew. What comes from
/// and goes to memory only once leaves that cache to them. CUDA begins workgroups in the order of their numbers, which
/// CUB's scans rely on, too; elsewhere tickets are taken from a counter. DISCARD: 128 bytes that are not read any more
/// until they have been written again; the cache need not write them to memory (discard_line: a device that tests
/// this).
constexpr const char* kTickets = R"(
#define IS_FIRST (threadIdx.x == 0u && threadIdx.y == 0u)
#if defined(__CUDA_ARCH__)
#define PAIR_BARRIER(pair, pairs, threads) \
  if (pair < pairs) asm volatile("bar.sync %0, %1;" : : "r"(pair + 1u), "n"(threads) : "memory")
#define TAKE_TICKET(counter, ticket) uint ticket = blockIdx.x
#else
#define PAIR_BARRIER(pair, pairs, threads) __syncthreads()
#define TAKE_TICKET(counter, ticket) \
  __shared__ uint ticket_of_group; \
  if (IS_FIRST) ticket_of_group = atomicInc(counter, gridDim.x - 1u); \
  __syncthreads(); \
  uint ticket = ticket_of_group
#endif
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
#define DISCARD(first) asm volatile("discard.global.L2 [%0], 128;" : : "l"(first) : "memory")
#elif defined(discard_line)
#define DISCARD(first) discard_line(first)
#else
#define DISCARD(first)
#endif
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 700
__device__ __forceinline__ uint arrivals(const uint* counter) {
  uint value;
  asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(counter) : "memory");
  return value;
}
__device__ __forceinline__ void signal_arrival(uint* counter, uint last) {
  asm volatile("red.release.gpu.global.inc.u32 [%0], %1;" : : "l"(counter), "r"(last) : "memory");
}
#else
__device__ __forceinline__ uint arrivals(uint* counter) {
  uint value = atomicAdd(counter, 0u);
  __threadfence();
  return value;
}
__device__ __forceinline__ void signal_arrival(uint* counter, uint last) {
  __threadfence();
  atomicInc(counter, last);
}
#endif
#define ARRIVE(counter, all) \
  __syncthreads(); \
  if (IS_FIRST) signal_arrival(counter, (all) - 1u)
#define AWAIT(counter, enough, all) \
  if (IS_FIRST) { \
    while (arrivals(counter) < (enough)) {} \
    atomicInc(counter, (all) - 1u); \
  } \
  __syncthreads()
)";

}  // namespace

std::string to_cuda(const KernelSpec& kernel, Precision precision) {
  const char* const real = precision == Precision::f64 ? "double" : "float";
  std::string arguments;
  for (const KernelBuffer& buffer : kernel.buffers) {
    arguments += fmt::format("{}{}{}* {}", arguments.empty() ? "" : ", ", buffer.writable ? "" : "const ",
                             type_of(buffer, "unsigned int", cuda_type), buffer.name);
  }
  for (const KernelSpec::Parameter& parameter : kernel.parameters) {
    arguments +=
        fmt::format(", {} {}", parameter.kind == KernelSpec::Parameter::Kind::u32 ? "uint" : "float", parameter.name);
  }
  std::string sharing;
  if (kernel.num_shared > 0) {
    sharing = fmt::format(
        "typedef unsigned long long wide;\n"
        "#define to_real2(x, y) make_{}2(x, y)\n"
        "#define CURSOR(buffer, name, first) auto name = buffer + (first)\n"
        "#define ELEMENT(buffer, name, offset) name[offset]\n"
        "#if defined(__CUDA_ARCH__) && defined(USES_TICKETS)\n"
        "#define FETCH(buffer, name, offset) __ldcg(name + (offset))\n"
        "#define LOAD_STREAMING(buffer, name, offset) __ldcs(name + (offset))\n"
        "#define STORE_STREAMING(buffer, name, offset, value) __stcs(name + (offset), value)\n"
        "#else\n"
        "#define FETCH(buffer, name, offset) name[offset]\n"
        "#define LOAD_STREAMING(buffer, name, offset) name[offset]\n"
        "#define STORE_STREAMING(buffer, name, offset, value) name[offset] = value\n"
        "#endif\n"
        "#define IS_PAIR_ALIGNED(buffer) ((wide)(buffer) % sizeof(real2) == 0)\n"
        "#if defined(__CUDA_ARCH__)\n"
        "#define STORE_PAIR(buffer, name, offset, x, y) __stcs((real2*)(name + (offset)), to_real2(x, y))\n"
        "#define KEEP_CURSOR(name) asm(\"\" : \"+l\"(name))\n"
        "#define LOAD_KEPT(buffer, name, offset) __ldg(name + (offset))\n"
        "#else\n"
        "#define STORE_PAIR(buffer, name, offset, x, y) *(real2*)(name + (offset)) = to_real2(x, y)\n"
        "#define KEEP_CURSOR(name)\n"
        "#define LOAD_KEPT(buffer, name, offset) name[offset]\n"
        "#endif\n"
        "#if defined(__CUDA_ARCH__)\n"
        "#define PREFETCH(buffer, first) asm volatile(\"prefetch.global.L2 [%0];\" : : \"l\"(buffer + (first)))\n"
        "#else\n"
        "#define PREFETCH(buffer, first)\n"
        "#endif\n"
        "#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900\n"
        "#define await_predecessor() asm volatile(\"griddepcontrol.launch_dependents; griddepcontrol.wait;\" ::: "
        "\"memory\")\n"
        "#else\n"
        "#define await_predecessor()\n"
        "#endif\n"
        "#define low_bits(x) {}\n"
        "#define group_barrier() __syncthreads()\n"
        "#define local_x threadIdx.x\n"
        "#define local_y threadIdx.y\n"
        "#define group_x blockIdx.x\n"
        "#define group_y blockIdx.y\n"
        "#define group_z blockIdx.z\n"
        "extern __shared__ {}2 shared_values[];\n",
        real, precision == Precision::f64 ? "uint(x)" : "(__float_as_uint(x) & 0x7fffffu)", real);
  }
  if (kernel.uses_tickets) sharing = "#define USES_TICKETS\n" + sharing + kTickets;
  const std::uint32_t threads = kernel.workgroup[0] * kernel.workgroup[1] * kernel.workgroup[2];
  std::string bounds = kernel.num_shared > 0 ? fmt::format(" __launch_bounds__({})", threads) : "";
  if (kernel.min_threads_per_sm > threads) {  // in HIP the second number means something else
    sharing += fmt::format(
        "#if defined(__CUDA_ARCH__)\n"
        "#define BOUNDS __launch_bounds__({0}, {1})\n"
        "#else\n"
        "#define BOUNDS __launch_bounds__({0})\n"
        "#endif\n",
        threads, kernel.min_threads_per_sm / threads);
    bounds = " BOUNDS";
  }
  return indented(
      fmt::format("typedef unsigned int uint;\n"
                  "typedef {0} real;\n"
                  "typedef {0}2 real2;\n"
                  "#define natural_log(value) log(value)\n"
                  "{4}"
                  "extern \"C\" __global__ void{5} {1}({2}) {{\n"
                  "uint thread_x = blockIdx.x * blockDim.x + threadIdx.x;\n"
                  "uint thread_y = blockIdx.y * blockDim.y + threadIdx.y;\n"
                  "uint thread_z = blockIdx.z * blockDim.z + threadIdx.z;\n"
                  "{3}"
                  "}}\n",
                  real, kernel.name, arguments, with_doubles(kernel.body, ""),
                  sharing + voxel_conversions(kernel, kCudaWords), bounds));
}

}  // namespace convoy::inline v0

// repairs.hpp: VkFFT 1.3.4, repaired from outside so that a zero-padded real convolution can run fused.
//
// Include this file INSTEAD of vkFFT.h, in the translation unit that owns a backend's use of VkFFT. VkFFT's files stay
// untouched, and since all of VkFFT is `static inline`, other translation units are not affected.
//
// How: VkFFT is a set of functions that print shader text. For each faulty one, the VkFFT header that defines it is
// included with that name turned into stock_<name> by a macro; the right function is then written under the original
// name, and every caller further on in VkFFT finds the repaired one. Line numbers in comments are those of the release.
//
// Inside a namespace: this file and VkFFT may be included there (one namespace per backend keeps VkFFT's types of
// different backends apart) if the system headers that VkFFT names were included before, at global scope:
//   always  inttypes.h locale.h math.h memory.h stdio.h stdlib.h string.h
//   Vulkan  vulkan/vulkan.h, glslang's glslang_c_interface.h
//   CUDA    nvrtc.h cuda.h cuda_runtime.h cuda_runtime_api.h cuComplex.h
//   HIP     hip/hiprtc.h hip/hip_runtime.h hip/hip_runtime_api.h hip/hip_complex.h
//
// Needs C++20, and strict floating point (no -ffast-math) like all of VkFFT. The rules for padding, odd sizes and
// limits are in vkfft_convolution.hpp.
#ifndef CONVOY_BACKENDS_VKFFT_REPAIRS_HPP
#define CONVOY_BACKENDS_VKFFT_REPAIRS_HPP

#if defined(VKFFT_H) || defined(VKFFT_STRUCTS_H)
#error "repairs.hpp must be included instead of vkFFT.h, not after it: the faulty functions are already in place"
#endif
#ifndef VKFFT_BACKEND
#error "define VKFFT_BACKEND (0 Vulkan, 1 CUDA, 2 HIP, 3 OpenCL) first: VkFFT would silently take Vulkan"
#endif
#ifdef VKFFT_USE_DOUBLEDOUBLE_FP128
#error "repairs.hpp does not cover VkFFT's quadruple precision"
#endif

// The vocabulary that vkFFT.h sets before its own includes, needed here because parts of VkFFT come in earlier. vkFFT.h
// sets it once more further down: equal tokens make that legal, and the compiler reports any difference.
#define VKFFT_ZERO_INIT {}
#ifndef VKFFT_MAX_FFT_DIMENSIONS
#define VKFFT_MAX_FFT_DIMENSIONS 4
#endif
#define pfLD long double
#define pfUINT uint64_t
#define pfINT int64_t
#define pfsin sin
#define pfcos cos
#define pfceil ceil
#define pffloor floor
#define pfsqrt sqrt
#define pfFPinit(x) strtold(x, 0)
#if VKFFT_BACKEND == 1 && !defined(CUDA_TOOLKIT_ROOT_DIR)
#define CUDA_TOOLKIT_ROOT_DIR ""  // only half precision uses it, but the text must compile
#endif

// ---------------------------------------------------------------------------------------------------------------------
// Repair 1: zero padding of y, as seen by the pass over x
//
// Defect: the x pass moves a row only if the row lies INSIDE the padded block [left, right) of axis 1, on reading as on
// writing: the image is dropped, the padding is transformed (vkFFT_Zeropad.h:28, called from vkFFT_ReadWrite.h:702).
// Right: a row is moved if it lies outside the block. The shader raises a flag, lowers it inside the block, and guards
// the transfer with the flag. So Start leaves one brace open and End closes one; the stock pair opens and closes two.
// ---------------------------------------------------------------------------------------------------------------------
#define checkZeropadStart_otherAxes stock_checkZeropadStart_otherAxes
#define checkZeropadEnd_otherAxes stock_checkZeropadEnd_otherAxes
#include "vkFFT/vkFFT_CodeGen/vkFFT_KernelsLevel0/vkFFT_Zeropad.h"
#undef checkZeropadStart_otherAxes
#undef checkZeropadEnd_otherAxes

namespace vkfft_repairs {

// True if the padding of `axis` empties whole lines of the present pass. Padding in space does so in the passes over
// lower axes, which come before `axis` on the way forward and after it on the way back; padding in frequency, in the
// passes over higher axes.
static inline bool padding_empties_lines(const VkFFTSpecializationConstantsLayout* sc, int axis) {
  const bool other_side = sc->frequencyZeropadding ? axis < sc->axis_id : axis > sc->axis_id && axis < sc->numFFTdims;
  return other_side && sc->performZeropaddingFull[axis] &&
         sc->fft_zeropad_left_full[axis].data.i < sc->fft_zeropad_right_full[axis].data.i;
}

}  // namespace vkfft_repairs

static inline void checkZeropadStart_otherAxes(VkFFTSpecializationConstantsLayout* sc, PfContainer* location,
                                               int axis) {
  if (sc->res != VKFFT_SUCCESS || !vkfft_repairs::padding_empties_lines(sc, axis)) return;
  PfContainer zero = VKFFT_ZERO_INIT;
  zero.type = 31;  // an integer known while the shader is printed
  PfContainer one = zero;
  one.data.i = 1;
  PfContainer* const wanted = &sc->tempInt;  // scratch variable of the shader, free at this point
  PfMov(sc, wanted, &one);
  PfIf_ge_start(sc, location, &sc->fft_zeropad_left_full[axis]);
  PfIf_lt_start(sc, location, &sc->fft_zeropad_right_full[axis]);
  PfSetToZero(sc, wanted);
  PfIf_end(sc);
  PfIf_end(sc);
  PfIf_gt_start(sc, wanted, &zero);
}

static inline void checkZeropadEnd_otherAxes(VkFFTSpecializationConstantsLayout* sc, int axis) {
  if (sc->res != VKFFT_SUCCESS || !vkfft_repairs::padding_empties_lines(sc, axis)) return;
  PfIf_end(sc);
}

// ---------------------------------------------------------------------------------------------------------------------
// Repair 2: which plane of the kernel spectrum belongs to a line, in three dimensions and more
//
// Defect: the part of the kernel index that comes from the outer axes is added to shiftZ, which is the offset of the
// DATA (vkFFT_ReadWrite.h:364). The product reads the wrong plane of the spectrum, and the result goes to twice the
// right offset, past the end of the buffer.
// Right: it belongs in blockInvocationID, to which the same function adds everything else. While the stock function
// runs, shiftZ is made a second name of that shader variable; its own name comes back afterwards.
// ---------------------------------------------------------------------------------------------------------------------
#define appendKernelOffset stock_appendKernelOffset
#include "vkFFT/vkFFT_CodeGen/vkFFT_KernelsLevel1/vkFFT_ReadWrite.h"
#undef appendKernelOffset

static inline void appendKernelOffset(VkFFTSpecializationConstantsLayout* sc, int readWrite, int type) {
  const PfContainer data_offset = sc->shiftZ;
  sc->shiftZ = sc->blockInvocationID;
  stock_appendKernelOffset(sc, readWrite, type);
  sc->shiftZ = data_offset;
}

// ---------------------------------------------------------------------------------------------------------------------
// Repair 3: the product with the kernel spectrum, for lengths that the threads do not divide
// Repair 4: conjugateConvolution = 2, the correlation with the kernel (adjoint of the convolution)
//
// Defect 3: a line of fftDim elements takes ceil(fftDim / threads) registers in each thread. If only some threads use
// the last one, its guards are opened (vkFFT_Convolution.h:259; on strided axes also in the switch below) and never
// closed, and line 432 opens one more instead of closing: one brace is missing along x, three on strided axes. The
// shader does not compile; lengths 21, 22, 26, 33, 39, 44, 52 and more, depending on the device.
// Right: that register is the last turn of the loop, and only closing braces follow it, so the missing ones may be
// printed after the function is done.
//
// Defect 4: the value 2 is documented as "conjugate the kernel", but only 1, "conjugate the data", is ever tested
// (vkFFT_Convolution.h:364): 2 silently gives the plain convolution.
// Right: conj(K) X = conj(K conj(X)). Ask for 1 and conjugate the product, which lies in the first registers.
// (For one coordinate; matrixConvolution > 1 is not covered.)
// ---------------------------------------------------------------------------------------------------------------------
#define appendKernelConvolution stock_appendKernelConvolution
#include "vkFFT/vkFFT_CodeGen/vkFFT_KernelsLevel1/PrePostProcessing/vkFFT_Convolution.h"
#undef appendKernelConvolution

static inline void appendKernelConvolution(VkFFTSpecializationConstantsLayout* sc, pfUINT strideType) {
  if (sc->res != VKFFT_SUCCESS) return;
  const pfINT length = sc->fftDim.data.i;
  const pfINT threads = sc->stridedSharedLayout ? sc->localSize[1].data.i : sc->localSize[0].data.i;
  const pfINT num_registers = (length + threads - 1) / threads;
  const bool last_register_is_partial = num_registers * threads > length;
  const auto conjugation = sc->conjugateConvolution;

  if (conjugation == 2) sc->conjugateConvolution = 1;
  stock_appendKernelConvolution(sc, strideType);
  sc->conjugateConvolution = conjugation;
  if (sc->res != VKFFT_SUCCESS) return;

  if (last_register_is_partial) {
    const int num_open_braces = strideType == 0 ? 1 : 3;
    for (int i = 0; i < num_open_braces; ++i) PfIf_end(sc);
  }
  if (conjugation == 2) {
    for (pfINT i = 0; i < num_registers; ++i) PfConjugate(sc, &sc->regIDs[i], &sc->regIDs[i]);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The rest of VkFFT, and the guards
//
// VkFFT gives its version only through the function VkFFTGetVersion(), which is not constexpr. The macro makes it so
// ("int constexpr f()" is good C++), and the check needs no run. The number is not proof: the development snapshot of
// March 2024 calls itself 10304 too, and is recognised by a field that the release lacks. The build compares
// checksums too. Any other VkFFT needs a fresh look at every repair: to repair what is already right does harm.
// ---------------------------------------------------------------------------------------------------------------------
#define VkFFTGetVersion constexpr VkFFTGetVersion
#include "vkFFT.h"
#undef VkFFTGetVersion

static_assert(VkFFTGetVersion() == 10304,
              "repairs.hpp fits VkFFT 1.3.4 only: include vkFFT.h instead and leave the fused convolution off");

namespace vkfft_repairs {

template <class Configuration>
inline constexpr bool is_development_snapshot = requires(Configuration c) { c.singleKernelMultipleBatches; };

static_assert(!is_development_snapshot<VkFFTConfiguration>,
              "repairs.hpp fits the release of VkFFT 1.3.4, not its development branch");

// ---------------------------------------------------------------------------------------------------------------------
// Repair 5: the result of a convolution in a buffer of its own
//
// Defect: with performConvolution and isOutputFormatted, the fused pass writes the WORK buffer with the strides of the
// OUTPUT (vkFFT_Plan_FFT.h:335 forgets to exclude convolutions). Results are garbage.
// Right: configure isInputFormatted = 1 and inverseReturnToInputBuffer = 1, which alone is a correct convolution in
// place of the unpadded image; after initializeVkFFT, point the one pass that writes the result, the last of the
// inverse x passes, at another buffer of the input's size and strides. x must take a single upload. The redirection
// holds as long as VkFFT does not bind its buffers again: give all of them in the configuration, and none, or the same
// pointers, at launch.
// ---------------------------------------------------------------------------------------------------------------------
static inline VkFFTAxis* output_pass(VkFFTApplication* app) {
  VkFFTPlan* const inverse = app->localFFTPlan_inverse;
  return &inverse->axes[0][inverse->numAxisUploads[0] - 1];
}

#if VKFFT_BACKEND == 0
// Rewrites a descriptor set: no command buffer that uses the app may be pending.
static inline void redirect_output(VkFFTApplication* app, VkBuffer output) {
  const VkDescriptorBufferInfo buffer{output, 0, VK_WHOLE_SIZE};
  VkWriteDescriptorSet write{};
  write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
  write.dstSet = output_pass(app)->descriptorSet;
  write.dstBinding = 1;  // 0 is the pass's input
  write.descriptorCount = 1;
  write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
  write.pBufferInfo = &buffer;
  vkUpdateDescriptorSets(app->configuration.device[0], 1, &write, 0, nullptr);
}
#elif VKFFT_BACKEND == 1 || VKFFT_BACKEND == 2
// VkFFT reads *output at every launch, so `output` must outlive the app. To rebind later, assign to *output.
static inline void redirect_output(VkFFTApplication* app, void** output) { output_pass(app)->outputBuffer = output; }
#elif VKFFT_BACKEND == 3
// As for CUDA and HIP: *output is read at every launch.
static inline void redirect_output(VkFFTApplication* app, cl_mem* output) { output_pass(app)->outputBuffer = output; }
#endif

}  // namespace vkfft_repairs

#endif  // CONVOY_BACKENDS_VKFFT_REPAIRS_HPP

// The convolution of one tile through VkFFT. Included inside a backend's namespace, after vkfft_app.hpp.

/// VkFFT wants x first; a geometry of device order is that already.
struct ConvolutionConfiguration {
  explicit ConvolutionConfiguration(const FftGeometry& geometry) : g(geometry) {
    for (int axis = 0; axis < 3; ++axis) {
      const bool untransformed = axis >= g.num_axes;
      if (g.extent[axis] < 1 || g.extent[axis] > g.padded[axis] || (untransformed && g.padded[axis] != 1)) {
        throw Error(Errc::invalid_argument,
                    fmt::format("a program of {} transformed axes has extent {} in a transform of {} on device axis {}",
                                g.num_axes, g.extent[axis], g.padded[axis], axis));
      }
    }
    if (g.row_pitch < g.padded[0] / 2 + 1) {
      throw Error(
          Errc::invalid_argument,
          fmt::format("rows of {} complex numbers cannot hold the transform of {} reals", g.row_pitch, g.padded[0]));
    }
  }

  /// Lines are transformed as images of one row: VkFFT's 1-D convolution divides by zero.
  int num_dimensions() const { return std::max(g.num_axes, 2); }
  pfUINT extent(int axis) const { return static_cast<pfUINT>(g.extent[axis]); }
  pfUINT padded(int axis) const { return static_cast<pfUINT>(g.padded[axis]); }
  pfUINT row_pitch() const { return static_cast<pfUINT>(g.row_pitch); }

  VkFFTConfiguration common() const {
    VkFFTConfiguration c{};
    c.doublePrecision = g.precision == Precision::f64;
    c.normalize = 1;
    c.coalescedMemory = g.tuning.coalesced_bytes;
    c.aimThreads = g.tuning.aim_threads;
    return c;
  }

  /// All axes of the spectrum, reals to complex, strides of the spectrum.
  VkFFTConfiguration whole() const {
    VkFFTConfiguration c = common();
    c.FFTdim = static_cast<pfUINT>(num_dimensions());
    c.performR2C = 1;
    pfUINT stride = row_pitch();
    for (int axis = 0; axis < num_dimensions(); ++axis) {
      c.size[axis] = padded(axis);
      c.bufferStride[axis] = stride;
      if (axis + 1 < 3) stride *= padded(axis + 1);
    }
    return c;
  }

  /// Reads extent, takes the rest of the axis as zero; writes back extent only.
  void pad(VkFFTConfiguration& c, int axis) const {
    if (g.extent[axis] == g.padded[axis]) return;
    c.performZeropadding[axis] = 1;
    c.fft_zeropad_left[axis] = extent(axis);
    c.fft_zeropad_right[axis] = padded(axis);
  }

  FftGeometry g;
};

/// Spectrum in place: padded reals in rows of 2 * row_pitch to their transform, in the order that the convolutions of
/// the same geometry expect. That order is VkFFT's own: only a convolution on the same device may read it.
template <class Handles>
class KernelTransform {
 public:
  using App = VkfftApp<Handles>;

  KernelTransform(const Handles& handles, const FftGeometry& geometry, typename App::Buffer spectrum)
      : app_(handles, configuration(geometry),
             {.work = {spectrum, geometry.spectrum_bytes()}, .input = {}, .kernel = {}}) {}

  void rebind(typename App::Buffer spectrum) { app_.rebind(spectrum); }
  void append(typename App::Target& target) { app_.append(target, App::kForward); }

 private:
  static VkFFTConfiguration configuration(const FftGeometry& geometry) {
    VkFFTConfiguration c = ConvolutionConfiguration(geometry).whole();
    c.kernelConvolution = 1;
    c.makeForwardPlanOnly = 1;
    return c;
  }

  App app_;
};

/// Padding, product and cropping inside the passes. The image is replaced by the result; planes of work beyond the
/// image are never touched, so it need not hold them.
template <class Handles>
class FusedConvolution {
 public:
  using App = VkfftApp<Handles>;
  using Buffer = typename App::Buffer;

  /// Throws Error(unsupported) with the reason when VkFFT would not do this shape right.
  FusedConvolution(const Handles& handles, const FftGeometry& geometry, bool conjugate, Buffer image, Buffer work,
                   Buffer spectrum)
      : app_(plan(handles, geometry, conjugate, image, work, spectrum)) {
    require_sound(ConvolutionConfiguration(geometry));
  }

  void rebind(Buffer image, Buffer work, Buffer spectrum) { app_.rebind(work, image, spectrum); }
  void append(typename App::Target& target) { app_.append(target, App::kForward); }

 private:
  [[noreturn]] static void refuse(const std::string& reason) {
    throw Error(Errc::unsupported, "the fused convolution is refused: " + reason);
  }

  static App plan(const Handles& handles, const FftGeometry& geometry, bool conjugate, Buffer image, Buffer work,
                  Buffer spectrum) {
    if (!CONVOY_VKFFT_REPAIRABLE) refuse("this build's VkFFT is not the release 1.3.4");
    const ConvolutionConfiguration parts(geometry);
    VkFFTConfiguration c = parts.whole();
    c.performConvolution = 1;
    c.conjugateConvolution = conjugate ? 2 : 0;  // 1 conjugates the image instead
    for (int axis = 0; axis < parts.num_dimensions(); ++axis) parts.pad(c, axis);
    c.isInputFormatted = 1;
    c.inverseReturnToInputBuffer = 1;
    pfUINT stride = 1;
    for (int axis = 0; axis < parts.num_dimensions(); ++axis) {
      stride *= parts.extent(axis);
      c.inputBufferStride[axis] = stride;
    }
    // Rows go in pairs, and the partner of an odd last row is padding: it would be read and written all the same.
    c.disableMergeSequencesR2C = parts.extent(1) % 2;
    try {
      return App(handles, c,
                 {.work = {work, geometry.work_bytes()},
                  .input = {{image, geometry.image_bytes()}},
                  .kernel = {{spectrum, geometry.spectrum_bytes()}}});
    } catch (const Error& error) {
      if (error.code() != Errc::compile_failed) throw;
      refuse(error.what());
    }
  }

  void require_sound(const ConvolutionConfiguration& parts) const {
    for (int axis = 0; axis < parts.num_dimensions(); ++axis) {
      const auto length = parts.padded(axis);
      if (app_.uses_bluestein(axis)) {
        refuse(
            fmt::format("length {} of device axis {} has a prime factor that needs Bluestein's algorithm, which "
                        "takes the place of the product",
                        length, axis));
      }
      const bool inner = axis == 1 && parts.num_dimensions() == 3 && parts.row_pitch() == parts.padded(0) / 2 + 1;
      if (app_.num_uploads(axis) > (inner ? 2u : 1u)) {
        refuse(fmt::format("length {} of device axis {} takes {} passes over memory", length, axis,
                           app_.num_uploads(axis)));
      }
    }
    if (app_.splits_even_rows()) {
      refuse(fmt::format("rows of {} reals do not fit the device's shared memory", parts.padded(0)));
    }
    if (app_.allocates_buffer()) refuse("VkFFT wants a buffer of its own");
  }

  App app_;
};

/// One plan per axis; between forward and inverse the backend runs kernels::multiply_spectrum on spectrum and work with
/// scale 1 over spectrum_bytes: the inverse passes normalise, in the program's own precision. Works with VkFFT as it
/// is. Rows are transformed plane by plane, so that VkFFT never plans for the image's own extents, which may be any
/// number.
template <class Handles>
class StagedConvolution {
 public:
  using App = VkfftApp<Handles>;
  using Buffer = typename App::Buffer;
  using Target = typename App::Target;

  StagedConvolution(const Handles& handles, const FftGeometry& geometry, Buffer image, Buffer work)
      : parts_(geometry),
        rows_(handles, rows(parts_),
              {.work = {work, geometry.work_bytes()}, .input = {{image, geometry.image_bytes()}}, .kernel = {}}) {
    const typename App::Buffers in_place{.work = {work, geometry.work_bytes()}, .input = {}, .kernel = {}};
    if (geometry.num_axes > 1) columns_.emplace(handles, columns(parts_), in_place);
    if (geometry.num_axes > 2) depths_.emplace(handles, depths(parts_), in_place);
    require_one_pass(rows_, 0);
    if (columns_) require_one_pass(*columns_, 1);
    if (depths_) require_one_pass(*depths_, 2);
  }

  void rebind(Buffer image, Buffer work) {
    rows_.rebind(work, image);
    if (columns_) columns_->rebind(work);
    if (depths_) depths_->rebind(work);
  }
  void append_forward(Target& target) {
    append_rows(target, App::kForward);
    if (columns_) columns_->append(target, App::kForward);
    if (depths_) depths_->append(target, App::kForward);
  }
  void append_inverse(Target& target) {
    if (depths_) depths_->append(target, App::kInverse);
    if (columns_) columns_->append(target, App::kInverse);
    append_rows(target, App::kInverse);
  }

 private:
  /// Without reordering, which costs a buffer, VkFFT's inverse runs the passes of an axis in the wrong order; rows
  /// split in halves lose the last voxel of an odd extent.
  void require_one_pass(const App& app, int axis) const {
    if (app.num_uploads(axis) == 1 && !app.splits_even_rows()) return;
    throw Error(
        Errc::unsupported,
        fmt::format("the staged convolution is refused: length {} of device axis {} does not fit the device's shared "
                    "memory and takes several passes over memory",
                    parts_.padded(axis), axis));
  }

  /// The rows of one plane.
  static VkFFTConfiguration rows(const ConvolutionConfiguration& parts) {
    VkFFTConfiguration c = parts.common();
    c.FFTdim = 1;
    c.size[0] = parts.padded(0);
    c.performR2C = 1;
    c.numberBatches = parts.extent(1);
    c.bufferStride[0] = parts.row_pitch();
    c.isInputFormatted = 1;
    c.inputBufferStride[0] = parts.extent(0);
    c.inverseReturnToInputBuffer = 1;
    c.disableReorderFourStep = 1;
    c.specifyOffsetsAtLaunch = 1;
    parts.pad(c, 0);
    return c;
  }

  /// The columns of all planes that hold data.
  static VkFFTConfiguration columns(const ConvolutionConfiguration& parts) {
    VkFFTConfiguration c = parts.common();
    c.FFTdim = 2;
    c.size[0] = parts.row_pitch();
    c.size[1] = parts.padded(1);
    c.omitDimension[0] = 1;
    c.numberBatches = parts.extent(2);
    c.disableReorderFourStep = 1;
    parts.pad(c, 1);
    return c;
  }

  static VkFFTConfiguration depths(const ConvolutionConfiguration& parts) {
    VkFFTConfiguration c = parts.common();
    c.FFTdim = 3;
    c.size[0] = parts.row_pitch();
    c.size[1] = parts.padded(1);
    c.size[2] = parts.padded(2);
    c.omitDimension[0] = 1;
    c.omitDimension[1] = 1;
    c.disableReorderFourStep = 1;
    parts.pad(c, 2);
    return c;
  }

  void append_rows(Target& target, int direction) {
    const FftGeometry& g = parts_.g;
    const std::uint64_t image_plane_bytes = parts_.extent(0) * parts_.extent(1) * g.real_bytes();
    const std::uint64_t work_plane_bytes = parts_.row_pitch() * parts_.padded(1) * 2 * g.real_bytes();
    for (pfUINT plane = 0; plane < parts_.extent(2); ++plane) {
      rows_.append(target, direction,
                   {.work_bytes = plane * work_plane_bytes, .input_bytes = plane * image_plane_bytes});
    }
  }

  ConvolutionConfiguration parts_;
  App rows_;
  std::optional<App> columns_;
  std::optional<App> depths_;
};

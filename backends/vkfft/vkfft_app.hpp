// One VkFFT application as an object. Included inside a backend's namespace, after include_vkfft.hpp.
//
// A backend gives a type Handles, copyable, with
//   using Buffer             what VkFFT calls a buffer: VkBuffer or void*
//   using Target             what a launch is appended to: VkCommandBuffer, or an empty type where the stream is
//   configured bool wants_tables        sines from tables for single precision too (unknown Vulkan vendors)
//   std::uint64_t coalesced_bytes
//   std::string identity       device, driver and compiler, of which a compiled plan is good for no other; empty: not kept
//   void configure(VkFFTConfiguration&)               sets pointers to its own members: the app keeps a copy in place
//   void aim(VkFFTLaunchParams&, Target&) const

/// The transform in words, for messages.
static inline std::string to_words(const VkFFTConfiguration& configuration) {
  std::string text = configuration.performConvolution ? "convolution" : "transform";
  text += configuration.performR2C ? " of reals, " : " of complex numbers, ";
  for (pfUINT axis = 0; axis < configuration.FFTdim; ++axis) {
    text += fmt::format("{}{}", axis == 0 ? "" : "x", configuration.size[axis]);
    if (configuration.omitDimension[axis]) text += "(omitted)";
    if (configuration.performZeropadding[axis]) text += fmt::format("(of {})", configuration.fft_zeropad_left[axis]);
  }
  return text + fmt::format(" (x first), {} batches, {}", std::max<pfUINT>(configuration.numberBatches, 1),
                            configuration.doublePrecision ? "f64" : "f32");
}

/// The files of the texts that it is made of. `identity` is device_identity().
static inline KernelFile to_file(const VkFFTConfiguration& configuration, const std::string& identity) {
  std::istringstream lines(identity);
  std::string device, architecture, driver;
  std::getline(std::getline(std::getline(lines, device), architecture), driver);
  KernelFile file;
  file.name = configuration.performConvolution ? "vkfft_convolution" : "vkfft_transform";
  for (pfUINT axis = configuration.FFTdim; axis-- > 0;) {
    file.name += fmt::format("{}{}", axis + 1 == configuration.FFTdim ? '_' : 'x', configuration.size[axis]);
  }
  file.name += configuration.doublePrecision ? "-f64" : "-f32";
  file.architecture = architecture;
  file.extension = VKFFT_BACKEND == 0 ? "comp" : VKFFT_BACKEND == 1 ? "cu" : "hip";
  file.header = fmt::format(
      "{}{}, by VkFFT {}: one pass of a {}\n"
      "//\n"
      "// device         {}; {}\n"
      "//\n"
      "// Change this text, keep the file's name and say CONVOY_USE_KERNELS=<its folder>.\n",
      kKernelFileMark, CONVOY_VERSION, VkFFTGetVersion(), to_words(configuration), device, driver);
  return file;
}

/// Start and end of what VkFFT said: the compiler's log comes first or last, with the shader's text beside it.
static inline std::string vkfft_said() {
  constexpr std::size_t kKept = 1500;
  if (vkfft_output().size() <= 2 * kKept) return vkfft_output();
  return vkfft_output().substr(0, kKept) + "\n[...]\n" + vkfft_output().substr(vkfft_output().size() - kKept);
}

/// Everything that decides what is compiled, for the plan cache.
static inline std::string to_key(const VkFFTConfiguration& c, const std::string& identity) {
  std::string key = fmt::format("convoy {} VkFFT {} {}\n{}\n", CONVOY_VERSION, VkFFTGetVersion(),
                                CONVOY_VKFFT_LAYER, identity);
  const auto add = [&](const char* name, auto value) { key += fmt::format("{} {}\n", name, value); };
  add("backend", VKFFT_BACKEND);
  add("dimensions", c.FFTdim);
  for (pfUINT axis = 0; axis < c.FFTdim; ++axis) {
    key += fmt::format("axis {} {} {} {} pad {} {} {}\n", c.size[axis], c.omitDimension[axis], c.bufferStride[axis],
                       c.inputBufferStride[axis], c.performZeropadding[axis], c.fft_zeropad_left[axis],
                       c.fft_zeropad_right[axis]);
  }
  add("reals", c.performR2C);
  add("double", c.doublePrecision);
  add("normalize", c.normalize);
  add("convolution", c.performConvolution);
  add("conjugate", c.conjugateConvolution);
  add("kernel", c.kernelConvolution);
  add("forward", c.makeForwardPlanOnly);
  add("batches", c.numberBatches);
  add("input", c.isInputFormatted);
  add("inverse to input", c.inverseReturnToInputBuffer);
  add("merge", c.disableMergeSequencesR2C);
  add("reorder", c.disableReorderFourStep);
  add("offsets", c.specifyOffsetsAtLaunch);
  add("coalesced", c.coalescedMemory);
  add("threads", c.aimThreads);
  add("tables", c.useLUT);
  add("buffer bytes", *c.bufferSize);
  add("input bytes", c.inputBufferSize != nullptr ? *c.inputBufferSize : 0);
  add("kernel bytes", c.kernelSize != nullptr ? *c.kernelSize : 0);
  return key;
}

static inline Errc error_code(VkFFTResult result) {
  switch (result) {
    case VKFFT_ERROR_MALLOC_FAILED:
    case VKFFT_ERROR_FAILED_TO_ALLOCATE:
    case VKFFT_ERROR_FAILED_TO_ALLOCATE_MEMORY:
    case VKFFT_ERROR_FAILED_TO_FIND_MEMORY:
      return Errc::out_of_memory;
    case VKFFT_ERROR_FAILED_TO_SUBMIT_QUEUE:
    case VKFFT_ERROR_FAILED_TO_WAIT_FOR_FENCES:
    case VKFFT_ERROR_FAILED_TO_SYNCHRONIZE:
    case VKFFT_ERROR_FAILED_TO_COPY:
    case VKFFT_ERROR_FAILED_TO_LAUNCH_KERNEL:
      return Errc::device_lost;
    case VKFFT_ERROR_INSUFFICIENT_CODE_BUFFER:
    case VKFFT_ERROR_INSUFFICIENT_TEMP_BUFFER:
    case VKFFT_ERROR_MATH_FAILED:
    case VKFFT_ERROR_FAILED_SHADER_PREPROCESS:
    case VKFFT_ERROR_FAILED_SHADER_PARSE:
    case VKFFT_ERROR_FAILED_SHADER_LINK:
    case VKFFT_ERROR_FAILED_SPIRV_GENERATE:
    case VKFFT_ERROR_FAILED_TO_CREATE_SHADER_MODULE:
    case VKFFT_ERROR_FAILED_TO_CREATE_PIPELINE:
    case VKFFT_ERROR_FAILED_TO_CREATE_PROGRAM:
    case VKFFT_ERROR_FAILED_TO_COMPILE_PROGRAM:
    case VKFFT_ERROR_FAILED_TO_GET_CODE_SIZE:
    case VKFFT_ERROR_FAILED_TO_GET_CODE:
    case VKFFT_ERROR_FAILED_TO_LOAD_MODULE:
    case VKFFT_ERROR_FAILED_TO_GET_FUNCTION:
      return Errc::compile_failed;
    default:
      return Errc::unsupported;
  }
}

template <class Handles>
class VkfftApp {
 public:
  using Buffer = typename Handles::Buffer;
  using Target = typename Handles::Target;

  struct BoundBuffer {
    Buffer buffer{};
    std::uint64_t bytes = 0;
  };
  struct Buffers {
    BoundBuffer work;
    std::optional<BoundBuffer> input;
    std::optional<BoundBuffer> kernel;
  };
  struct Offsets {
    std::uint64_t work_bytes = 0;
    std::uint64_t input_bytes = 0;
  };
  static constexpr int kForward = -1;
  static constexpr int kInverse = 1;

  /// Plans and compiles. `configuration` holds the transform; handles, sizes, tables and widths are filled in here.
  VkfftApp(const Handles& handles, VkFFTConfiguration configuration, const Buffers& buffers)
      : state_(std::make_unique<State>(handles, buffers)), app_(zeroed_application()) {
    state_->bind(configuration);
    app_.get_deleter().host = &state_->host;
    const KeepHostAllocations keep(state_->host);
    const CNumbers decimal_points;
    const bool is_kept = !handles.identity.empty() && !wants_kernel_files();
    const std::string key = is_kept ? to_key(configuration, handles.identity) : std::string();
    vkfft_file() = to_file(configuration, handles.identity);
    if (key.empty() || !load(key, configuration)) compile(key, configuration);
    app_.get_deleter().initialized = true;
  }

  /// Appends the transform to the target.
  void append(Target& target, int direction, const Offsets& offsets = {}) {
    const KeepHostAllocations keep(state_->host);
    VkFFTLaunchParams launch{};
    state_->handles.aim(launch, target);
    state_->give(launch);
    launch.bufferOffset = offsets.work_bytes;
    launch.inputBufferOffset = offsets.input_bytes;
    vkfft_output().clear();
    const VkFFTResult result = VkFFTAppend(app_.get(), direction, &launch);
    if (result != VKFFT_SUCCESS) fail(result, "launching the ", app_->configuration);
  }

  /// Other buffers of the same sizes for the launches to come. CUDA and HIP only, where VkFFT looks at each launch what
  /// the pointers it was given point to.
  void rebind(Buffer work, std::optional<Buffer> input = {}, std::optional<Buffer> kernel = {}) {
    state_->buffers.work.buffer = work;
    if (input) state_->buffers.input->buffer = *input;
    if (kernel) state_->buffers.kernel->buffer = *kernel;
  }

  bool uses_bluestein(int axis) const { return app_->useBluesteinFFT[axis] != 0; }
  pfUINT num_uploads(int axis) const { return app_->localFFTPlan->numAxisUploads[axis]; }
  bool splits_even_rows() const { return app_->localFFTPlan->bigSequenceEvenR2C != 0; }
  bool allocates_buffer() const { return app_->configuration.allocateTempBuffer != 0; }

 private:
  /// VkFFT keeps pointers to all of this for as long as the application lives.
  struct State {
    State(const Handles& given, const Buffers& bound) : handles(given), buffers(bound) {}

    void bind(VkFFTConfiguration& configuration) {
      handles.configure(configuration);
      if (configuration.coalescedMemory == 0) configuration.coalescedMemory = handles.coalesced_bytes;
      configuration.useLUT = configuration.doublePrecision || handles.wants_tables ? 1 : 0;
      configuration.bufferSize = &buffers.work.bytes;
      if (buffers.input) configuration.inputBufferSize = &buffers.input->bytes;
      if (buffers.kernel) configuration.kernelSize = &buffers.kernel->bytes;
    }

    /// Buffers are given at launch: Vulkan's descriptors are written then, when Bluestein's own buffers exist. The
    /// addresses are always the same, so they are written once.
    void give(VkFFTLaunchParams& launch) {
      launch.buffer = &buffers.work.buffer;
      if (buffers.input) launch.inputBuffer = &buffers.input->buffer;
      if (buffers.kernel) launch.kernel = &buffers.kernel->buffer;
    }

    Handles handles;
    Buffers buffers;
    HostAllocations host;
  };
  struct Delete {
    void operator()(VkFFTApplication* app) const {
      if (initialized) {
        const KeepHostAllocations keep(*host);
        deleteVkFFT(app);
      }
      ::free(app);
    }
    HostAllocations* host = nullptr;
    bool initialized = false;
  };

  /// Plans with the code that an earlier plan of this key was compiled to. False if there is none that VkFFT takes.
  bool load(const std::string& key, VkFFTConfiguration configuration) {
    std::optional<std::string> compiled = plan_cache().find(key);
    if (!compiled) return false;
    configuration.loadApplicationFromString = 1;
    configuration.loadApplicationString = compiled->data();
    vkfft_output().clear();
    if (initializeVkFFT(app_.get(), configuration) == VKFFT_SUCCESS) {
      app_->configuration.loadApplicationString = nullptr;  // read by now
      return true;
    }
    plan_cache().forget(key);
    app_ = zeroed_application();
    app_.get_deleter().host = &state_->host;
    return false;
  }

  void compile(const std::string& key, VkFFTConfiguration configuration) {
    configuration.saveApplicationToString = key.empty() ? 0 : 1;
    vkfft_output().clear();
    const VkFFTResult result = initializeVkFFT(app_.get(), configuration);
    if (result != VKFFT_SUCCESS) {
      app_.get_deleter().initialized = false;  // VkFFT has already taken it down
      fail(result, "planning the ", configuration);
    }
    if (key.empty()) return;
    plan_cache().store(key, std::string(static_cast<const char*>(app_->saveApplicationString),
                                        static_cast<std::size_t>(app_->applicationStringSize)));
  }

  static std::unique_ptr<VkFFTApplication, Delete> zeroed_application() {
    auto* const app = static_cast<VkFFTApplication*>(::calloc(1, sizeof(VkFFTApplication)));
    if (app == nullptr) throw std::bad_alloc();
    return std::unique_ptr<VkFFTApplication, Delete>(app);
  }

  [[noreturn]] void fail(VkFFTResult result, const char* action, const VkFFTConfiguration& configuration) const {
    const std::string said = vkfft_said();
    vkfft_output().clear();
    const std::string text =
        fmt::format("VkFFT, {}{}: {} ({}){}{}", action, to_words(configuration), getVkFFTErrorString(result),
                    static_cast<int>(result), said.empty() ? "" : "; it said: ", said);
    const Errc code = error_code(result);
    if (code == Errc::out_of_memory) {
      throw OutOfMemory(text + "; set a lower memory limit", state_->buffers.work.bytes, 0, "device memory for tables");
    }
    throw Error(code, text);
  }

  std::unique_ptr<State> state_;  // before app_: it must outlive it
  std::unique_ptr<VkFFTApplication, Delete> app_;
};

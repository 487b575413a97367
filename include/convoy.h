/* convoy for C, and for every language that calls C: convolution and deconvolution of images of any size on CUDA, HIP, Vulkan or
   the CPU. It does what the C++ headers in convoy/ do, by the same names and with the same defaults; their comments say more
   about modes, boundaries and algorithms (convoy/spec.hpp, convoy/convolution.hpp, convoy/deconvolution.hpp).

   Rules that hold throughout:
   * Shapes, positions and voxel sizes are arrays of three in the order z, y, x: slowest first, x contiguous. Extents are in
     voxels; a 2-D image has z = 1. Quantities end in their unit.
   * Functions return a status: CONVOY_OK (0) or what went wrong. convoy_last_error() then has the reason in words, with the
     numbers and the remedy. No C++ exception leaves the library, and it never prints or aborts.
   * What a function makes is written through its last parameters only when it succeeds. Pointers must not be null unless their
     description says that they may be.
   * Every struct begins with struct_size, which is its sizeof as the caller knows it: so structs can grow at their end without
     breaking programs that are not compiled again. Inputs are made ready by their _init function, or by hand as in
     `convoy_image image = {sizeof image, voxels, CONVOY_F32, {1, 480, 640}}`, where what is left out is 0. A program
     that is newer than the library may leave 0 in what this does not know; anything else is CONVOY_UNSUPPORTED.
   * A handle is not for use by two threads at once, except devices and stops; different handles are independent.
   * Functions block until their work is done unless they say otherwise. Callbacks must not throw or jump out.
   * int32_t stands for enumerations and for yes and no (0: no). */
#ifndef CONVOY_H
#define CONVOY_H

#include <stddef.h>
#include <stdint.h>

#include "convoy/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status ---- */

enum {
  CONVOY_OK = 0,
  CONVOY_INVALID_ARGUMENT = 1,    /* the values do not make sense; nothing was done */
  CONVOY_OUT_OF_MEMORY = 2,       /* of the device or the host */
  CONVOY_DEVICE_LOST = 3,         /* the device stopped answering: what was made on it is useless */
  CONVOY_UNSUPPORTED = 4,         /* sensible, but this device, build or release cannot do it */
  CONVOY_BACKEND_UNAVAILABLE = 5, /* no driver, no library or no device */
  CONVOY_COMPILE_FAILED = 6,      /* the device's compiler refused a GPU kernel */
  CONVOY_IO = 7,                  /* a reader or writer failed */
  CONVOY_CANCELLED = 8,           /* a stop was requested, or progress asked for it */
  CONVOY_INTERNAL = 9             /* a failure that convoy did not foresee */
};

/* "0.1.0". Static. */
CONVOY_API const char* convoy_version(void);
/* "ok", "out_of_memory" ...; "unknown" for other numbers. Static. */
CONVOY_API const char* convoy_status_name(int status);
/* Why the last function that failed on this thread did so, in UTF-8; "" if none did. It stays until the next failure. */
CONVOY_API const char* convoy_last_error(void);
/* Frees what functions gave as char**. Null is let be. */
CONVOY_API void convoy_string_free(char* text);

/* ---- Settings and log ---- */

/* Gives a variable of README's table ("CONVOY_THREADS", "CONVOY_CACHE_DIR" ...) a value that counts in place of the
   environment's; "" counts as unset, null as the environment's again. Libraries must be named before the first device is listed
   or opened: CONVOY_INVALID_ARGUMENT afterwards and for unknown names. Not while convoy runs in another thread. */
CONVOY_API int convoy_set_variable(const char* name, const char* value);
/* Topics: "plan", "backend", "dispatch", "run". Strings are the callback's during the call only. */
typedef void (*convoy_log_callback)(void* user, const char* topic, const char* message);
/* Replaces where messages go; null ends logging. Not while convoy runs in another thread. */
CONVOY_API int convoy_set_log_callback(convoy_log_callback callback, void* user);

/* ---- Devices ---- */

typedef struct convoy_device convoy_device;

enum { CONVOY_DISCRETE_GPU = 0, CONVOY_INTEGRATED_GPU = 1, CONVOY_CPU = 2, CONVOY_SOFTWARE = 3 };

/* Strings live as long as the convoy_device. */
typedef struct convoy_device_info {
  size_t struct_size;
  const char* id;           /* what convoy_device_open takes: "cuda:0", "cpu" */
  const char* name;         /* as the driver calls it */
  const char* driver;       /* driver or library, with version */
  const char* uuid;         /* stable over reboots; "" where the driver has none */
  const char* architecture; /* "sm_90", "gfx90a", or "" */
  int32_t type;             /* CONVOY_DISCRETE_GPU ... */
  int32_t supports_f64;
  int32_t memory_is_host; /* the device's memory is the machine's own */
} convoy_device_info;

/* Number of devices of a backend ("cuda", "hip", "vulkan", "cpu"), or of all with null. Loads drivers. A backend that this build
   has not is CONVOY_INVALID_ARGUMENT; one without a device is 0 devices, and convoy_last_error() then says why there are none. */
CONVOY_API int convoy_device_count(const char* backend, int32_t* count);
/* The id of device `index` of those counted (0 first), which convoy_string_free frees. */
CONVOY_API int convoy_device_id(const char* backend, int32_t index, char** id);
/* Opens "auto" (a GPU if there is one, else the CPU), "cpu", "cuda", "cuda:1", "vulkan:0" ... Devices may be shared between
   threads. CONVOY_BACKEND_UNAVAILABLE with the reason where there is none. */
CONVOY_API int convoy_device_open(const char* id, convoy_device** device);

/* A Vulkan device that the caller has opened, by handles of vulkan.h; they must outlive what is made on it. */
typedef struct convoy_vulkan_handles {
  size_t struct_size;
  void* physical_device; /* VkPhysicalDevice, Vulkan 1.1 or later */
  void* device;          /* VkDevice; shaderFloat64 enabled for f64, 8- or 16-bit storage for voxels of so many */
  void* queue;           /* VkQueue that computes */
  uint32_t queue_family;
} convoy_vulkan_handles;
CONVOY_API int convoy_device_open_vulkan(const convoy_vulkan_handles* handles, convoy_device** device);

CONVOY_API int convoy_device_get_info(const convoy_device* device, convoy_device_info* info);
/* Asks the driver now. free_bytes: not used by anyone; used_bytes: held by convoy; total_bytes: all. Each may be null. */
CONVOY_API int convoy_device_memory(const convoy_device* device, uint64_t* free_bytes, uint64_t* used_bytes, uint64_t* total_bytes);
/* Closed with the last object made on it. Null is let be. */
CONVOY_API void convoy_device_release(convoy_device* device);
/* Checks a device against direct sums in double precision; well under a minute on a GPU. `passed` gets 1 if it can be trusted.
   `json` (may be null) gets the report, with every check and its error. */
CONVOY_API int convoy_selftest_json(const convoy_device* device, int32_t* passed, char** json);
/* Where each driver and compiler was looked for until now (convoy_device_count looks for those of all backends), and what is used: a list
   of objects with library, variable (of the environment, to name another file), found ("" where none was), and attempts (place and
   problem each). */
CONVOY_API int convoy_libraries_json(char** json);

/* ---- Images ---- */

/* How voxels are stored. f16 is IEEE 754 binary16; complex ones are real and imaginary part side by side. */
enum {
  CONVOY_U8 = 0,
  CONVOY_U16 = 1,
  CONVOY_F32 = 2,
  CONVOY_F64 = 3,
  CONVOY_I8 = 4,
  CONVOY_I16 = 5,
  CONVOY_U32 = 6,
  CONVOY_I32 = 7,
  CONVOY_F16 = 8,
  CONVOY_BF16 = 9,
  CONVOY_C64 = 10,
  CONVOY_C128 = 11
};

/* Images in host memory, all of one shape; nothing is copied. Inputs are not written to. */
typedef struct convoy_image {
  size_t struct_size;
  void* data;             /* voxel 0,0,0 of the first image */
  int32_t element;        /* CONVOY_F32 ... */
  int64_t shape[3];       /* z, y, x */
  int64_t batch;          /* images one behind the other; 0 counts as 1 */
  const int64_t* strides; /* bytes from a voxel to the next along z, y, x and from an image to the next; null: no gaps */
} convoy_image;

/* Page-locked memory, from and to which images go at the full speed of the bus; ordinary memory on devices that have none. Keep
   it: making it is slow. */
CONVOY_API int convoy_pinned_alloc(const convoy_device* device, uint64_t size_bytes, void** memory);
/* Null is let be. */
CONVOY_API void convoy_pinned_free(void* memory);

/* ---- What to compute ---- */

enum { CONVOY_FULL = 0, CONVOY_SAME = 1, CONVOY_VALID = 2, CONVOY_CIRCULAR = 3 };
enum {
  CONVOY_BOUNDARY_ZERO = 0,
  CONVOY_BOUNDARY_CONSTANT = 1,
  CONVOY_BOUNDARY_REFLECT = 2, /* d c b a | a b c d | d c b a */
  CONVOY_BOUNDARY_NEAREST = 3,
  CONVOY_BOUNDARY_WRAP = 4,
  CONVOY_BOUNDARY_MIRROR = 5 /* d c b | a b c d | c b a */
};
enum {
  CONVOY_ORIGIN_CENTER = 0, /* floor(k/2) */
  CONVOY_ORIGIN_SCIPY = 1,
  CONVOY_ORIGIN_FIRST = 2,
  CONVOY_ORIGIN_PEAK = 3,
  CONVOY_ORIGIN_AT = 4 /* origin_index */
};
enum { CONVOY_CONVOLVE = 0, CONVOY_CORRELATE = 1, CONVOY_FLIP = 2 };
enum { CONVOY_PAIRING_ALL = 0, CONVOY_PAIRING_EACH = 1, CONVOY_PAIRING_SUM = 2 };
enum { CONVOY_NON_FINITE_ERROR = 0, CONVOY_NON_FINITE_ZERO = 1, CONVOY_NON_FINITE_INTERPOLATE = 2 };

/* ConvolutionSpec of convoy/spec.hpp, which has the formulas. */
typedef struct convoy_convolution_spec {
  size_t struct_size;
  int64_t image[3];  /* set them; all else has the defaults of C++ */
  int64_t kernel[3]; /* likewise */
  int32_t mode;      /* CONVOY_SAME */
  int32_t boundary;  /* CONVOY_BOUNDARY_ZERO */
  double constant;
  int32_t origin; /* CONVOY_ORIGIN_CENTER */
  int32_t operation;
  int64_t origin_index[3];
  int32_t precision;        /* of the arithmetic: CONVOY_F32 or CONVOY_F64 */
  int32_t normalize_kernel; /* divide each kernel by its sum */
  int32_t non_finite;
  int32_t preserve_nan;
  int32_t has_no_data;
  int32_t has_region; /* compute this part of the output only */
  double no_data;
  int64_t region_begin[3];
  int64_t region_size[3];
  int64_t batch;       /* images of a run */
  int64_t num_kernels; /* kernels, one behind the other (convoy_image.batch) */
  int32_t pairing;
} convoy_convolution_spec;

/* Fills in the defaults and struct_size: convoy_convolution_spec_init(&spec, sizeof spec). */
CONVOY_API int convoy_convolution_spec_init(convoy_convolution_spec* spec, size_t struct_size);
/* Shape of each output, and how many a run writes (may be null): with pairing all, batch * num_kernels. */
CONVOY_API int convoy_output_shape(const convoy_convolution_spec* spec, int64_t shape[3], int64_t* num_outputs);

/* ---- How: the same for convolutions, deconvolutions and device arrays ---- */

enum { CONVOY_METHOD_AUTO = 0, CONVOY_METHOD_FFT = 1, CONVOY_METHOD_DIRECT = 2, CONVOY_METHOD_SEPARABLE = 3 };
enum { CONVOY_PATH_AUTO = 0, CONVOY_PATH_NATIVE = 1, CONVOY_PATH_FUSED = 2, CONVOY_PATH_STAGED = 3 };
enum { CONVOY_TUNE_OFF = 0, CONVOY_TUNE_MODEL = 1, CONVOY_TUNE_MEASURE = 2 };

/* Lets any thread end what runs: convoy_options.stop. What was asked to stop stays so. */
typedef struct convoy_stop convoy_stop;
CONVOY_API int convoy_stop_create(convoy_stop** stop);
/* From any thread, but not from a signal handler. Runs end soon with CONVOY_CANCELLED. */
CONVOY_API int convoy_stop_request(convoy_stop* stop);
/* May be destroyed before what it was given to. Null is let be. */
CONVOY_API void convoy_stop_destroy(convoy_stop* stop);

typedef struct convoy_progress {
  size_t struct_size;
  int64_t done;  /* tiles, or iterations of a deconvolution */
  int64_t total; /* of iterations, at most */
  double elapsed_seconds;
  double relative_change; /* of a deconvolution's last iteration; else 0 */
  double fraction;        /* of the run, 0 to 1: on the CPU also within a tile */
} convoy_progress;
/* Called on the thread that runs. 0 goes on, anything else stops with CONVOY_CANCELLED. */
typedef int (*convoy_progress_callback)(void* user, const convoy_progress* progress);

typedef struct convoy_options {
  size_t struct_size;
  uint64_t memory_limit_bytes;      /* of the device; 0: what is free, less a reserve */
  uint64_t host_memory_limit_bytes; /* of the host, the caller's images not counted; 0: nine tenths of what is free */
  int32_t method;                   /* CONVOY_METHOD_AUTO */
  int32_t path;                     /* CONVOY_PATH_AUTO */
  int32_t tune;                     /* CONVOY_TUNE_MODEL */
  int32_t deterministic;            /* the same bits in every run */
  int32_t sums;                     /* convolutions: fill in input_sum, output_sum and what comes with them */
  int32_t curve;                    /* deconvolutions: keep the sums of every iteration */
  int32_t streaming;                /* plan for a run_stream function, of images of these elements and chunks */
  int32_t read_element;
  int32_t write_element;
  int64_t read_chunk[3];
  int64_t write_chunk[3];
  convoy_progress_callback progress; /* may be null */
  void* progress_user;
  convoy_stop* stop;           /* may be null */
  const convoy_image* weights; /* of pairing sum: as many images as kernels; copied. Else null */
} convoy_options;

/* Fills in the defaults and struct_size. */
CONVOY_API int convoy_options_init(convoy_options* options, size_t struct_size);

/* ---- Convolution ---- */

typedef struct convoy_convolver convoy_convolver;

/* RunReport of convoy/convolution.hpp. Set struct_size before the call. */
typedef struct convoy_run_report {
  size_t struct_size;
  double elapsed_seconds;
  int64_t num_tiles;
  int64_t skipped_tiles;
  uint64_t peak_device_bytes;
  double kernel_factor; /* what the kernel was multiplied with; of several the first one's */
  int64_t non_finite_voxels;
  int64_t nan_voxels;
  int64_t no_data_voxels;
  int64_t inexact_voxels;
  int64_t saturated_voxels;
  double input_sum; /* NaN without convoy_options.sums; likewise all below */
  double output_sum;
  double lowest_voxel;
  double highest_voxel;
  double dynamic_range;
  double rounding_error;
} convoy_run_report;

/* The plan as JSON, before anything is allocated: padding, tiles, memory, predicted time, reasons. `options` may be null. */
CONVOY_API int convoy_plan_json(const convoy_convolution_spec* spec, const convoy_device* device, const convoy_options* options, char** json);
/* One convolution, start to end. spec may be null (defaults); its shapes and batch are taken from the images. device may be null
   ("auto"). output: of convoy_output_shape, of any element; must not overlap the image. */
CONVOY_API int convoy_convolve(const convoy_image* image, const convoy_image* kernel, const convoy_convolution_spec* spec, const convoy_device* device,
                               const convoy_image* output);
/* A kernel made ready on one device, or on several that share each run's tiles, for any number of images of one shape. Plans,
   allocates, compiles and transforms the kernel, which may then go. `options` may be null. */
CONVOY_API int convoy_convolver_create(const convoy_convolution_spec* spec, const convoy_image* kernel, const convoy_device* const* devices,
                                       size_t num_devices, const convoy_options* options, convoy_convolver** convolver);
/* Convolves spec.batch images into as many outputs (see convoy_output_shape). Integer outputs are rounded to nearest, ties to
   even, and clipped. After a failure the output is unspecified. `report` may be null. */
CONVOY_API int convoy_convolver_run(convoy_convolver* convolver, const convoy_image* image, const convoy_image* output, convoy_run_report* report);

/* Reads or writes the voxels of a box, dense, in z, y, x order. 0 is success; anything else ends the run with CONVOY_IO. Several
   threads may call at once, those of a writer for boxes that do not overlap. */
typedef int (*convoy_read_callback)(void* user, const int64_t begin[3], const int64_t size[3], void* voxels);
typedef int (*convoy_write_callback)(void* user, const int64_t begin[3], const int64_t size[3], const void* voxels);

typedef struct convoy_reader {
  size_t struct_size;
  int64_t shape[3];
  int64_t chunk[3]; /* the piece that is cheapest to read; zeros: a plane */
  int32_t element;
  convoy_read_callback read;
  void* user;
} convoy_reader;
typedef struct convoy_writer {
  size_t struct_size;
  int64_t shape[3];
  int64_t chunk[3];
  int32_t element;
  convoy_write_callback write;
  void* user;
} convoy_writer;

/* The same for an image that need not be in memory: reads the boxes that each tile needs ahead of the device and writes each tile
   when it is there. Set convoy_options.streaming and what belongs to it, so that boxes count as host memory. */
CONVOY_API int convoy_convolver_run_stream(convoy_convolver* convolver, const convoy_reader* image, const convoy_writer* output,
                                           convoy_run_report* report);
/* The plan that it runs, as JSON. */
CONVOY_API int convoy_convolver_plan_json(const convoy_convolver* convolver, char** json);
/* Of the last run: tiles that device `index` of those given did, and why it takes no part any more ("" while it does). `failure`
   lives until the next run, and may be null, as may num_tiles. */
CONVOY_API int convoy_convolver_share(const convoy_convolver* convolver, size_t index, int64_t* num_tiles, const char** failure);
/* Null is let be. */
CONVOY_API void convoy_convolver_destroy(convoy_convolver* convolver);

/* ---- Images that lie on the device ---- */

/* Memory on a device that convoy allocates, for programs that have no other way to it. */
typedef struct convoy_device_buffer convoy_device_buffer;
/* Contents are undefined. `handle` (may be null) gets what convoy_device_array.handle takes. */
CONVOY_API int convoy_device_buffer_create(const convoy_device* device, uint64_t size_bytes, convoy_device_buffer** buffer, uint64_t* handle);
/* Copies from the host to byte offset_bytes on; what runs queued on the default stream do with the buffer is done first. */
CONVOY_API int convoy_device_buffer_write(convoy_device_buffer* buffer, const void* bytes, uint64_t size_bytes, uint64_t offset_bytes);
CONVOY_API int convoy_device_buffer_read(const convoy_device_buffer* buffer, void* bytes, uint64_t size_bytes, uint64_t offset_bytes);
/* Null is let be. */
CONVOY_API void convoy_device_buffer_destroy(convoy_device_buffer* buffer);

/* A dense array on a device, which nothing here owns. */
typedef struct convoy_device_array {
  size_t struct_size;
  uint64_t handle; /* CUDA, HIP, CPU: the address; Vulkan: the VkBuffer */
  int32_t element;
  int64_t shape[3];
  uint64_t offset_bytes; /* of the first voxel */
  int64_t batch;         /* images one behind the other; 0 counts as 1 */
} convoy_device_array;

/* A kernel made ready for images that lie on the device: ResidentConvolver of convoy/resident.hpp. */
typedef struct convoy_resident_convolver convoy_resident_convolver;
/* Images have voxels of image_element, outputs of output_element. The device must be the one that holds the arrays (CUDA and HIP:
   the primary context). `options` may be null; progress, stop, sums and streaming do not count here. */
CONVOY_API int convoy_resident_convolver_create(const convoy_convolution_spec* spec, const convoy_image* kernel, const convoy_device* device,
                                                int32_t image_element, int32_t output_element, const convoy_options* options,
                                                convoy_resident_convolver** convolver);
/* Queues a convolution and returns without waiting (on the CPU it blocks): it starts after all that the stream holds already.
   stream: a CUstream, hipStream_t or VkQueue; 0: the default one. Arrays must stay until the stream is done. */
CONVOY_API int convoy_resident_convolver_run(convoy_resident_convolver* convolver, const convoy_device_array* image,
                                             const convoy_device_array* output, uint64_t stream);
/* Blocks until all runs are done. */
CONVOY_API int convoy_resident_convolver_wait(convoy_resident_convolver* convolver);
/* Waits for what is queued. Null is let be. */
CONVOY_API void convoy_resident_convolver_destroy(convoy_resident_convolver* convolver);

/* ---- Deconvolution ---- */

enum { CONVOY_RICHARDSON_LUCY = 0, CONVOY_WIENER = 1, CONVOY_LANDWEBER = 2 };
enum { CONVOY_ACCELERATION_AUTO = 0, CONVOY_ACCELERATION_NONE = 1, CONVOY_ACCELERATION_BIGGS = 2, CONVOY_ACCELERATION_MOMENTUM = 3 };
enum { CONVOY_EDGES_NONCIRCULANT = 0, CONVOY_EDGES_ZERO = 1, CONVOY_EDGES_REFLECT = 2 };
enum { CONVOY_START_AUTO = 0, CONVOY_START_IMAGE = 1, CONVOY_START_FLAT = 2, CONVOY_START_VALUE = 3 };
enum { CONVOY_COMPATIBILITY_NONE = 0, CONVOY_COMPATIBILITY_SKIMAGE = 1 };
enum { CONVOY_TILES_EXACT = 0, CONVOY_TILES_FAST = 1 };
enum { CONVOY_NEGATIVE_PSF_ERROR = 0, CONVOY_NEGATIVE_PSF_CLIP = 1 };
enum { CONVOY_STOP_NONE = 0, CONVOY_STOP_GRADIENT_CONSENSUS = 1, CONVOY_STOP_DISCREPANCY = 2 };
enum {
  CONVOY_STOPPED_BY_ITERATIONS = 0,
  CONVOY_STOPPED_BY_RELATIVE_CHANGE = 1,
  CONVOY_STOPPED_BY_GRADIENT_CONSENSUS = 2,
  CONVOY_STOPPED_BY_DISCREPANCY = 3
};

/* DeconvolutionSpec of convoy/deconvolution.hpp, which has the formulas and their sources. */
typedef struct convoy_deconvolution_spec {
  size_t struct_size;
  int64_t image[3]; /* set them; all else has the defaults of C++ */
  int64_t psf[3];
  int64_t num_psfs; /* one behind the other; image i of a run has PSF i modulo their number */
  int64_t iterations;
  int32_t algorithm;
  int32_t acceleration;
  int32_t edges;
  int32_t start;
  double start_value; /* of CONVOY_START_VALUE */
  double background;
  double tv;
  double voxel_size[3]; /* in any unit, one for all */
  double wiener_noise;
  double stop_relative_change;
  int32_t origin;
  int32_t precision; /* CONVOY_F32 or CONVOY_F64 */
  int64_t origin_index[3];
  int32_t normalize_psf;
  int32_t psf_negative;
  int32_t non_finite; /* error or zero: without a datum */
  int32_t compatibility;
  double saturation; /* voxels of this value and above have no datum */
  int32_t tiles;
  double halo;
  int32_t stop;                /* what ends the iterations; CONVOY_STOP_NONE: they, or stop_relative_change */
  int32_t estimate_background; /* in place of background, each image's dim level */
} convoy_deconvolution_spec;

/* DeconvolutionReport. Set struct_size before the call. */
typedef struct convoy_deconvolution_report {
  size_t struct_size;
  int64_t iterations;
  int32_t stop_reason; /* CONVOY_STOPPED_BY_ITERATIONS ... */
  double elapsed_seconds;
  double iterating_seconds;
  uint64_t peak_device_bytes;
  int64_t missing_voxels;
  int64_t non_finite_voxels;
  int64_t saturated_input_voxels;
  int64_t negative_voxels;
  double negative_sum;
  int64_t saturated_voxels;
  double input_sum;
  double output_sum;
  int64_t seam_voxels;
  double seam_relative_l2;
  double seam_largest_difference;
  int64_t skipped_tiles;
  double psf_factor; /* of several PSFs the first one's, as below */
  int64_t psf_negative_voxels;
  double psf_negative_part;
  double psf_pedestal_part;
  double background; /* as used, of the first image; so is dim_level */
  double dim_level;
} convoy_deconvolution_report;

/* Of an iteration, 0 being the start. */
typedef struct convoy_iteration_sums {
  size_t struct_size;
  int64_t iteration;
  double divergence;    /* I-divergence of the model from the data */
  double modelled_flux; /* sum of the model over the data */
  double relative_change;
} convoy_iteration_sums;

typedef struct convoy_deconvolver convoy_deconvolver;

/* Fills in the defaults and struct_size. */
CONVOY_API int convoy_deconvolution_spec_init(convoy_deconvolution_spec* spec, size_t struct_size);
/* The plan as JSON, before anything is allocated. `options` may be null. */
CONVOY_API int convoy_deconvolution_plan_json(const convoy_deconvolution_spec* spec, const convoy_device* device, const convoy_options* options,
                                              char** json);
/* PSFs made ready on one device, or on several that share fast tiles and images, for any number of images of one shape. `options`
   may be null. */
CONVOY_API int convoy_deconvolver_create(const convoy_deconvolution_spec* spec, const convoy_image* psf, const convoy_device* const* devices,
                                         size_t num_devices, const convoy_options* options, convoy_deconvolver** deconvolver);
/* Restores images (a batch of one, or of any multiple of num_psfs) into outputs of their shape, which must not overlap them. mask
   (may be null), one for all: voxels where it is 0 have no datum. After a failure the output is unspecified. `report` may be null. */
CONVOY_API int convoy_deconvolver_run(convoy_deconvolver* deconvolver, const convoy_image* image, const convoy_image* mask, const convoy_image* output,
                                      convoy_deconvolution_report* report);
/* The same for an image that need not be in memory; fast tiles are read and written one by one. */
CONVOY_API int convoy_deconvolver_run_stream(convoy_deconvolver* deconvolver, const convoy_reader* image, const convoy_reader* mask,
                                             const convoy_writer* output, convoy_deconvolution_report* report);
/* Of the last run, as convoy_convolver_share. */
CONVOY_API int convoy_deconvolver_share(const convoy_deconvolver* deconvolver, size_t index, int64_t* num_tiles, const char** failure);
/* The last run's curve, with convoy_options.curve: writes at most `capacity` entries, whose struct_size the caller has set in the
   first one, and how many there are. `sums` may be null with capacity 0. */
CONVOY_API int convoy_deconvolver_curve(const convoy_deconvolver* deconvolver, convoy_iteration_sums* sums, size_t capacity, size_t* count);
/* Null is let be. */
CONVOY_API void convoy_deconvolver_destroy(convoy_deconvolver* deconvolver);

/* PSFs made ready for images that lie on the device: ResidentDeconvolver of convoy/resident.hpp. As for
   convoy_resident_convolver; a run's batch is any multiple of num_psfs. */
typedef struct convoy_resident_deconvolver convoy_resident_deconvolver;
CONVOY_API int convoy_resident_deconvolver_create(const convoy_deconvolution_spec* spec, const convoy_image* psf, const convoy_device* device,
                                                  int32_t image_element, int32_t output_element, const convoy_options* options,
                                                  convoy_resident_deconvolver** deconvolver);
/* Queues all iterations and returns without waiting (on the CPU it blocks). */
CONVOY_API int convoy_resident_deconvolver_run(convoy_resident_deconvolver* deconvolver, const convoy_device_array* image,
                                               const convoy_device_array* output, uint64_t stream);
/* Blocks until all runs are done. */
CONVOY_API int convoy_resident_deconvolver_wait(convoy_resident_deconvolver* deconvolver);
/* Waits for what is queued. Null is let be. */
CONVOY_API void convoy_resident_deconvolver_destroy(convoy_resident_deconvolver* deconvolver);

#ifdef __cplusplus
}
#endif

#endif

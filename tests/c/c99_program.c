/* A plain C99 program that uses the whole of convoy.h: results against direct sums in double precision, statuses and texts of what
   goes wrong, and structs of callers older and newer than the library. */
#include <convoy.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

static void expect(int holds, const char* what, int line) {
  if (holds) return;
  fprintf(stderr, "line %d: %s; last error: %s\n", line, what, convoy_last_error());
  ++failures;
}
#define EXPECT(condition) expect((condition) ? 1 : 0, #condition, __LINE__)
#define EXPECT_OK(call) EXPECT((call) == CONVOY_OK)
#define EXPECT_REFUSED(status, words, call) EXPECT((call) == (status) && strstr(convoy_last_error(), words) != NULL)

enum { NZ = 6, NY = 9, NX = 11, KZ = 3, KY = 4, KX = 5, VOXELS = NZ * NY * NX, TAPS = KZ * KY * KX };
static float image[2 * VOXELS], kernel[2 * TAPS], output[4 * VOXELS];

/* Zero-mean values, the same everywhere. */
static void fill_random(float* values, int count, unsigned seed) {
  int i;
  for (i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    values[i] = (float)((double)(seed >> 8) / 8388608.0 - 1.0);
  }
}

/* Mode same, boundary zero, origin floor(k/2). */
static double direct_sum(const float* from, const float* taps, int z, int y, int x) {
  double sum = 0;
  int a, b, c;
  for (a = 0; a < KZ; ++a) {
    for (b = 0; b < KY; ++b) {
      for (c = 0; c < KX; ++c) {
        const int i = z + KZ / 2 - a, j = y + KY / 2 - b, k = x + KX / 2 - c;
        if (i < 0 || i >= NZ || j < 0 || j >= NY || k < 0 || k >= NX) continue;
        sum += (double)from[(i * NY + j) * NX + k] * (double)taps[(a * KY + b) * KX + c];
      }
    }
  }
  return sum;
}

/* |output - direct| / |direct| in the Euclidean norm. */
static double relative_error(const float* from, const float* taps, const float* found) {
  double differences = 0, norm = 0;
  int z, y, x;
  for (z = 0; z < NZ; ++z) {
    for (y = 0; y < NY; ++y) {
      for (x = 0; x < NX; ++x) {
        const double truth = direct_sum(from, taps, z, y, x), difference = (double)found[(z * NY + y) * NX + x] - truth;
        differences += difference * difference;
        norm += truth * truth;
      }
    }
  }
  return sqrt(differences / norm);
}

static convoy_image image_of(float* voxels, int z, int y, int x, int batch) {
  convoy_image view;
  memset(&view, 0, sizeof view);
  view.struct_size = sizeof view;
  view.data = voxels;
  view.element = CONVOY_F32;
  view.shape[0] = z;
  view.shape[1] = y;
  view.shape[2] = x;
  view.batch = batch;
  return view;
}

static convoy_convolution_spec spec_of(int batch, int num_kernels) {
  convoy_convolution_spec spec;
  EXPECT_OK(convoy_convolution_spec_init(&spec, sizeof spec));
  spec.image[0] = NZ;
  spec.image[1] = NY;
  spec.image[2] = NX;
  spec.kernel[0] = KZ;
  spec.kernel[1] = KY;
  spec.kernel[2] = KX;
  spec.batch = batch;
  spec.num_kernels = num_kernels;
  return spec;
}

static int count_calls(void* user, const convoy_progress* progress) {
  EXPECT(progress->done <= progress->total);
  EXPECT(progress->fraction > 0 && progress->fraction <= 1);
  ++*(int*)user;
  return 0;
}
static int stop_at_once(void* user, const convoy_progress* progress) {
  (void)user;
  (void)progress;
  return 1;
}
static void keep_log(void* user, const char* topic, const char* message) {
  (void)message;
  if (strcmp(topic, "plan") == 0) *(int*)user = 1;
}
static int read_box(void* user, const int64_t begin[3], const int64_t size[3], void* voxels) {
  int64_t z, y;
  if (user == NULL) return 5;
  for (z = 0; z < size[0]; ++z) {
    for (y = 0; y < size[1]; ++y) {
      memcpy((float*)voxels + (z * size[1] + y) * size[2], (float*)user + ((begin[0] + z) * NY + begin[1] + y) * NX + begin[2],
             (size_t)size[2] * sizeof(float));
    }
  }
  return 0;
}
static int write_box(void* user, const int64_t begin[3], const int64_t size[3], const void* voxels) {
  int64_t z, y;
  for (z = 0; z < size[0]; ++z) {
    for (y = 0; y < size[1]; ++y) {
      memcpy((float*)user + ((begin[0] + z) * NY + begin[1] + y) * NX + begin[2], (const float*)voxels + (z * size[1] + y) * size[2],
             (size_t)size[2] * sizeof(float));
    }
  }
  return 0;
}

static void test_errors(void) {
  convoy_device* device = NULL;
  convoy_convolution_spec spec = spec_of(1, 1);
  int64_t shape[3];
  int32_t count = -1;
  EXPECT(strcmp(convoy_status_name(CONVOY_OUT_OF_MEMORY), "out_of_memory") == 0);
  EXPECT(strcmp(convoy_status_name(77), "unknown") == 0);
  EXPECT_REFUSED(CONVOY_INVALID_ARGUMENT, "unknown backend 'tpu'", convoy_device_open("tpu", &device));
  EXPECT(device == NULL);
  EXPECT_REFUSED(CONVOY_INVALID_ARGUMENT, "id is null", convoy_device_open(NULL, &device));
  EXPECT_REFUSED(CONVOY_INVALID_ARGUMENT, "no backend 'tpu'", convoy_device_count("tpu", &count));
  EXPECT_REFUSED(CONVOY_INVALID_ARGUMENT, "no variable 'CONVOY_NONE'", convoy_set_variable("CONVOY_NONE", "1"));
  spec.mode = 17;
  EXPECT_REFUSED(CONVOY_INVALID_ARGUMENT, "mode is 17", convoy_output_shape(&spec, shape, NULL));
  spec = spec_of(1, 1);
  spec.kernel[1] = -3;
  EXPECT_REFUSED(CONVOY_INVALID_ARGUMENT, "-3", convoy_output_shape(&spec, shape, NULL));
  spec.struct_size = 0;
  EXPECT_REFUSED(CONVOY_INVALID_ARGUMENT, "spec.struct_size is 0", convoy_output_shape(&spec, shape, NULL));
}

/* A caller of an older release has shorter structs, one of a newer release longer ones. */
static void test_struct_sizes(void) {
  struct {
    convoy_convolution_spec spec;
    int32_t later[2];
  } newer;
  convoy_convolution_spec older = spec_of(1, 1);
  convoy_run_report report;
  int64_t shape[3] = {0, 0, 0}, num_outputs = 0;
  older.struct_size = offsetof(convoy_convolution_spec, batch);
  older.num_kernels = -1; /* not read */
  EXPECT_OK(convoy_output_shape(&older, shape, &num_outputs));
  EXPECT(shape[0] == NZ && shape[1] == NY && shape[2] == NX && num_outputs == 1);

  newer.later[0] = newer.later[1] = -1;
  EXPECT_OK(convoy_convolution_spec_init(&newer.spec, sizeof newer));
  EXPECT(newer.later[0] == 0 && newer.spec.struct_size == sizeof newer && newer.spec.mode == CONVOY_SAME);
  EXPECT_OK(convoy_output_shape(&newer.spec, shape, NULL));
  newer.later[1] = 1;
  EXPECT_REFUSED(CONVOY_UNSUPPORTED, "newer", convoy_output_shape(&newer.spec, shape, NULL));

  memset(&report, 0x55, sizeof report);
  report.struct_size = offsetof(convoy_run_report, num_tiles);
  {
    convoy_convolution_spec spec = spec_of(1, 1);
    convoy_image from = image_of(image, NZ, NY, NX, 1), taps = image_of(kernel, KZ, KY, KX, 1), to = image_of(output, NZ, NY, NX, 1);
    convoy_device* device = NULL;
    convoy_convolver* convolver = NULL;
    EXPECT_OK(convoy_device_open("cpu", &device));
    EXPECT_OK(convoy_convolver_create(&spec, &taps, (const convoy_device* const*)&device, 1, NULL, &convolver));
    EXPECT_OK(convoy_convolver_run(convolver, &from, &to, &report));
    EXPECT(report.elapsed_seconds > 0 && report.num_tiles == 0x5555555555555555);
    convoy_convolver_destroy(convolver);
    convoy_device_release(device);
  }
}

static void test_devices(const convoy_device* device) {
  convoy_device_info info;
  uint64_t free_bytes = 0, used_bytes = 1, total_bytes = 0;
  int32_t count = 0, all = 0;
  char* id = NULL;
  void* pinned = NULL;
  memset(&info, 0, sizeof info);
  info.struct_size = sizeof info;
  EXPECT_OK(convoy_device_get_info(device, &info));
  EXPECT(strncmp(info.id, "cpu", 3) == 0 && info.type == CONVOY_CPU && info.supports_f64 == 1 && info.memory_is_host == 1);
  EXPECT_OK(convoy_device_memory(device, &free_bytes, &used_bytes, &total_bytes));
  EXPECT(free_bytes > 0 && free_bytes <= total_bytes && used_bytes == 0);
  EXPECT_OK(convoy_device_count("cpu", &count));
  EXPECT_OK(convoy_device_count(NULL, &all));
  EXPECT(count == 1 && all >= count);
  EXPECT_OK(convoy_device_id("cpu", 0, &id));
  EXPECT(id != NULL && strcmp(id, info.id) == 0);
  convoy_string_free(id);
  EXPECT_REFUSED(CONVOY_INVALID_ARGUMENT, "no device 1", convoy_device_id("cpu", 1, &id));
  EXPECT_OK(convoy_pinned_alloc(device, 4096, &pinned));
  memset(pinned, 1, 4096);
  convoy_pinned_free(pinned);
  convoy_pinned_free(NULL);
}

static void test_convolution(const convoy_device* device) {
  convoy_convolution_spec spec = spec_of(1, 1);
  convoy_image from = image_of(image, NZ, NY, NX, 1), taps = image_of(kernel, KZ, KY, KX, 1), to = image_of(output, NZ, NY, NX, 1);
  const convoy_device* devices[1];
  convoy_options options;
  convoy_convolver* convolver = NULL;
  convoy_run_report report;
  convoy_stop* stop = NULL;
  char* json = NULL;
  const char* failure = NULL;
  int64_t num_tiles = 0, shape[3], num_outputs = 0;
  int calls = 0, logged = 0, i;
  devices[0] = device;

  EXPECT_OK(convoy_convolve(&from, &taps, NULL, device, &to));
  EXPECT(relative_error(image, kernel, output) < 1e-6);

  EXPECT_OK(convoy_plan_json(&spec, device, NULL, &json));
  EXPECT(json != NULL && strstr(json, "\"kind\": \"convolution\"") != NULL );
  convoy_string_free(json);

  EXPECT_OK(convoy_options_init(&options, sizeof options));
  options.progress = count_calls;
  options.progress_user = &calls;
  options.sums = 1;
  EXPECT_OK(convoy_set_log_callback(keep_log, &logged));
  EXPECT_OK(convoy_convolver_create(&spec, &taps, devices, 1, &options, &convolver));
  EXPECT_OK(convoy_set_log_callback(NULL, NULL));
  EXPECT(logged == 1);
  memset(output, 0, sizeof output);
  memset(&report, 0, sizeof report);
  report.struct_size = sizeof report;
  EXPECT_OK(convoy_convolver_run(convolver, &from, &to, &report));
  EXPECT(relative_error(image, kernel, output) < 1e-6 && calls > 0);
  {
    double sum = 0;
    for (i = 0; i < VOXELS; ++i) sum += (double)image[i];
    EXPECT(report.num_tiles >= 1 && fabs(report.input_sum - sum) < 1e-9 && report.kernel_factor == 1.0);
  }
  EXPECT_OK(convoy_convolver_share(convolver, 0, &num_tiles, &failure));
  EXPECT(num_tiles == report.num_tiles && failure != NULL && *failure == '\0');
  EXPECT_OK(convoy_convolver_plan_json(convolver, &json));
  convoy_string_free(json);
  from.shape[2] = NX + 1;
  EXPECT_REFUSED(CONVOY_INVALID_ARGUMENT, "12", convoy_convolver_run(convolver, &from, &to, NULL));
  from.shape[2] = NX;
  from.data = NULL;
  EXPECT_REFUSED(CONVOY_INVALID_ARGUMENT, "image.data is null", convoy_convolver_run(convolver, &from, &to, NULL));
  from.data = image;
  convoy_convolver_destroy(convolver);

  /* Strides: the image read backwards along x is the image whose rows are reversed. */
  {
    static float reversed[VOXELS];
    int64_t strides[4] = {NY * NX * 4, NX * 4, -4, VOXELS * 4};
    for (i = 0; i < VOXELS; ++i) reversed[i] = image[i / NX * NX + NX - 1 - i % NX];
    from.data = reversed + NX - 1;
    from.strides = strides;
    EXPECT_OK(convoy_convolve(&from, &taps, NULL, device, &to));
    EXPECT(relative_error(image, kernel, output) < 1e-6);
    from.data = image;
    from.strides = NULL;
  }

  /* Two images with two kernels: four outputs, those of an image one behind the other. */
  spec = spec_of(2, 2);
  from.batch = 2;
  taps.batch = 2;
  to.batch = 4;
  EXPECT_OK(convoy_output_shape(&spec, shape, &num_outputs));
  EXPECT(num_outputs == 4);
  EXPECT_OK(convoy_convolver_create(&spec, &taps, devices, 1, NULL, &convolver));
  EXPECT_OK(convoy_convolver_run(convolver, &from, &to, NULL));
  for (i = 0; i < 4; ++i) EXPECT(relative_error(image + i / 2 * VOXELS, kernel + i % 2 * TAPS, output + i * VOXELS) < 1e-6);
  convoy_convolver_destroy(convolver);
  memset(output, 0, sizeof output);
  EXPECT_OK(convoy_convolve(&from, &taps, NULL, device, &to));
  EXPECT(relative_error(image + VOXELS, kernel + TAPS, output + 3 * VOXELS) < 1e-6);
  from.batch = taps.batch = to.batch = 0;
  spec = spec_of(1, 1);

  /* Stops: by progress, and by any thread. */
  options.progress = stop_at_once;
  options.memory_limit_bytes = 2000; /* several tiles: the last one ends a run anyhow */
  EXPECT_OK(convoy_convolver_create(&spec, &taps, devices, 1, &options, &convolver));
  EXPECT_REFUSED(CONVOY_CANCELLED, "", convoy_convolver_run(convolver, &from, &to, NULL));
  convoy_convolver_destroy(convolver);
  EXPECT_OK(convoy_options_init(&options, sizeof options));
  EXPECT_OK(convoy_stop_create(&stop));
  options.stop = stop;
  EXPECT_OK(convoy_convolver_create(&spec, &taps, devices, 1, &options, &convolver));
  EXPECT_OK(convoy_stop_request(stop));
  convoy_stop_destroy(stop);
  EXPECT_REFUSED(CONVOY_CANCELLED, "", convoy_convolver_run(convolver, &from, &to, NULL));
  convoy_convolver_destroy(convolver);

  /* Box by box. */
  {
    convoy_reader reader;
    convoy_writer writer;
    memset(&reader, 0, sizeof reader);
    memset(&writer, 0, sizeof writer);
    reader.struct_size = sizeof reader;
    writer.struct_size = sizeof writer;
    memcpy(reader.shape, spec.image, sizeof reader.shape);
    memcpy(writer.shape, spec.image, sizeof writer.shape);
    reader.element = writer.element = CONVOY_F32;
    reader.read = read_box;
    writer.write = write_box;
    reader.user = image;
    writer.user = output;
    EXPECT_OK(convoy_options_init(&options, sizeof options));
    options.streaming = 1;
    EXPECT_OK(convoy_convolver_create(&spec, &taps, devices, 1, &options, &convolver));
    memset(output, 0, sizeof output);
    EXPECT_OK(convoy_convolver_run_stream(convolver, &reader, &writer, &report));
    EXPECT(relative_error(image, kernel, output) < 1e-6);
    reader.user = NULL;
    EXPECT_REFUSED(CONVOY_IO, "the callback of image returned 5", convoy_convolver_run_stream(convolver, &reader, &writer, NULL));
    convoy_convolver_destroy(convolver);
  }
  options.memory_limit_bytes = 10;
  EXPECT_REFUSED(CONVOY_OUT_OF_MEMORY, "memory limit", convoy_plan_json(&spec, device, &options, &json));
}

static void test_device_arrays(const convoy_device* device) {
  convoy_convolution_spec spec = spec_of(1, 1);
  convoy_image taps = image_of(kernel, KZ, KY, KX, 1);
  convoy_device_buffer *in = NULL, *out = NULL;
  convoy_device_array from, to;
  convoy_resident_convolver* convolver = NULL;
  memset(&from, 0, sizeof from);
  from.struct_size = sizeof from;
  from.element = CONVOY_F32;
  memcpy(from.shape, spec.image, sizeof from.shape);
  to = from;
  EXPECT_OK(convoy_device_buffer_create(device, VOXELS * 4, &in, &from.handle));
  EXPECT_OK(convoy_device_buffer_create(device, VOXELS * 4, &out, &to.handle));
  EXPECT_OK(convoy_device_buffer_write(in, image, VOXELS * 4, 0));
  EXPECT_OK(convoy_resident_convolver_create(&spec, &taps, device, CONVOY_F32, CONVOY_F32, NULL, &convolver));
  EXPECT_OK(convoy_resident_convolver_run(convolver, &from, &to, 0));
  EXPECT_OK(convoy_resident_convolver_wait(convolver));
  memset(output, 0, sizeof output);
  EXPECT_OK(convoy_device_buffer_read(out, output, VOXELS * 4, 0));
  EXPECT(relative_error(image, kernel, output) < 1e-6);
  EXPECT_REFUSED(CONVOY_INVALID_ARGUMENT, "", convoy_device_buffer_read(out, output, VOXELS * 4, 4));
  convoy_resident_convolver_destroy(convolver);
  convoy_device_buffer_destroy(in);
  convoy_device_buffer_destroy(out);
}

static double squared_difference(const float* a, const float* b) {
  double sum = 0;
  int i;
  for (i = 0; i < VOXELS; ++i) sum += (double)(a[i] - b[i]) * (double)(a[i] - b[i]);
  return sum;
}

static void test_deconvolution(const convoy_device* device) {
  static float truth[VOXELS], psf[TAPS], blurred[VOXELS], restored[VOXELS];
  convoy_image sharp = image_of(truth, NZ, NY, NX, 1), light = image_of(psf, KZ, KY, KX, 1), from = image_of(blurred, NZ, NY, NX, 1),
               to = image_of(restored, NZ, NY, NX, 1);
  convoy_deconvolution_spec spec;
  convoy_deconvolution_report report;
  convoy_iteration_sums curve[21];
  convoy_options options;
  convoy_deconvolver* deconvolver = NULL;
  char* json = NULL;
  const char* failure = NULL;
  size_t count = 0;
  int calls = 0, i;
  for (i = 0; i < VOXELS; ++i) truth[i] = 1;
  truth[(2 * NY + 4) * NX + 5] = 100;
  for (i = 0; i < TAPS; ++i) psf[i] = 1.0f / TAPS;
  EXPECT_OK(convoy_convolve(&sharp, &light, NULL, device, &from));

  EXPECT_OK(convoy_deconvolution_spec_init(&spec, sizeof spec));
  memcpy(spec.image, sharp.shape, sizeof spec.image);
  memcpy(spec.psf, light.shape, sizeof spec.psf);
  spec.iterations = 20;
  spec.acceleration = CONVOY_ACCELERATION_NONE; /* so that the divergence falls in each iteration */
  spec.edges = CONVOY_EDGES_ZERO;
  EXPECT_OK(convoy_deconvolution_plan_json(&spec, device, NULL, &json));
  EXPECT(json != NULL && strstr(json, "\"kind\": \"deconvolution\"") != NULL);
  convoy_string_free(json);
  EXPECT_OK(convoy_options_init(&options, sizeof options));
  options.curve = 1;
  options.progress = count_calls;
  options.progress_user = &calls;
  EXPECT_OK(convoy_deconvolver_create(&spec, &light, &device, 1, &options, &deconvolver));
  memset(&report, 0, sizeof report);
  report.struct_size = sizeof report;
  EXPECT_OK(convoy_deconvolver_run(deconvolver, &from, NULL, &to, &report));
  EXPECT(report.iterations == 20 && report.stop_reason == CONVOY_STOPPED_BY_ITERATIONS && calls > 0);
  EXPECT(squared_difference(restored, truth) < 0.5 * squared_difference(blurred, truth));
  curve[0].struct_size = sizeof curve[0];
  EXPECT_OK(convoy_deconvolver_curve(deconvolver, curve, 21, &count));
  EXPECT(count == 21 && curve[20].iteration == 20);
  for (i = 1; i < 21; ++i) EXPECT(curve[i].divergence < curve[i - 1].divergence);
  EXPECT_OK(convoy_deconvolver_curve(deconvolver, NULL, 0, &count));
  EXPECT_OK(convoy_deconvolver_share(deconvolver, 0, NULL, &failure));
  EXPECT(*failure == '\0');

  from.data = NULL;
  EXPECT_REFUSED(CONVOY_INVALID_ARGUMENT, "image.data is null", convoy_deconvolver_run(deconvolver, &from, NULL, &to, NULL));
  {
    static float streamed[VOXELS];
    convoy_reader reader;
    convoy_writer writer;
    memset(&reader, 0, sizeof reader);
    memset(&writer, 0, sizeof writer);
    reader.struct_size = sizeof reader;
    writer.struct_size = sizeof writer;
    memcpy(reader.shape, spec.image, sizeof reader.shape);
    memcpy(writer.shape, spec.image, sizeof writer.shape);
    reader.element = writer.element = CONVOY_F32;
    reader.read = read_box;
    writer.write = write_box;
    reader.user = blurred;
    writer.user = streamed;
    EXPECT_OK(convoy_deconvolver_run_stream(deconvolver, &reader, NULL, &writer, &report));
    EXPECT(squared_difference(streamed, restored) == 0);
  }
  convoy_deconvolver_destroy(deconvolver);
}

int main(void) {
  convoy_device* device = NULL;
  fill_random(image, 2 * VOXELS, 1);
  fill_random(kernel, 2 * TAPS, 2);
  EXPECT_OK(convoy_device_open("cpu", &device));
  if (device == NULL) return 1;
  test_errors();
  test_struct_sizes();
  test_devices(device);
  test_convolution(device);
  test_device_arrays(device);
  test_deconvolution(device);
  convoy_device_release(device);
  convoy_device_release(NULL);
  if (failures != 0) fprintf(stderr, "%d failures\n", failures);
  else printf("convoy %s from C99: all as expected\n", convoy_version());
  return failures != 0;
}

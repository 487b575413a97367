#include "c_api/convert.hpp"

namespace convoy::c_api {
namespace {

constexpr Choice<Method> kMethods[] = {{CONVOY_METHOD_AUTO, Method::automatic},
                                       {CONVOY_METHOD_FFT, Method::fft},
                                       {CONVOY_METHOD_DIRECT, Method::direct},
                                       {CONVOY_METHOD_SEPARABLE, Method::separable}};
constexpr Choice<std::optional<Path>> kPaths[] = {{CONVOY_PATH_AUTO, std::nullopt},
                                                  {CONVOY_PATH_NATIVE, Path::native},
                                                  {CONVOY_PATH_FUSED, Path::fused},
                                                  {CONVOY_PATH_STAGED, Path::staged}};
constexpr Choice<Tune> kTunes[] = {
    {CONVOY_TUNE_OFF, Tune::off}, {CONVOY_TUNE_MODEL, Tune::model}, {CONVOY_TUNE_MEASURE, Tune::measure}};

convoy_options option_defaults() {
  const PlanOptions plan;
  convoy_options result{};
  result.method = number_of(kMethods, plan.method);
  result.path = number_of(kPaths, plan.path);
  result.tune = number_of(kTunes, plan.tune);
  result.deterministic = plan.deterministic ? 1 : 0;
  result.read_element = result.write_element = CONVOY_F32;
  shape_to({1, 1, 1}, result.read_chunk);
  shape_to({1, 1, 1}, result.write_chunk);
  return result;
}

/// Of a convoy_image or convoy_device_array, whose batch of 0 is 1.
template <class Given>
Index batch_of(const Given& given) {
  return given.batch == 0 ? 1 : given.batch;
}

}  // namespace

Options options_from(const convoy_options* given) {
  Options options;
  if (given == nullptr) return options;
  const convoy_options from = read_struct(given, option_defaults(), "options");
  options.plan.memory_limit_bytes = from.memory_limit_bytes;
  options.plan.host_memory_limit_bytes = from.host_memory_limit_bytes;
  options.plan.method = choose(kMethods, from.method, "method");
  options.plan.path = choose(kPaths, from.path, "path");
  options.plan.tune = choose(kTunes, from.tune, "tune");
  options.plan.deterministic = from.deterministic != 0;
  if (from.streaming != 0) {
    Streaming& streaming = options.plan.streaming.emplace();
    streaming.read = element_from(from.read_element, "read_element");
    streaming.write = element_from(from.write_element, "write_element");
    streaming.read_chunk = shape_from(from.read_chunk);
    streaming.write_chunk = shape_from(from.write_chunk);
  }
  options.sums = from.sums != 0;
  options.curve = from.curve != 0;
  if (from.progress != nullptr) {
    options.progress = [call = from.progress, user = from.progress_user](const convoy_progress& now) {
      return call(user, &now) == 0;
    };
  }
  if (from.stop != nullptr) options.stop = from.stop->source.get_token();
  if (from.weights != nullptr) options.weights = view_of(from.weights, "weights");
  return options;
}

MutableImageView mutable_view_of(const convoy_image* given, const char* what) {
  const convoy_image from = read_struct(given, convoy_image{}, what);
  if (from.data == nullptr) refuse(fmt::format("{}.data is null", what));
  std::optional<Strides> strides;
  if (from.strides != nullptr) strides = Strides{from.strides[0], from.strides[1], from.strides[2], from.strides[3]};
  return {from.data, element_from(from.element, what), shape_from(from.shape), batch_of(from), strides};
}

ImageView view_of(const convoy_image* given, const char* what) { return mutable_view_of(given, what); }

DeviceArray array_of(const convoy_device_array* given, const char* what) {
  const convoy_device_array from = read_struct(given, convoy_device_array{}, what);
  DeviceArray array(from.handle, element_from(from.element, what), shape_from(from.shape));
  array.offset_bytes = from.offset_bytes;
  array.batch = batch_of(from);
  return array;
}

}  // namespace convoy::c_api

using namespace convoy::c_api;

int convoy_options_init(convoy_options* options, size_t struct_size) {
  return guarded([&] { write_struct(options, struct_size, option_defaults(), "options"); });
}

int convoy_stop_create(convoy_stop** stop) {
  return guarded([&] { give(stop, "stop"); });
}

int convoy_stop_request(convoy_stop* stop) {
  return guarded([&] { required(stop, "stop").source.request_stop(); });
}

void convoy_stop_destroy(convoy_stop* stop) { delete stop; }

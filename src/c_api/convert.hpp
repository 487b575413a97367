// Structs and numbers of convoy.h as values of C++, and back.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "c_api/status.hpp"
#include "convoy/convolution.hpp"
#include "convoy/deconvolution.hpp"
#include "convoy/device_share.hpp"
#include "convoy/image.hpp"
#include "convoy/resident.hpp"

struct convoy_device {
  convoy::Device device;
};
struct convoy_stop {
  std::stop_source source;
};

namespace convoy::c_api {

/// A constant of convoy.h and what it means.
template <class Value>
struct Choice {
  std::int32_t number;
  Value value;
};

template <class Value, std::size_t count>
Value choose(const Choice<Value> (&table)[count], std::int32_t number, const char* what) {
  for (const Choice<Value>& choice : table) {
    if (choice.number == number) return choice.value;
  }
  refuse(fmt::format("{} is {}, which is none of its constants", what, number));
}
template <class Value, std::size_t count>
std::int32_t number_of(const Choice<Value> (&table)[count], Value value) {
  for (const Choice<Value>& choice : table) {
    if (choice.value == value) return choice.number;
  }
  refuse("convoy.h has no constant for a default of the library");
}

Shape shape_from(const std::int64_t (&extents)[3]);
void shape_to(const Shape& shape, std::int64_t* extents);
Element element_from(std::int32_t number, const char* what);

ImageView view_of(const convoy_image* image, const char* what);
MutableImageView mutable_view_of(const convoy_image* image, const char* what);
DeviceArray array_of(const convoy_device_array* array, const char* what);

ConvolutionSpec spec_from(const convoy_convolution_spec* spec);
DeconvolutionSpec spec_from(const convoy_deconvolution_spec* spec);

std::vector<Device> devices_from(const convoy_device* const* devices, std::size_t num_devices);
/// What convoy_convolver_share and its like give.
void share_of(const std::vector<DeviceShare>& shares, std::size_t index, std::int64_t* num_tiles, const char** failure);

/// All that convoy_options says, for whichever object takes it.
struct Options {
  PlanOptions plan;
  bool sums = false;
  bool curve = false;
  std::function<bool(const convoy_progress&)> progress;
  std::stop_token stop;
  std::optional<ImageView> weights;
};
/// `options` may be null.
Options options_from(const convoy_options* options);

void write_report(convoy_run_report* target, const RunReport& report);
void write_report(convoy_deconvolution_report* target, const DeconvolutionReport& report);

/// A handle that the caller owns from then on.
template <class Handle, class... Arguments>
void give(Handle** target, const char* what, Arguments&&... arguments) {
  Handle*& handle = required(target, what);
  handle = new Handle{std::forward<Arguments>(arguments)...};
}

}  // namespace convoy::c_api

#include "arrays.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace convoy::python {
namespace {

using nb::dlpack::dtype_code;

dtype_code code_of(const ElementFacts& facts) {
  if (facts.element == Element::bf16) return dtype_code::Bfloat;
  switch (facts.kind) {
    case NumberKind::unsigned_integer:
      return dtype_code::UInt;
    case NumberKind::signed_integer:
      return dtype_code::Int;
    case NumberKind::floating:
      return dtype_code::Float;
    case NumberKind::complex:
      return dtype_code::Complex;
  }
  return dtype_code::UInt;
}

std::string axes_of(const InputArray& array) {
  std::string text;
  for (std::size_t axis = 0; axis < array.ndim(); ++axis)
    text += (axis > 0 ? "x" : "") + std::to_string(array.shape(axis));
  return text;
}

/// Where the voxels of `batch` images lie, of which the last axes are z, y, x as far as they have the shape's extents,
/// and those before them number the images.
Strides strides_of(const InputArray& array, const Shape& shape, Index batch, const char* what) {
  if (static_cast<Index>(array.size()) != batch * num_voxels(shape)) {
    throw nb::value_error((std::string(what) + " is " + axes_of(array) + ", not " + std::to_string(batch) +
                           " images of " + to_text(shape))
                              .c_str());
  }
  const auto bytes = static_cast<Index>(array.itemsize());
  Strides strides;
  std::size_t left = array.ndim();
  for (int axis = 2; axis >= 0 && left > 0 && static_cast<Index>(array.shape(left - 1)) == shape[axis]; --axis) {
    strides[axis] = array.stride(--left) * bytes;
  }
  Index images = 1;
  while (left > 0) {
    const auto extent = static_cast<Index>(array.shape(--left));
    const Index distance = array.stride(left) * bytes;
    if (images == 1)
      strides.image = distance;
    else if (extent > 1 && distance != images * strides.image) {
      throw nb::type_error((std::string(what) + " has images at uneven distances; make it dense").c_str());
    }
    images *= extent;
  }
  return strides;
}

bool is_dense(const InputArray& array) {
  std::int64_t expected = 1;
  for (std::size_t axis = array.ndim(); axis-- > 0;) {
    if (array.shape(axis) != 1 && array.stride(axis) != expected) return false;
    expected *= static_cast<std::int64_t>(array.shape(axis));
  }
  return true;
}

void require_host(const InputArray& array, const char* what) {
  if (array.device_type() != nb::device::cpu::value) {
    throw nb::type_error((std::string(what) + " does not lie in host memory").c_str());
  }
}

void* address_of(const InputArray& array) { return const_cast<void*>(static_cast<const void*>(array.data())); }

}  // namespace

Element element_of_dtype(const nb::dlpack::dtype& type, const char* what) {
  if (type.lanes == 1) {
    const auto code = static_cast<dtype_code>(type.code);
    if (code == dtype_code::Bool && type.bits == 8) return Element::u8;
    for (const ElementFacts& facts : kElements) {
      if (code == code_of(facts) && type.bits == 8 * facts.bytes) return facts.element;
    }
  }
  throw nb::type_error(
      (std::string(what) +
       " has a dtype that convoy does not read: bool, integers of 8 to 32 bits, floats and complex numbers")
          .c_str());
}

nb::dlpack::dtype dlpack_dtype(Element element) {
  const ElementFacts& known = facts_of(element);
  return {static_cast<std::uint8_t>(code_of(known)), static_cast<std::uint8_t>(8 * known.bytes), 1};
}

const char* dtype_name(Element element) {
  switch (element) {
    case Element::u8:
      return "uint8";
    case Element::u16:
      return "uint16";
    case Element::f32:
      return "float32";
    case Element::f64:
      return "float64";
    case Element::i8:
      return "int8";
    case Element::i16:
      return "int16";
    case Element::u32:
      return "uint32";
    case Element::i32:
      return "int32";
    case Element::f16:
      return "float16";
    case Element::bf16:
      return "bfloat16";
    case Element::c64:
      return "complex64";
    case Element::c128:
      return "complex128";
  }
  return "unknown";
}

Element element_from_name(const std::string& name) {
  for (const ElementFacts& facts : kElements) {
    if (name == dtype_name(facts.element)) return facts.element;
  }
  throw nb::type_error(("convoy has no voxels of dtype " + name).c_str());
}

Index num_images_of(const InputArray& array, const Shape& shape) {
  return std::max<Index>(1, static_cast<Index>(array.size()) / num_voxels(shape));
}

ImageView host_view(const InputArray& array, const Shape& shape, Index batch, const char* what) {
  require_host(array, what);
  const Element element = element_of_dtype(array.dtype(), what);
  const Strides strides = strides_of(array, shape, batch, what);
  if (is_dense(array)) return {array.data(), element, shape, batch};
  return {array.data(), element, shape, batch, strides};
}

MutableImageView host_view(const OutputArray& array, const Shape& shape, Index batch, const char* what) {
  const ImageView view = host_view(InputArray(array), shape, batch, what);
  return {const_cast<void*>(view.data), view.element, shape, batch, view.strides};
}

DeviceArray device_array(const InputArray& array, const Shape& shape, Index batch, const char* what) {
  const Element element = element_of_dtype(array.dtype(), what);
  const Strides strides = strides_of(array, shape, batch, what);
  DeviceArray result(address_of(array), element, shape);
  result.batch = batch;
  if (!is_dense(array)) result.strides = strides;
  return result;
}

}  // namespace convoy::python

#include "arrays.hpp"

#include <array>
#include <string>
#include <utility>

namespace convoy::python {
namespace {

using nb::dlpack::dtype_code;

bool is_dense(const InputArray& array) {
  std::int64_t expected = 1;
  for (std::size_t axis = array.ndim(); axis-- > 0;) {
    if (array.shape(axis) != 1 && array.stride(axis) != expected) return false;
    expected *= static_cast<std::int64_t>(array.shape(axis));
  }
  return true;
}

void require_images(const InputArray& array, const Shape& shape, Index batch, const char* what) {
  if (static_cast<Index>(array.size()) != batch * num_voxels(shape)) {
    throw nb::value_error((std::string(what) + " has " + std::to_string(array.size()) + " voxels, not " +
                           std::to_string(batch) + " images of " + to_text(shape))
                              .c_str());
  }
  if (!is_dense(array)) {
    throw nb::type_error((std::string(what) + " is not dense (C-contiguous); make it so by .contiguous() or "
                                              "ascontiguousarray()")
                             .c_str());
  }
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
      const dtype_code wanted = facts.kind == NumberKind::floating         ? dtype_code::Float
                                : facts.kind == NumberKind::signed_integer ? dtype_code::Int
                                                                           : dtype_code::UInt;
      if (code == wanted && type.bits == 8 * facts.bytes) return facts.element;
    }
    if (code == dtype_code::Complex) {
      throw nb::type_error((std::string(what) + " is complex; convolve real and imaginary part apart").c_str());
    }
  }
  throw nb::type_error((std::string(what) +
                        " has a dtype that convoy does not read: bool, integers of 8 to 32 bits and float16 to float64")
                           .c_str());
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
  }
  return "unknown";
}

Element element_from_name(const std::string& name) {
  for (const ElementFacts& facts : kElements) {
    if (name == dtype_name(facts.element)) return facts.element;
  }
  throw nb::type_error(("convoy has no voxels of dtype " + name).c_str());
}

ImageView host_view(const InputArray& array, const Shape& shape, Index batch, const char* what) {
  require_host(array, what);
  const Element element = element_of_dtype(array.dtype(), what);
  require_images(array, shape, batch, what);
  return {array.data(), element, shape, batch};
}

MutableImageView host_view(const OutputArray& array, const Shape& shape, Index batch, const char* what) {
  const ImageView view = host_view(InputArray(array), shape, batch, what);
  return {const_cast<void*>(view.data), view.element, shape, batch};
}

DeviceArray device_array(const InputArray& array, const Shape& shape, Index batch, const char* what) {
  const Element element = element_of_dtype(array.dtype(), what);
  require_images(array, shape, batch, what);
  DeviceArray result(address_of(array), element, shape);
  result.batch = batch;
  return result;
}

}  // namespace convoy::python

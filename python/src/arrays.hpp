// Arrays of the caller's libraries as convoy's views. Elements, strides and sizes are checked here; what an array means
// (axes, batches, which library) is settled in convoy/_arrays.py.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <convoy/convoy.hpp>

namespace convoy::python {

namespace nb = nanobind;
using InputArray = nb::ndarray<nb::ro>;
using OutputArray = nb::ndarray<>;

/// The element of a dtype; bool is u8. Throws nb::type_error that names `what`.
Element element_of_dtype(const nb::dlpack::dtype& type, const char* what);
/// The element that NumPy calls so: "uint8", "float32" ... Throws nb::type_error.
Element element_from_name(const std::string& name);
nb::dlpack::dtype dlpack_dtype(Element element);
/// As NumPy calls it.
const char* dtype_name(Element element);

/// As many of `shape` as the array has voxels for, at least one.
Index num_images_of(const InputArray& array, const Shape& shape);

/// `batch` images of `shape` in host memory, whatever axes the array itself has. Throws nb::type_error for other
/// memory, elements or strides, nb::value_error for another number of voxels.
ImageView host_view(const InputArray& array, const Shape& shape, Index batch, const char* what);
MutableImageView host_view(const OutputArray& array, const Shape& shape, Index batch, const char* what);

/// The same in any memory, dense, for a ResidentConvolver.
DeviceArray device_array(const InputArray& array, const Shape& shape, Index batch, const char* what);

}  // namespace convoy::python

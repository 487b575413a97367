#include "sliced.hpp"

#include "arrays.hpp"
#include "spec.hpp"

namespace convoy::python {
namespace {

/// With the GIL.
void call(const nb::object& function, const Box& box, void* voxels, Element element) {
  const auto extent = [&](int axis) { return static_cast<std::size_t>(box.size[axis]); };
  const std::size_t shape[3] = {extent(0), extent(1), extent(2)};
  const nb::ndarray<nb::numpy> view(voxels, 3, shape, nb::handle(), nullptr, dlpack_dtype(element));
  const Shape end{box.begin.z + box.size.z, box.begin.y + box.size.y, box.begin.x + box.size.x};
  function(nb::cast(view, nb::rv_policy::reference), to_tuple(box.begin), to_tuple(end));
}

}  // namespace

void SlicedReader::read(const Box& box, std::byte* voxels) const {
  const nb::gil_scoped_acquire gil;
  call(function_, box, voxels, element_);
}

void SlicedWriter::write(const Box& box, const std::byte* voxels) {
  const nb::gil_scoped_acquire gil;
  call(function_, box, const_cast<std::byte*>(voxels), element_);  // the function only reads it
}

SlicedImages::SlicedImages(const std::vector<nb::object>& reads, const Shape& image,
                           const std::vector<nb::object>& writes, const Shape& output, const Streaming& how) {
  for (const nb::object& read : reads) readers_.emplace_back(read, image, how.read, how.read_chunk);
  for (const nb::object& write : writes) writers_.emplace_back(write, output, how.write, how.write_chunk);
}

ImageReaders SlicedImages::readers() const {
  ImageReaders all;
  for (const SlicedReader& one : readers_) all.push_back(&one);
  return all;
}

ImageWriters SlicedImages::writers() {
  ImageWriters all;
  for (SlicedWriter& one : writers_) all.push_back(&one);
  return all;
}

}  // namespace convoy::python

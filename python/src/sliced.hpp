// Arrays that are read and written slice by slice (Zarr, HDF5 ...): Python functions as convoy's readers and writers.
#pragma once

#include <nanobind/nanobind.h>

#include <convoy/convoy.hpp>
#include <vector>

namespace convoy::python {

namespace nb = nanobind;

/// Calls function(voxels, begin, end) for each box, which fills the NumPy array of (z, y, x): convoy/_sliced.py. On
/// convoy's threads, with the GIL; what it raises comes out of the run. The object is to be destroyed with the GIL
/// held.
class SlicedReader final : public ImageReader {
 public:
  SlicedReader(nb::object function, const Shape& shape, Element element, const Shape& chunk)
      : function_(std::move(function)), shape_(shape), element_(element), chunk_(chunk) {}
  Shape shape() const override { return shape_; }
  Element element() const override { return element_; }
  Shape chunk() const override { return chunk_; }
  void read(const Box& box, std::byte* voxels) const override;

 private:
  nb::object function_;
  Shape shape_;
  Element element_;
  Shape chunk_;
};

/// Likewise; the function takes the voxels.
class SlicedWriter final : public ImageWriter {
 public:
  SlicedWriter(nb::object function, const Shape& shape, Element element, const Shape& chunk)
      : function_(std::move(function)), shape_(shape), element_(element), chunk_(chunk) {}
  Shape shape() const override { return shape_; }
  Element element() const override { return element_; }
  Shape chunk() const override { return chunk_; }
  void write(const Box& box, const std::byte* voxels) override;

 private:
  nb::object function_;
  Shape shape_;
  Element element_;
  Shape chunk_;
};

/// Those of a run: a function for each image, and for each output. To be destroyed with the GIL held.
class SlicedImages {
 public:
  SlicedImages(const std::vector<nb::object>& reads, const Shape& image, const std::vector<nb::object>& writes,
               const Shape& output, const Streaming& how);
  ImageReaders readers() const;
  ImageWriters writers();

 private:
  std::vector<SlicedReader> readers_;
  std::vector<SlicedWriter> writers_;
};

}  // namespace convoy::python

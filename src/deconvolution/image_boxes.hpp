// Where a deconvolution takes data from and puts what it restores: images in memory, or read and written box by box.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "convoy/image.hpp"
#include "convoy/stream.hpp"

namespace convoy::inline v0 {

/// Most bytes of a box that is looked through and then forgotten.
inline constexpr Index kBytesAtOnce = Index{32} << 20;

/// An image whose boxes can be had as dense views.
class BoxSource {
 public:
  virtual ~BoxSource() = default;
  virtual Shape shape() const = 0;
  virtual Element element() const = 0;
  /// Planes that one box should have at most, where the whole is looked through.
  virtual Index planes_at_once() const = 0;
  /// Where the voxels lie, or copied to `storage`, which must live as long as the view.
  virtual ImageView read(const Box& box, std::vector<std::byte>& storage) const = 0;
};

class MemoryBoxes final : public BoxSource {
 public:
  /// `image` is dense.
  explicit MemoryBoxes(const ImageView& image) : image_(image) {}
  Shape shape() const override { return image_.shape; }
  Element element() const override { return image_.element; }
  Index planes_at_once() const override { return image_.shape.z; }
  ImageView read(const Box& box, std::vector<std::byte>& storage) const override;

 private:
  ImageView image_;
};

class ReaderBoxes final : public BoxSource {
 public:
  explicit ReaderBoxes(const ImageReader& reader) : reader_(reader) {}
  Shape shape() const override { return reader_.shape(); }
  Element element() const override { return reader_.element(); }
  Index planes_at_once() const override;
  ImageView read(const Box& box, std::vector<std::byte>& storage) const override;

 private:
  const ImageReader& reader_;
};

/// An output whose boxes are written once each.
class BoxSink {
 public:
  virtual ~BoxSink() = default;
  virtual Shape shape() const = 0;
  virtual Element element() const = 0;
  /// Whether the box was written by an earlier run that is being continued.
  virtual bool holds(const Box& box) const = 0;
  /// Where the box's voxels are to be put; before the next box, end() takes them.
  virtual MutableImageView begin(const Box& box) = 0;
  virtual void end(const Box& box) = 0;
};

class MemoryOutput final : public BoxSink {
 public:
  explicit MemoryOutput(const MutableImageView& image) : image_(image) {}
  Shape shape() const override { return image_.shape; }
  Element element() const override { return image_.element; }
  bool holds(const Box&) const override { return false; }
  MutableImageView begin(const Box& box) override;
  void end(const Box&) override {}

 private:
  MutableImageView image_;
};

class WriterOutput final : public BoxSink {
 public:
  explicit WriterOutput(ImageWriter& writer) : writer_(writer) {}
  Shape shape() const override { return writer_.shape(); }
  Element element() const override { return writer_.element(); }
  bool holds(const Box& box) const override { return writer_.holds(box); }
  MutableImageView begin(const Box& box) override;
  /// Gives the buffer back: a run has an output for each of its images.
  void end(const Box& box) override;

 private:
  ImageWriter& writer_;
  std::vector<std::byte> voxels_;
};

}  // namespace convoy::inline v0

// What a file holds: one or several images of one shape, read by region.
#pragma once

#include <cstddef>
#include <cstdint>

#include "convoy/io.hpp"

namespace convoy::io {

struct ImageFacts {
  Shape shape;  ///< of every image
  Element element = Element::f32;
  Shape chunk;  ///< the piece that is cheapest to read
  ImageMetadata metadata;
  std::uint64_t cache_bytes = 0;  ///< memory for decoded pieces
};

class StoredImages {
 public:
  explicit StoredImages(ImageFacts facts) : facts_(std::move(facts)) {}
  virtual ~StoredImages() = default;
  StoredImages(const StoredImages&) = delete;
  StoredImages& operator=(const StoredImages&) = delete;

  const ImageFacts& facts() const { return facts_; }
  ImageMetadata& metadata() { return facts_.metadata; }
  /// As ImageReader::read; image = time * channels + channel.
  virtual void read(Index image, const Box& box, std::byte* voxels) const = 0;

 private:
  ImageFacts facts_;
};

}  // namespace convoy::io

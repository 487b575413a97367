#include "c_api/stream.hpp"

namespace convoy::c_api {
namespace {

/// That of the caller, or a plane.
Shape chunk_of(const std::int64_t (&chunk)[3], const Shape& shape) {
  const Shape given = shape_from(chunk);
  return given == Shape{0, 0, 0} ? Shape{1, shape.y, shape.x} : given;
}

template <class Callback, class Voxels>
void call(Callback callback, void* user, const Box& box, Voxels* voxels, const std::string& what) {
  std::int64_t begin[3], size[3];
  shape_to(box.begin, begin);
  shape_to(box.size, size);
  if (const int status = callback(user, begin, size, voxels); status != 0) {
    throw Error(Errc::io, fmt::format("the callback of {} returned {} for the voxels {}", what, status, to_text(box)));
  }
}

}  // namespace

CallbackReader::CallbackReader(const convoy_reader* reader, const char* what)
    : from_(read_struct(reader, convoy_reader{}, what)),
      what_(what),
      shape_(shape_from(from_.shape)),
      chunk_(chunk_of(from_.chunk, shape_)),
      element_(element_from(from_.element, what)) {
  if (from_.read == nullptr) refuse(what_ + ".read is null");
}

void CallbackReader::read(const Box& box, std::byte* voxels) const { call(from_.read, from_.user, box, voxels, what_); }

CallbackWriter::CallbackWriter(const convoy_writer* writer, const char* what)
    : from_(read_struct(writer, convoy_writer{}, what)),
      what_(what),
      shape_(shape_from(from_.shape)),
      chunk_(chunk_of(from_.chunk, shape_)),
      element_(element_from(from_.element, what)) {
  if (from_.write == nullptr) refuse(what_ + ".write is null");
}

void CallbackWriter::write(const Box& box, const std::byte* voxels) {
  call(from_.write, from_.user, box, voxels, what_);
}

}  // namespace convoy::c_api

// Folders, files and images for the tests of io.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "convoy/error.hpp"
#include "convoy/io.hpp"

namespace convoy::test {

/// An empty folder that goes with the object.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "convoy-io-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }
  std::size_t num_files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

/// The text of the Error(io) that an action throws; fails the test for anything else.
inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK_MESSAGE(error.code() == Errc::io, error.what());
    return error.what();
  }
  FAIL_CHECK("no error");
  return "";
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::filesystem::remove(path);  // some file systems wait for the disk when a file is shortened and written again
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Voxels that differ from one another in every byte.
template <class T>
std::vector<T> numbered_voxels(const Shape& shape) {
  std::vector<T> voxels(static_cast<std::size_t>(num_voxels(shape)));
  for (std::size_t i = 0; i < voxels.size(); ++i)
    voxels[i] = static_cast<T>(static_cast<double>((i * 2654435761U) % 65521) * 1.25);
  return voxels;
}

template <class T>
std::vector<T> voxels_of(const Image& image) {
  REQUIRE(image.element == element_of<T>());
  std::vector<T> voxels(image.bytes.size() / sizeof(T));
  std::memcpy(voxels.data(), image.bytes.data(), image.bytes.size());
  return voxels;
}

/// The text of the Error(io) that reading throws; fails the test when nothing is thrown or the file is not named.
inline std::string reading_error(const std::string& path) {
  try {
    read_image(path);
  } catch (const Error& error) {
    const std::string text = error.what();
    CHECK(error.code() == Errc::io);
    CHECK_MESSAGE(text.rfind(path, 0) == 0, text);
    CHECK_MESSAGE(text.find('\n') == std::string::npos, text);
    return text;
  }
  return "read without an error";
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

#define CHECK_READING_FAILS(path, part)                          \
  do {                                                           \
    const std::string text_of_error = reading_error(path);       \
    CHECK(text_of_error != "read without an error");             \
    CHECK_MESSAGE(contains(text_of_error, part), text_of_error); \
  } while (false)

}  // namespace convoy::test

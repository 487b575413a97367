// The journal finds boxes by their place, whatever their sizes, and stays fast with very many.
#include <chrono>
#include <cmath>
#include <random>

#include "files.hpp"
#include "io/journal.hpp"
#include "io/written_boxes.hpp"

namespace convoy::test {
namespace {

using io::WrittenBox;
using io::WrittenBoxes;

bool touch(const Box& a, const Box& b) { return io::count_of(io::intersection(a, b)) > 0; }

Box random_box(const Shape& shape, std::mt19937& random) {
  Box box;
  for (int axis = 0; axis < 3; ++axis) {
    // Of all sizes from one voxel to the whole axis, small ones more often.
    const double power = std::uniform_real_distribution<double>(0, 1)(random);
    box.size[axis] = static_cast<Index>(std::pow(static_cast<double>(shape[axis]), power));
    box.begin[axis] = std::uniform_int_distribution<Index>(0, shape[axis] - box.size[axis])(random);
  }
  return box;
}

std::uint64_t checksums(const std::vector<WrittenBox>& boxes) {
  std::uint64_t sum = 0;
  for (const WrittenBox& written : boxes) sum += written.checksum * written.checksum;
  return sum;
}

TEST_CASE("boxes of all sizes are found where a look at every one of them finds them") {
  std::mt19937 random(5);
  const Shape shape{40, 70, 100};
  WrittenBoxes boxes;
  std::vector<WrittenBox> all;
  for (std::uint64_t number = 1; number <= 2000; ++number) {
    const Index image = std::uniform_int_distribution<Index>(0, 1)(random);
    const Box box = random_box(shape, random);
    const auto touched = [&](const WrittenBox& written) { return written.image == image && touch(written.box, box); };
    std::vector<WrittenBox> expected;
    std::copy_if(all.begin(), all.end(), std::back_inserter(expected), touched);
    std::vector<WrittenBox> found;
    boxes.filter_touching(image, box, [&](const WrittenBox& written) {
      found.push_back(written);
      return number % 3 == 0;
    });
    REQUIRE(found.size() == expected.size());
    REQUIRE(checksums(found) == checksums(expected));
    if (number % 3 == 0) continue;
    std::erase_if(all, touched);
    const WrittenBox written{image, box, number, true};
    boxes.insert(written);
    all.push_back(written);
  }
  CHECK(all.size() > 20);
  std::size_t num_seen = 0;
  boxes.filter([&](const WrittenBox&) { return ++num_seen < 10; });
  CHECK(num_seen == all.size());
  CHECK_FALSE(boxes.empty());
  boxes.filter([](const WrittenBox&) { return false; });
  CHECK(boxes.empty());
}

TEST_CASE("a journal of 100,000 boxes is read and written in seconds") {
  const Folder folder;
  const Shape shape{100, 1000, 16};
  const io::Journal::ReadBack read_back = [](Index, const Box& box) {
    return std::uint64_t(box.begin.z * 1000 + box.begin.y);
  };
  const auto start = std::chrono::steady_clock::now();
  const auto open = [&] { return io::Journal(folder / "journal", folder / "out.raw", {}, shape, 1); };
  const auto for_each_row = [&](const auto& action) {
    for (Index z = 0; z < shape.z; ++z) {
      for (Index y = 0; y < shape.y; ++y) action(Box{{z, y, 0}, {1, 1, shape.x}});
    }
  };
  {
    io::Journal journal = open();
    for_each_row([&](const Box& row) { journal.add(0, row, *read_back(0, row)); });
  }
  io::Journal journal = open();
  Index num_held = 0;
  for_each_row([&](const Box& row) { num_held += journal.holds(0, row, read_back) ? 1 : 0; });
  CHECK(num_held == 100000);
  CHECK(journal.holds(0, {{0, 0, 0}, shape}, read_back));
  CHECK(journal.proven_voxels(read_back) == 1600000);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  MESSAGE("100,000 boxes written, read and asked for in ", elapsed.count(), " s");
  CHECK(elapsed.count() < 60);  // with a look at every box for each, minutes
}

}  // namespace
}  // namespace convoy::test

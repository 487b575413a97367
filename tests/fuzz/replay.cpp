// Runs a fuzz target without libFuzzer: on every file of its corpus, then on so many changed copies of them, always the
// same ones. Usage: fuzz_NAME CORPUS_FOLDER NUM_CHANGED
#include <algorithm>
#include <iterator>
#include <random>
#include <vector>

#include "target.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;

void run(const Bytes& bytes) { LLVMFuzzerTestOneInput(bytes.data(), bytes.size()); }

/// A few bytes overwritten, left out, put in, or moved.
Bytes changed(Bytes bytes, const std::vector<Bytes>& corpus, std::mt19937& random) {
  static const std::uint8_t interesting[] = {0, 1, 0x7f, 0x80, 0xff, '0', '9', '-', ',', '"', '\n', ':'};
  for (auto left = 1 + random() % 6; left > 0; --left) {
    const std::size_t at = bytes.empty() ? 0 : random() % bytes.size();
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t rest = bytes.size() - at;
    switch (random() % 6) {
      case 0:
        if (rest > 0) *place = static_cast<std::uint8_t>(random());
        break;
      case 1:
        if (rest > 0) *place = interesting[random() % std::size(interesting)];
        break;
      case 2:
        std::fill_n(place, std::min<std::size_t>(rest, random() % 8), interesting[random() % std::size(interesting)]);
        break;
      case 3:
        bytes.erase(place, place + static_cast<std::ptrdiff_t>(std::min<std::size_t>(rest, random() % 16)));
        break;
      case 4:
        bytes.insert(place, 1 + random() % 8, interesting[random() % std::size(interesting)]);
        break;
      default: {
        const Bytes& other = corpus[random() % corpus.size()];
        const std::size_t count = std::min<std::size_t>({rest, other.size(), random() % 64});
        std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(random() % (other.size() - count + 1)), count, place);
      }
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Bytes> corpus;
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    run(corpus.back());
  }
  if (corpus.empty()) return 2;
  std::mt19937 random(1);
  const long num_changed = std::strtol(argv[2], nullptr, 10);
  for (long i = 0; i < num_changed; ++i) run(changed(corpus[random() % corpus.size()], corpus, random));
  run({});
  std::printf("%zu files, %ld changed copies\n", corpus.size(), num_changed);
  return 0;
}

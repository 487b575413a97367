#include "io/journal.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json_text.hpp"
#include "base/path_text.hpp"
#include "io/box.hpp"
#include "io/io_error.hpp"
#include "io/output_file.hpp"

namespace convoy::io {
namespace {

using Json = nlohmann::json;

std::string read_all(const File& file, const std::string& path) {
  std::string text(file.status().size_bytes, '\0');
  const std::int64_t got = file.read_at(0, text.data(), text.size());
  if (got < 0) fail(path, "cannot be read: {}", std::strerror(errno));
  text.resize(static_cast<std::size_t>(got));
  return text;
}

std::string first_line_of(const JobDescription& job) {
  Json json = Json::array();
  for (const auto& [name, value] : job) json.push_back({name, value});
  return Json{{"convoy_journal", 1}, {"job", json}}.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

/// Reads the box back if that has not been done: whether it holds.
bool prove(WrittenBox& written, const Journal::ReadBack& read_back) {
  if (!written.proven) written.proven = read_back(written.image, written.box) == written.checksum;
  return written.proven;
}

}  // namespace

Journal::Journal(const std::string& path, const std::string& output, const JobDescription& job, const Shape& shape,
                 Index num_images)
    : folder_(folder_of(path)),
      name_(text_from(path_from(path).filename())),
      path_(path),
      output_(output),
      shape_(shape),
      num_images_(num_images) {
  open_locked();
  load(job);
}

/// A run that ends meanwhile may have removed the journal between our opening and our locking it.
void Journal::open_locked() {
  do {
    file_ = folder_.open_own_file(name_);
    if (!file_.lock() && errno == EWOULDBLOCK) {
      fail(output_, "is being written by another process, which has locked '{}'", path_);
    }
  } while (!folder_.holds(name_, file_.status().identity));
}

void Journal::load(const JobDescription& job) {
  const std::string text = read_all(file_, path_);
  const std::size_t first_end = text.find('\n');
  if (first_end == std::string::npos) return begin(job);  // ended before the first line was written
  require_same_job(text.substr(0, first_end), job);
  header_bytes_ = first_end + 1;
  std::size_t at = header_bytes_;
  for (std::size_t end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    std::istringstream line(text.substr(at, end - at));
    WrittenBox written;
    Box& box = written.box;
    line >> written.image >> box.begin.z >> box.begin.y >> box.begin.x >> box.size.z >> box.size.y >> box.size.x >>
        std::hex >> written.checksum;
    const bool possible = written.image >= 0 && written.image < num_images_ && contains(shape_, box);
    if (!line || !line.eof() || !possible) break;
    replace_touched(written);
  }
  if (!file_.truncate(at)) fail(path_, "cannot be written: {}", std::strerror(errno));
}

void Journal::begin(const JobDescription& job) {
  if (!file_.truncate(0)) fail(path_, "cannot be written: {}", std::strerror(errno));
  const std::string line = first_line_of(job);
  append(line);
  header_bytes_ = line.size();
}

void Journal::require_same_job(const std::string& line, const JobDescription& job) const {
  std::string differences;
  const Json json = parse_json(line).value_or(nullptr);
  const bool readable = json.is_object() && json.contains("job") && json["job"].is_array();
  for (const auto& [name, value] : job) {
    std::string before = "nothing";
    for (const Json& entry : readable ? json["job"] : Json::array()) {
      const bool pair = entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string();
      if (pair && entry[0].get<std::string>() == name) before = entry[1].get<std::string>();
    }
    if (before != value) differences += fmt::format("; {} was {}, now {}", name, before, value);
  }
  if (differences.empty()) return;
  fail(
      output_,
      "the unfinished output that lies there is of another job{}; continue it with the same options, or delete '{}' to "
      "begin anew",
      differences, path_);
}

void Journal::append(const std::string& line) {
  const std::uint64_t end = file_.status().size_bytes;
  if (file_.write_at(end, line.data(), line.size())) return;
  const std::string problem = write_problem(errno);
  if (!file_.truncate(end)) fail(path_, "cannot be written nor shortened: {}", problem);
  fail(path_, "cannot be written: {}", problem);
}

void Journal::forget() {
  const std::lock_guard lock(mutex_);
  boxes_.clear();
  if (!file_.truncate(header_bytes_)) fail(path_, "cannot be written: {}", std::strerror(errno));
}

void Journal::replace_touched(const WrittenBox& written) {
  boxes_.filter_touching(written.image, written.box, [](const WrittenBox&) { return false; });
  boxes_.insert(written);
}

void Journal::write_down(const WrittenBox& written) {
  const Box& box = written.box;
  append(fmt::format("{} {} {} {} {} {} {} {:x}\n", written.image, box.begin.z, box.begin.y, box.begin.x, box.size.z,
                     box.size.y, box.size.x, written.checksum));
  boxes_.insert(written);
}

/// Lines that begin with a box replace, for a run that resumes, the boxes that it touches: the first line of the rest
/// takes the old box away, and no line says more than what is on the disk before anything is written there.
void Journal::make_room(Index image, const Box& box, const ReadBack& read_back, const std::function<void()>& flush) {
  const std::lock_guard lock(mutex_);
  std::vector<WrittenBox> touched;
  boxes_.filter_touching(image, box, [&](const WrittenBox& written) {
    touched.push_back(written);
    return false;
  });
  for (WrittenBox& before : touched) {
    const std::vector<Box> rest = difference(before.box, box);
    if (rest.empty()) continue;
    if (before.is_new) flush();
    if (!prove(before, read_back)) continue;
    for (const Box& part : rest) {
      if (const auto checksum = read_back(image, part)) write_down({image, part, *checksum, true, before.is_new});
    }
  }
}

void Journal::add(Index image, const Box& box, std::uint64_t checksum) {
  const std::lock_guard lock(mutex_);
  write_down({image, box, checksum, true, true});
}

bool Journal::holds(Index image, const Box& box, const ReadBack& read_back) {
  const std::lock_guard lock(mutex_);
  std::uint64_t held = 0;
  boxes_.filter_touching(image, box, [&](WrittenBox& written) {
    const bool proven = prove(written, read_back);
    if (proven) held += count_of(intersection(written.box, box));
    return proven;
  });
  return held == count_of(box);
}

std::uint64_t Journal::proven_voxels(const ReadBack& read_back) {
  const std::lock_guard lock(mutex_);
  std::uint64_t voxels = 0;
  boxes_.filter([&](WrittenBox& written) {
    const bool proven = prove(written, read_back);
    if (proven) voxels += count_of(written.box);
    return proven;
  });
  return voxels;
}

void Journal::remove() {
  try {
    if (folder_.holds(name_, file_.status().identity)) folder_.remove(name_);
  } catch (const Error&) {  // a journal without its file is begun anew
  }
}

}  // namespace convoy::io

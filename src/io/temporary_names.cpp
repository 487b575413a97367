#include "io/temporary_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <string_view>

#include "base/checksum.hpp"
#include "convoy/io.hpp"

namespace convoy::io {
namespace {

constexpr std::string_view kMark = ".convoy-";
constexpr std::string_view kKept = "part";
constexpr std::string_view kJournal = "journal";
constexpr std::string_view kFileEnding = ".part";
constexpr std::string_view kFolderEnding = ".folder";
constexpr std::size_t kMaxEndingBytes = 40;  // mark, process, counter, kind

/// Never within a character of UTF-8.
std::string cut(const std::string& text, std::size_t bytes) {
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

std::string hidden(const std::string& output, std::size_t max_bytes, std::string_view ending) {
  return fmt::format(".{}{}{}", name_in_hidden(output, max_bytes), kMark, ending);
}

/// "process-counter".
bool is_run(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto all_digits = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  };
  return dash != std::string_view::npos && all_digits(text.substr(0, dash)) && all_digits(text.substr(dash + 1));
}

std::optional<HiddenKind> kind_of(std::string_view ending) {
  if (ending == kKept) return HiddenKind::kept;
  if (ending == kJournal) return HiddenKind::journal;
  if (ending.ends_with(kFileEnding) && is_run(ending.substr(0, ending.size() - kFileEnding.size()))) {
    return HiddenKind::temporary_file;
  }
  if (ending.ends_with(kFolderEnding) && is_run(ending.substr(0, ending.size() - kFolderEnding.size()))) {
    return HiddenKind::temporary_folder;
  }
  return std::nullopt;
}

}  // namespace

std::string name_in_hidden(const std::string& output, std::size_t max_bytes) {
  constexpr std::size_t kChecksumTextBytes = 17;  // with its "~"
  constexpr std::size_t kLeastBytes = 1 + kChecksumTextBytes + kMaxEndingBytes;
  if (1 + output.size() + kMaxEndingBytes <= max_bytes) return output;
  const std::size_t beginning = max_bytes > kLeastBytes ? max_bytes - kLeastBytes : 0;
  const auto* bytes = reinterpret_cast<const std::byte*>(output.data());
  return fmt::format("{}~{:016x}", cut(output, beginning), checksum_of(bytes, output.size(), 0));
}

std::string kept_name(const std::string& output, std::size_t max_bytes) { return hidden(output, max_bytes, kKept); }

std::string journal_name(const std::string& output, std::size_t max_bytes) {
  return hidden(output, max_bytes, kJournal);
}

std::string temporary_name(const std::string& output, HiddenKind kind, std::size_t max_bytes) {
  static std::atomic<unsigned> counter{0};
  const std::string_view ending = kind == HiddenKind::temporary_folder ? kFolderEnding : kFileEnding;
  return hidden(output, max_bytes, fmt::format("{}-{}{}", number_of_process(), counter++, ending));
}

std::optional<HiddenName> parse_hidden_name(const std::string& name) {
  const std::size_t mark = name.rfind(kMark);
  if (mark == std::string::npos || mark < 2 || name[0] != '.') return std::nullopt;
  const auto kind = kind_of(std::string_view(name).substr(mark + kMark.size()));
  if (!kind) return std::nullopt;
  return HiddenName{name.substr(1, mark - 1), *kind};
}

TemporaryEntry::TemporaryEntry(std::shared_ptr<const Folder> folder, std::string name, const FileIdentity& identity)
    : folder_(std::move(folder)), name_(std::move(name)), identity_(identity) {
  temporary_names().add(this);
}

TemporaryEntry::~TemporaryEntry() { temporary_names().remove(this); }

/// Other threads may still be adding files to a folder.
void TemporaryEntry::remove() const noexcept {
  constexpr int kTries = 20;
  for (int i = 0; i < kTries; ++i) {
    try {
      if (is_there()) folder_->remove(name_);
      return;
    } catch (const std::exception&) {  // a later run of the same output, or `convoy clean`, finds it
    }
  }
}

void TemporaryNames::add(const TemporaryEntry* entry) {
  const std::lock_guard lock(mutex_);
  entries_.push_back(entry);
}

void TemporaryNames::remove(const TemporaryEntry* entry) {
  const std::lock_guard lock(mutex_);
  entries_.remove(entry);
}

void TemporaryNames::abandon() {
  mutex_.lock();
  for (const TemporaryEntry* entry : entries_) entry->remove();
}

/// Never destroyed: outputs may still be open when the program ends.
TemporaryNames& temporary_names() {
  static auto* const names = new TemporaryNames;
  return *names;
}

}  // namespace convoy::io

namespace convoy::inline v0 {

void abandon_outputs() { io::temporary_names().abandon(); }

}  // namespace convoy::inline v0

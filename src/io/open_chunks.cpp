#include "io/open_chunks.hpp"

namespace convoy::io {

OpenChunks::Entry OpenChunks::find_or_open(const Chunk& chunk) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(chunk.number);
  if (place != places_.end()) {
    entries_.splice(entries_.begin(), entries_, place->second);
    return *place->second;
  }
  entries_.push_front(std::make_shared<Open>());
  entries_.front()->chunk = chunk;
  places_[chunk.number] = entries_.begin();
  return entries_.front();
}

void OpenChunks::remove(const Entry& entry) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(entry->chunk.number);
  if (place == places_.end() || *place->second != entry) return;
  if (entry->loaded) held_bytes_ -= bytes_of(*entry);
  entries_.erase(place->second);
  places_.erase(place);
}

OpenChunks::Entry OpenChunks::one_too_many() {
  const std::lock_guard lock(mutex_);
  return held_bytes_ > max_bytes_ ? entries_.back() : nullptr;
}

/// Those who wait for the chunk meanwhile find it closed, and open it anew from what is saved.
void OpenChunks::close(const Entry& entry) {
  {
    const std::lock_guard lock(entry->mutex);
    if (!entry->closed && entry->loaded) entry->chunk.save(entry->samples);
    entry->closed = true;
  }
  remove(entry);
}

void OpenChunks::fill(const Chunk& chunk, std::uint64_t voxels, const std::function<void(Samples&)>& fill) {
  bool full = false;
  Entry entry;
  for (bool filled = false; !filled;) {
    entry = find_or_open(chunk);
    {
      const std::lock_guard lock(entry->mutex);
      if (!entry->closed && !entry->loaded) {
        entry->samples = chunk.load();
        entry->loaded = true;
        const std::lock_guard count(mutex_);
        held_bytes_ += bytes_of(*entry);
      }
      if (!entry->closed) {
        fill(entry->samples);
        entry->filled_voxels += voxels;
        full = entry->filled_voxels >= chunk.num_voxels;
        filled = true;
      }
    }
    if (!filled) remove(entry);
  }
  if (full) close(entry);
  while (const Entry last = one_too_many()) close(last);
}

void OpenChunks::forget(std::uint64_t number) {
  Entry entry;
  {
    const std::lock_guard lock(mutex_);
    const auto place = places_.find(number);
    if (place == places_.end()) return;
    entry = *place->second;
  }
  {
    const std::lock_guard lock(entry->mutex);
    entry->closed = true;
  }
  remove(entry);
}

void OpenChunks::save_all() {
  for (;;) {
    Entry entry;
    {
      const std::lock_guard lock(mutex_);
      if (entries_.empty()) return;
      entry = entries_.back();
    }
    close(entry);
  }
}

}  // namespace convoy::io

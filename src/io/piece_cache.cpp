#include "io/piece_cache.hpp"

namespace convoy::io {

PieceCache::Samples PieceCache::find(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(key);
  if (place == places_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, place->second);
  return place->second->second;
}

void PieceCache::keep(const Key& key, Samples samples) {
  const std::lock_guard lock(mutex_);
  if (bytes_of(samples) > max_bytes_ || places_.contains(key)) return;
  held_bytes_ += bytes_of(samples);
  entries_.emplace_front(key, std::move(samples));
  places_[key] = entries_.begin();
  while (held_bytes_ > max_bytes_) {
    held_bytes_ -= bytes_of(entries_.back().second);
    places_.erase(entries_.back().first);
    entries_.pop_back();
  }
}

}  // namespace convoy::io

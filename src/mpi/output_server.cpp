#include "mpi/output_server.hpp"

#include <fmt/format.h>

#include "convoy/error.hpp"

namespace convoy::mpi {

OutputServer::OutputServer(const World& world) : world_(world), thread_([this] { serve(); }) {}

OutputServer::~OutputServer() { thread_.join(); }

void OutputServer::open(ImageFileWriter& output) {
  {
    const std::lock_guard lock(mutex_);
    output_ = &output;
  }
  news_.notify_all();
}

void OutputServer::close() {
  const std::lock_guard lock(mutex_);
  output_ = nullptr;
}

void OutputServer::set_core(const Shape& core) {
  {
    const std::lock_guard lock(mutex_);
    core_ = core;
  }
  news_.notify_all();
}

void OutputServer::stop(const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = reason;
  }
  news_.notify_all();
}

std::optional<std::string> OutputServer::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

std::map<int, std::string> OutputServer::wait_for_others() {
  std::unique_lock lock(mutex_);
  const auto num_others = static_cast<std::size_t>(world_.num_ranks() - 1);
  news_.wait(lock, [&] { return failure_ || ended_.size() == num_others; });
  if (failure_) throw Error(Errc::io, *failure_);
  return ended_;
}

void OutputServer::end() {
  {
    const std::lock_guard lock(mutex_);
    self_ended_ = true;
  }
  news_.notify_all();
}

void OutputServer::serve() {
  const auto all_ended = [&] {
    const std::lock_guard lock(mutex_);
    return self_ended_ && ended_.size() == static_cast<std::size_t>(world_.num_ranks() - 1);
  };
  int from = 0;
  Request request;
  std::vector<std::byte> payload;
  while (!all_ended()) {
    if (world_.receive(from, request, payload)) handle(from, request, payload);
  }
  for (int rank = 1; rank < world_.num_ranks(); ++rank) world_.answer(rank, {!failure_, {}});
}

void OutputServer::handle(int from, const Request& request, const std::vector<std::byte>& payload) {
  if (request.kind == RequestKind::end) {
    note_end(from, request, payload);
  } else {
    world_.answer(from, fulfil(request, payload));
  }
}

void OutputServer::note_end(int from, const Request& request, const std::vector<std::byte>& payload) {
  const std::string text(reinterpret_cast<const char*>(payload.data()), payload.size());
  {
    const std::lock_guard lock(mutex_);
    ended_[from] = text;
    const bool failed = request.box.begin.z != 0;
    if (failed && !failure_) failure_ = text;
  }
  news_.notify_all();
}

Answer OutputServer::fulfil(const Request& request, const std::vector<std::byte>& payload) {
  std::unique_lock lock(mutex_);
  const bool asks_for_core = request.kind == RequestKind::core;
  news_.wait(lock, [&] { return failure_ || (asks_for_core ? core_.has_value() : output_ != nullptr); });
  if (failure_) return {false, {}};
  if (asks_for_core) return {true, {core_->z, core_->y, core_->x}};
  try {
    return fulfil(output_->image(request.image), request, payload);
  } catch (const std::exception& problem) {
    failure_ = problem.what();
  }
  news_.notify_all();
  return {false, {}};
}

Answer OutputServer::fulfil(ImageWriter& image, const Request& request, const std::vector<std::byte>& payload) const {
  if (request.kind == RequestKind::chunk) return {true, {image.chunk().z, image.chunk().y, image.chunk().x}};
  if (request.kind == RequestKind::holds) return {true, {image.holds(request.box) ? 1 : 0, 0, 0}};
  image.write(request.box, payload.data());
  return {};
}

}  // namespace convoy::mpi

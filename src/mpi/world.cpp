#include "mpi/world.hpp"

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace convoy::mpi {
namespace {

constexpr int kRequestTag = 1;
constexpr int kPayloadTag = 2;
constexpr int kAnswerTag = 3;
/// Counts of MPI messages are int.
constexpr std::size_t kMostBytesAtOnce = std::size_t{1} << 28;
constexpr std::chrono::microseconds kPause{200};

/// kind, image, begin, size, payload bytes
using RequestNumbers = std::array<std::int64_t, 9>;
/// goes on, values
using AnswerNumbers = std::array<std::int64_t, 4>;

template <class Transfer>
void for_each_part(std::size_t bytes, const Transfer& transfer) {
  for (std::size_t at = 0; at < bytes; at += kMostBytesAtOnce) {
    transfer(at, static_cast<int>(std::min(kMostBytesAtOnce, bytes - at)));
  }
}

}  // namespace

World::World(int& count, char**& arguments) {
  int provided = 0;
  MPI_Init_thread(&count, &arguments, MPI_THREAD_SERIALIZED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &num_ranks_);
  MPI_Comm local = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &local);
  MPI_Comm_rank(local, &local_rank_);
  MPI_Comm_size(local, &num_local_ranks_);
  MPI_Comm_free(&local);
  std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
  int length = 0;
  MPI_Get_processor_name(name.data(), &length);
  host_.assign(name.data(), static_cast<std::size_t>(length));
  if (provided < MPI_THREAD_SERIALIZED && num_ranks_ > 1) MPI_Abort(MPI_COMM_WORLD, 1);  // an MPI without threads
}

World::~World() { MPI_Finalize(); }

Answer World::ask(const Request& request, std::span<const std::byte> payload) const {
  const RequestNumbers numbers{static_cast<std::int64_t>(request.kind),
                               request.image,
                               request.box.begin.z,
                               request.box.begin.y,
                               request.box.begin.x,
                               request.box.size.z,
                               request.box.size.y,
                               request.box.size.x,
                               static_cast<std::int64_t>(payload.size())};
  MPI_Send(numbers.data(), static_cast<int>(numbers.size()), MPI_INT64_T, 0, kRequestTag, MPI_COMM_WORLD);
  for_each_part(payload.size(), [&](std::size_t at, int bytes) {
    MPI_Send(payload.data() + at, bytes, MPI_BYTE, 0, kPayloadTag, MPI_COMM_WORLD);
  });
  for (int arrived = 0; arrived == 0;) {
    MPI_Iprobe(0, kAnswerTag, MPI_COMM_WORLD, &arrived, MPI_STATUS_IGNORE);
    if (arrived == 0) std::this_thread::sleep_for(kPause);
  }
  AnswerNumbers answer{};
  MPI_Recv(answer.data(), static_cast<int>(answer.size()), MPI_INT64_T, 0, kAnswerTag, MPI_COMM_WORLD,
           MPI_STATUS_IGNORE);
  return {answer[0] != 0, {answer[1], answer[2], answer[3]}};
}

bool World::receive(int& from, Request& request, std::vector<std::byte>& payload) const {
  int arrived = 0;
  MPI_Status status;
  MPI_Iprobe(MPI_ANY_SOURCE, kRequestTag, MPI_COMM_WORLD, &arrived, &status);
  if (arrived == 0) {
    std::this_thread::sleep_for(kPause);
    return false;
  }
  from = status.MPI_SOURCE;
  RequestNumbers numbers{};
  MPI_Recv(numbers.data(), static_cast<int>(numbers.size()), MPI_INT64_T, from, kRequestTag, MPI_COMM_WORLD,
           MPI_STATUS_IGNORE);
  request.kind = static_cast<RequestKind>(numbers[0]);
  request.image = numbers[1];
  request.box = {{numbers[2], numbers[3], numbers[4]}, {numbers[5], numbers[6], numbers[7]}};
  payload.resize(static_cast<std::size_t>(numbers[8]));
  for_each_part(payload.size(), [&](std::size_t at, int bytes) {
    MPI_Recv(payload.data() + at, bytes, MPI_BYTE, from, kPayloadTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  });
  return true;
}

void World::answer(int to, const Answer& answer) const {
  const AnswerNumbers numbers{answer.goes_on ? 1 : 0, answer.values[0], answer.values[1], answer.values[2]};
  MPI_Send(numbers.data(), static_cast<int>(numbers.size()), MPI_INT64_T, to, kAnswerTag, MPI_COMM_WORLD);
}

}  // namespace convoy::mpi

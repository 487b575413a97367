// The ranks of the job, and the messages between them. Waiting for a message costs no processor time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "convoy/shape.hpp"

namespace convoy::mpi {

/// What a rank wants of rank 0, which has the output.
enum class RequestKind : std::int64_t {
  chunk,  ///< of the output; answered with Answer::values
  holds,  ///< whether the box need not be written
  write,  ///< the box, whose voxels follow
  core,   ///< of the fast tiles that all ranks have; answered with Answer::values
  end     ///< this rank is done (box.begin.z is 0) or has failed (1); a text follows; answered when all have ended
};

struct Request {
  RequestKind kind = RequestKind::chunk;
  Index image = 0;
  Box box{};
};

struct Answer {
  bool goes_on = true;  ///< false: the job has failed somewhere
  std::array<Index, 3> values{};
};

/// MPI from its beginning to its end. One thread at a time.
class World {
 public:
  World(int& count, char**& arguments);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  int rank() const { return rank_; }
  int num_ranks() const { return num_ranks_; }
  /// Among the ranks of this machine.
  int local_rank() const { return local_rank_; }
  int num_local_ranks() const { return num_local_ranks_; }
  const std::string& host() const { return host_; }

  /// To rank 0 and back. Blocks.
  Answer ask(const Request& request, std::span<const std::byte> payload) const;

  /// On rank 0: whether a request has come, from whom, and with what.
  bool receive(int& from, Request& request, std::vector<std::byte>& payload) const;
  void answer(int to, const Answer& answer) const;

 private:
  int rank_ = 0;
  int num_ranks_ = 1;
  int local_rank_ = 0;
  int num_local_ranks_ = 1;
  std::string host_;
};

}  // namespace convoy::mpi

// The output as the ranks see it: each its own part.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "convoy/io.hpp"
#include "mpi/output_server.hpp"
#include "mpi/world.hpp"

namespace convoy::mpi {

/// The error of a rank whose job has failed elsewhere.
inline constexpr const char* kStopped = "stopped, because another rank of the job has failed";

/// The output on rank 0, who shares it with the others. commit() waits for them.
std::unique_ptr<ImageFileWriter> share_output(OutputServer& server, std::unique_ptr<ImageFileWriter> output,
                                              const Box& part);

/// The output on another rank. Boxes are sent to rank 0, one at a time; they throw Error(io) with kStopped when the job
/// has failed. commit() has nothing to do.
std::unique_ptr<ImageFileWriter> send_output(const World& world, Element element, const Box& part);

}  // namespace convoy::mpi

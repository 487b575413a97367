#include "convoy/error.hpp"

namespace convoy::inline v0 {

const char* name(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
      return "invalid_argument";
    case Errc::out_of_memory:
      return "out_of_memory";
    case Errc::device_lost:
      return "device_lost";
    case Errc::unsupported:
      return "unsupported";
    case Errc::backend_unavailable:
      return "backend_unavailable";
    case Errc::compile_failed:
      return "compile_failed";
    case Errc::io:
      return "io";
    case Errc::cancelled:
      return "cancelled";
  }
  return "unknown";
}

}  // namespace convoy::inline v0

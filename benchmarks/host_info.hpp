// Where and when this runs, for the record.
#pragma once

#include <string>

namespace convoy::bench {

std::string processor_name();
/// "Linux 6.1.0 x86_64".
std::string system_name();
/// "2024-05-01T12:00:00Z".
std::string utc_time();

}  // namespace convoy::bench

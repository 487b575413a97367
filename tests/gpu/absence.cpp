// A backend without a device says why, and nothing crashes. CONVOY_TEST_ABSENT names the backend, CONVOY_TEST_REASON
// what the reason must contain.
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include "backends/backend.hpp"
#include "convoy/convoy.hpp"

using namespace convoy;

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

TEST_CASE("an absent device explains itself") {
  const std::string wanted = variable("CONVOY_TEST_ABSENT");
  const std::string reason = variable("CONVOY_TEST_REASON");
  REQUIRE(!wanted.empty());
  for (const BackendInfo& info : list_backends()) {
    if (info.name != wanted) continue;
    if (!info.devices.empty()) {
      std::printf("SKIPPED: there is a device: %s\n", info.devices.front().name.c_str());
      return;
    }
    std::printf("%s\n", info.unavailable_because.c_str());
    CHECK(info.unavailable_because.find(reason) != std::string::npos);
    try {
      open_device(wanted);
      FAIL("it was opened");
    } catch (const Error& error) {
      CHECK(error.code() == Errc::backend_unavailable);
      CHECK(std::string(error.what()).find(reason) != std::string::npos);
    }
    return;
  }
  FAIL("this build has no backend " << wanted);
}

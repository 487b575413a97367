#include "support/device_under_test.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

convoy::Device device_under_test() {
  static const convoy::Device device = [] {
    const char* id = std::getenv("CONVOY_TEST_DEVICE");
    const char* required = std::getenv("CONVOY_TEST_REQUIRE");
    try {
      convoy::Device opened = convoy::open_device(id != nullptr && *id != '\0' ? id : "cpu");
      std::printf("device: %s, %s, %s\n", opened.info().id.c_str(), opened.info().name.c_str(),
                  opened.info().driver.c_str());
      return opened;
    } catch (const convoy::Error& absent) {
      if (absent.code() != convoy::Errc::backend_unavailable) throw;
      std::printf("SKIPPED: %s\n", absent.what());
      std::fflush(stdout);
      std::_Exit(required != nullptr && std::string(required) == "1" ? 1 : 0);
    }
  }();
  return device;
}

bool plans_are_costly() {
  const char* thorough = std::getenv("CONVOY_TEST_THOROUGH");
  if (thorough != nullptr && std::string(thorough) == "1") return false;
  return device_under_test().info().type != convoy::DeviceType::cpu;
}

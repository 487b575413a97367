// The device a suite runs on: the variable CONVOY_TEST_DEVICE ("cpu", "vulkan:0" ...), by default the CPU.
#pragma once

#include "convoy/convoy.hpp"

/// Opens it once. If it is not there, prints "SKIPPED: <reason>" and ends the program successfully: ctest then reports
/// the run as skipped, never as passed. With CONVOY_TEST_REQUIRE=1 absence is a failure instead.
convoy::Device device_under_test();

/// True where every new plan is compiled at run time, which takes from tenths of a second to seconds (software Vulkan,
/// emulated HIP): few shapes are tried there, unless CONVOY_TEST_THOROUGH is 1. The CPU tries all.
bool plans_are_costly();

// What the bus between host memory and devices carries: the bound of runs from host memory to host memory.
#pragma once

#include <string>
#include <vector>

#include "convoy/device.hpp"

namespace convoy::bench {

/// Of page-locked memory, over all devices together; 0 where it was not measured.
struct BusRates {
  double up_bytes_per_second = 0;    ///< to the devices alone
  double down_bytes_per_second = 0;  ///< from them alone
  double both_bytes_per_second = 0;  ///< both ways at once, what goes up and what comes down added
  std::string measured_by;

  bool measured() const { return both_bytes_per_second > 0; }
  /// The least time that so many bytes take. Needs rates.
  double bound_seconds(double up_bytes, double down_bytes) const;
};

/// Through CUDA's driver, if all of the devices are known to it.
BusRates measure_bus(const std::vector<Device>& devices);

}  // namespace convoy::bench

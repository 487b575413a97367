// A plan's program, run by definition tile by tile, must be the convolution.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

#include "plan/devices.hpp"
#include "planner/origin.hpp"
#include "program/reference_device.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

/// Voxels of a volume, z, y, x.
struct Volume {
  Shape shape;
  std::vector<double> voxels;

  explicit Volume(const Shape& extents) : shape(extents), voxels(static_cast<std::size_t>(num_voxels(extents)), 0.0) {}
  double& at(Index z, Index y, Index x) { return voxels.at(static_cast<std::size_t>((z * shape.y + y) * shape.x + x)); }
  bool holds(Index z, Index y, Index x) const {
    return z >= 0 && z < shape.z && y >= 0 && y < shape.y && x >= 0 && x < shape.x;
  }
  double or_zero(Index z, Index y, Index x) { return holds(z, y, x) ? at(z, y, x) : 0; }
};

template <class Body>
void for_each(const Shape& shape, const Body& body) {
  for (Index z = 0; z < shape.z; ++z) {
    for (Index y = 0; y < shape.y; ++y) {
      for (Index x = 0; x < shape.x; ++x) body(z, y, x);
    }
  }
}

class RandomVolumes {
 public:
  explicit RandomVolumes(unsigned seed) : random_(seed) {}
  Index between(Index low, Index high) { return std::uniform_int_distribution<Index>(low, high)(random_); }
  Volume volume(const Shape& shape) {
    Volume volume(shape);
    for (double& voxel : volume.voxels) voxel = static_cast<double>(between(-9, 9));
    return volume;
  }

 private:
  std::mt19937 random_;
};

Index modulo(Index a, Index n) { return (a % n + n) % n; }

/// Convolutions with zero or periodic surroundings; the other boundaries are the gathering executor's business.
Volume direct(Volume& image, Volume& kernel, const ConvolutionSpec& spec) {
  Volume output(output_shape(spec));
  Shape first = has_origin(spec) ? resolve_origin(spec, nullptr) : Shape{0, 0, 0};
  if (spec.mode == Mode::valid) {
    for (int a = 0; a < 3; ++a) first[a] = std::min(spec.image[a], spec.kernel[a]) - 1;
  }
  for_each(output.shape, [&](Index oz, Index oy, Index ox) {
    for_each(kernel.shape, [&](Index kz, Index ky, Index kx) {
      Index z = oz + first.z - kz;
      Index y = oy + first.y - ky;
      Index x = ox + first.x - kx;
      if (spec.mode == Mode::circular) {
        z = modulo(z, image.shape.z);
        y = modulo(y, image.shape.y);
        x = modulo(x, image.shape.x);
      }
      output.at(oz, oy, ox) += kernel.at(kz, ky, kx) * image.or_zero(z, y, x);
    });
  });
  return output;
}

/// Reads and writes boxes in device order, as the executor does.
class Executor {
 public:
  Executor(const Plan& plan, Volume& image, Volume& kernel)
      : plan_(plan), image_(image), program_(make_program(plan)), device_(program_) {
    fill_kernel_port(kernel);
    device_.setup();
  }

  Volume run() {
    const auto& axes = plan_.axes;
    Volume output({axes[0].output, axes[1].output, axes[2].output});
    for_each({axes[0].num_tiles, axes[1].num_tiles, axes[2].num_tiles}, [&](Index z, Index y, Index x) {
      const Shape tile{z, y, x};
      fill_input_port(tile);
      device_.run();
      read_output_port(tile, output);
    });
    return output;
  }

 private:
  Shape in_image_order(const Shape& device) const {
    Shape shape;
    for (int d = 0; d < 3; ++d) shape[plan_.device_axes[d]] = device[2 - d];
    return shape;
  }
  Shape device_extents(Index AxisPlan::*field) const {
    Shape shape;
    for (int d = 0; d < 3; ++d) shape[2 - d] = plan_.axes[plan_.device_axes[d]].*field;
    return shape;
  }

  void fill_kernel_port(Volume& kernel) {
    const Shape box = device_extents(&AxisPlan::kernel_size);
    std::vector<double>& port = device_.port(ports::kernel);
    REQUIRE(port.size() == static_cast<std::size_t>(num_voxels(box)));
    std::fill(port.begin(), port.end(), 0.0);
    for_each(kernel.shape, [&](Index z, Index y, Index x) {
      Shape at{z, y, x};
      for (int a = 0; a < 3; ++a) {
        const AxisPlan& axis = plan_.axes[a];
        if (axis.fold_kernel) at[a] %= axis.image;
        at[a] -= axis.kernel_begin;
        if (at[a] < 0 || at[a] >= axis.kernel_size) return;
      }
      port.at(offset_in(box, at)) += kernel.at(z, y, x);
    });
  }

  /// Of an image-order position within a box of device-order extents.
  std::size_t offset_in(const Shape& box, const Shape& at) const {
    const auto& d = plan_.device_axes;
    return static_cast<std::size_t>((at[d[2]] * box.y + at[d[1]]) * box.x + at[d[0]]);
  }

  void fill_input_port(const Shape& tile) {
    const Shape box = device_extents(&AxisPlan::extent);
    std::vector<double>& port = device_.port(ports::input);
    REQUIRE(port.size() == static_cast<std::size_t>(num_voxels(box)));
    for_each(box, [&](Index slow, Index middle, Index fast) {
      const Shape in_tile = in_image_order({slow, middle, fast});
      Shape at;
      bool read = true;
      for (int a = 0; a < 3; ++a) {
        const AxisPlan& axis = plan_.axes[a];
        at[a] = tile[a] * axis.tile_output + axis.input_offset + in_tile[a];
        if (plan_.spec.mode == Mode::circular) at[a] = modulo(at[a], axis.image);
        read = read && in_tile[a] < axis.tile_input;
      }
      port.at(offset_in(box, in_tile)) = read ? image_.or_zero(at.z, at.y, at.x) : 0;
    });
  }

  void read_output_port(const Shape& tile, Volume& output) {
    Shape box = device_extents(&AxisPlan::tile_output);
    box.x = plan_.axes[plan_.device_axes[0]].extent;
    const std::vector<double>& port = device_.port(ports::output);
    REQUIRE(port.size() == static_cast<std::size_t>(num_voxels(box)));
    for_each({plan_.axes[0].tile_output, plan_.axes[1].tile_output, plan_.axes[2].tile_output},
             [&](Index z, Index y, Index x) {
               const Shape at{tile.z * plan_.axes[0].tile_output + z, tile.y * plan_.axes[1].tile_output + y,
                              tile.x * plan_.axes[2].tile_output + x};
               if (!output.holds(at.z, at.y, at.x)) return;
               output.at(at.z, at.y, at.x) = port.at(offset_in(box, {z, y, x}));
             });
  }

  const Plan& plan_;
  Volume& image_;
  Program program_;
  ReferenceDevice device_;
};

int num_uploads(const std::vector<Step>& steps) {
  return static_cast<int>(
      std::count_if(steps.begin(), steps.end(), [](const Step& step) { return std::holds_alternative<Upload>(step); }));
}

}  // namespace

TEST_CASE("programs convolve, whatever the dimensions, mode, path and tiles") {
  RandomVolumes random(31415);
  std::map<int, int> num_of_dimensions;
  std::set<std::array<int, 3>> orders;
  int num_slabbed = 0;
  int num_tiled = 0;
  int num_in_pieces = 0;
  for (int trial = 0; trial < 600; ++trial) {
    ConvolutionSpec spec;
    spec.precision = Precision::f64;
    for (int axis = 0; axis < 3; ++axis) {
      const bool flat = random.between(0, 3) == 0;
      spec.image[axis] = flat ? 1 : random.between(1, 7);
      spec.kernel[axis] = flat ? 1 : random.between(1, trial % 3 == 0 ? 14 : 7);
    }
    spec.mode = static_cast<Mode>(random.between(0, 3));
    const bool needs_slabs = trial % 5 == 0;
    if (needs_slabs) {
      spec.mode = Mode::same;
      for (int axis = 0; axis < 3; ++axis) spec.kernel[axis] = 2 * spec.image[axis] - 1;
    }
    if (spec.mode == Mode::valid) {
      for (int axis = 0; axis < 3; ++axis) spec.kernel[axis] = std::min(spec.kernel[axis], spec.image[axis]);
    }
    spec.origin.rule = static_cast<Origin::Rule>(random.between(0, 2));
    PlanOptions options;
    // The reference device knows whole convolutions only.
    options.path = random.between(0, 1) == 0 ? Path::fused : Path::staged;
    options.min_tiles = random.between(0, 1) == 0 ? 1 : std::min<Index>(3, num_voxels(output_shape(spec)));
    if (random.between(0, 1) == 0) options.piece_bytes = static_cast<std::uint64_t>(random.between(1, 1000));
    const Plan plan = make_plan(spec, random.between(0, 1) == 0 ? large_gpu() : cpu(), options);
    CAPTURE(to_text(plan));
    CAPTURE(to_text(make_program(plan)));

    Volume image = random.volume(spec.image);
    Volume kernel = random.volume(spec.kernel);
    REQUIRE(Executor(plan, image, kernel).run().voxels == direct(image, kernel, spec).voxels);
    ++num_of_dimensions[plan.num_transforms];
    orders.insert(plan.device_axes);
    num_slabbed += num_uploads(make_program(plan).setup) > 1;
    num_tiled += plan.num_tiles() > 1;
    num_in_pieces += num_uploads(make_program(plan).run) > 1;
  }
  for (const int dimensions : {1, 2, 3}) CHECK(num_of_dimensions[dimensions] > 30);
  CHECK(orders.size() == 5);
  CHECK(num_slabbed > 20);
  CHECK(num_tiled > 100);
  CHECK(num_in_pieces > 50);
}

TEST_CASE("a kernel longer than the work buffer goes up in slabs that follow each other") {
  ConvolutionSpec spec;
  spec.image = {4, 60, 60};
  spec.kernel = {7, 119, 119};
  const Plan plan = make_plan(spec, cpu());
  const Program program = make_program(plan);
  std::uint64_t expected_offset = 0;
  int slabs = 0;
  for (const Step& step : program.setup) {
    if (const auto* upload = std::get_if<Upload>(&step)) {
      CHECK(upload->port == ports::kernel);
      CHECK(upload->port_offset == expected_offset);
      CHECK(upload->chunk_bytes <= program.slots.at(static_cast<std::size_t>(upload->slot)).bytes);
      expected_offset += upload->chunk_bytes;
      ++slabs;
    }
  }
  CHECK(slabs > 1);
  CHECK(expected_offset == program.ports.at(ports::kernel).bytes);
}

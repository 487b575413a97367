// Images that are read and written box by box: the same bits as from memory, nothing read that is not needed, every
// voxel written once, and errors reported.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <limits>

#include "selftest/oracle.hpp"
#include "support/boxed_image.hpp"
#include "support/device_under_test.hpp"
#include "support/random_problem.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

template <class T>
std::vector<T> voxels_of(const Shape& shape, std::uint64_t seed) {
  std::vector<T> voxels;
  for (const double value : oracle::random_image(shape, seed)) {
    voxels.push_back(std::is_floating_point_v<T> ? static_cast<T>(value) : static_cast<T>(100 + 30 * value));
  }
  return voxels;
}

struct Stream {
  ConvolutionSpec spec;
  ConvolverOptions options;
  Shape chunk;
  std::uint64_t seed = 0;
};

template <class In, class Out>
class StreamedRun {
 public:
  explicit StreamedRun(Stream stream)
      : stream_(std::move(stream)),
        reader(voxels_of<In>(stream_.spec.image, stream_.seed), stream_.spec.image, stream_.chunk) {
    const auto kernel = oracle::random_image(stream_.spec.kernel, stream_.seed + 1);
    stream_.options.sums = true;
    stream_.options.plan.streaming = Streaming{element_of<In>(), element_of<Out>(), stream_.chunk, stream_.chunk};
    convolver.emplace(stream_.spec, ImageView(kernel, stream_.spec.kernel), device_under_test(), stream_.options);
  }

  std::vector<Out> from_memory() {
    std::vector<Out> output(static_cast<std::size_t>(num_voxels(convolver->output_shape())));
    memory_report = convolver->run(ImageView(reader.voxels(), stream_.spec.image),
                                   MutableImageView(output, convolver->output_shape()));
    return output;
  }

 private:
  Stream stream_;

 public:
  BoxedImage<In> reader;
  std::optional<Convolver> convolver;
  RunReport memory_report;
};

/// Most that may be read: each tile's own part of the image, once.
Index voxels_of_all_tiles(const Plan& plan) {
  Index voxels = 1;
  for (const AxisPlan& axis : plan.axes) voxels *= axis.num_tiles * std::min(axis.tile_input, axis.image);
  return voxels;
}

template <class In, class Out>
void check_streamed(const Stream& stream) {
  StreamedRun<In, Out> run(stream);
  const Plan& plan = run.convolver->plan();
  BoxedOutput<Out> writer(run.convolver->output_shape(), stream.chunk);
  const RunReport report = run.convolver->run(run.reader, writer);
  REQUIRE(writer.all_written_once());
  REQUIRE(writer.voxels() == run.from_memory());
  REQUIRE(report.input_sum == doctest::Approx(run.memory_report.input_sum));
  REQUIRE(report.output_sum == doctest::Approx(run.memory_report.output_sum));
  REQUIRE(report.saturated_voxels == run.memory_report.saturated_voxels);
  REQUIRE(report.skipped_tiles == 0);
  REQUIRE(run.reader.voxels_read <= voxels_of_all_tiles(plan));

  const std::vector<Out> whole = writer.voxels();
  writer.forget_half();
  run.reader.voxels_read = 0;
  const RunReport rest = run.convolver->run(run.reader, writer);
  REQUIRE(writer.all_written());
  REQUIRE(writer.voxels() == whole);
  REQUIRE(rest.skipped_tiles <= plan.num_tiles());
  if (rest.skipped_tiles == plan.num_tiles()) REQUIRE(run.reader.voxels_read == 0);
}

ConvolutionSpec spec_of(const Shape& image, const Shape& kernel) {
  ConvolutionSpec spec;
  spec.image = image;
  spec.kernel = kernel;
  return spec;
}

Stream planes_in_tiles() {
  Stream stream;
  stream.spec = spec_of({40, 20, 25}, {3, 4, 5});
  stream.options.plan.min_tiles = 10;
  stream.chunk = {1, 20, 25};
  return stream;
}

}  // namespace

TEST_CASE("random problems, box by box and in memory, are the same to the bit") {
  Dice dice(the_seed() + 7);
  const std::uint64_t cases = number_from("CONVOY_TEST_CASES", 2000) / 4;
  Index most_tiles = 0;
  for (std::uint64_t i = 0; i < cases; ++i) {
    Stream stream;
    stream.spec = random_spec(dice);
    stream.seed = i;
    PlanOptions& plan = stream.options.plan;
    plan.min_tiles = std::min<Index>(num_voxels(output_shape(stream.spec)), dice.between(1, 30));
    plan.min_sets = static_cast<int>(dice.between(1, 3));
    stream.chunk = {dice.between(1, 4), dice.between(1, 8), dice.between(1, 12)};
    most_tiles = std::max(most_tiles, plan.min_tiles);
    CAPTURE(i);
    CAPTURE(oracle::to_text(stream.spec));
    CAPTURE(plan.min_tiles);
    switch (i % 4) {
      case 0:
        check_streamed<float, float>(stream);
        break;
      case 1:
        check_streamed<std::uint8_t, std::uint16_t>(stream);
        break;
      case 2:
        check_streamed<std::uint16_t, float>(stream);
        break;
      default:
        check_streamed<double, double>(stream);
    }
  }
  CHECK(most_tiles == 30);
}

TEST_CASE("tiles that the writer holds are neither read nor written again") {
  StreamedRun<float, float> run(planes_in_tiles());
  BoxedOutput<float> writer(run.convolver->output_shape(), {1, 20, 25});
  run.convolver->run(run.reader, writer);
  writer.forget_half();
  const Index read_before = run.reader.voxels_read;
  const RunReport report = run.convolver->run(run.reader, writer);
  CHECK(report.skipped_tiles > 0);
  CHECK(report.skipped_tiles < report.num_tiles);
  CHECK(run.reader.voxels_read < 2 * read_before);
  CHECK(writer.voxels() == run.from_memory());
}

TEST_CASE("what reader and writer throw is passed on, and the convolver goes on afterwards") {
  StreamedRun<float, float> run(planes_in_tiles());
  BoxedOutput<float> writer(run.convolver->output_shape(), {1, 20, 25});
  for (const int last_good : {0, 1, 5, 9}) {
    std::atomic<int> reads{0};
    run.reader.on_read = [&](const Box&) {
      if (reads++ == last_good) throw Error(Errc::io, "the disk is gone");
    };
    CHECK_THROWS_WITH_AS(run.convolver->run(run.reader, writer), "the disk is gone", Error);
    run.reader.on_read = nullptr;
    std::atomic<int> writes{0};
    writer.on_write = [&](const Box&) {
      if (writes++ == last_good) throw Error(Errc::io, "the disk is full");
    };
    CHECK_THROWS_WITH_AS(run.convolver->run(run.reader, writer), "the disk is full", Error);
    writer.on_write = nullptr;
  }
  run.convolver->run(run.reader, writer);
  CHECK(writer.voxels() == run.from_memory());
}

TEST_CASE("a stopped run stops") {
  Stream stream = planes_in_tiles();
  bool stop = true;
  stream.options.progress = [&](const Progress&) { return !stop; };
  StreamedRun<float, float> run(stream);
  BoxedOutput<float> writer(run.convolver->output_shape(), {1, 20, 25});
  CHECK_THROWS_WITH_AS(run.convolver->run(run.reader, writer), doctest::Contains("stopped after tile 1"), Error);
  stop = false;
  run.convolver->run(run.reader, writer);
  CHECK(writer.voxels() == run.from_memory());
}

TEST_CASE("NaN in a box is reported with its place in the image") {
  Stream stream = planes_in_tiles();
  StreamedRun<float, float> good(stream);
  std::vector<float> voxels = good.reader.voxels();
  voxels[37 * 500 + 3 * 25 + 4] = std::numeric_limits<float>::quiet_NaN();
  const BoxedImage<float> reader(voxels, stream.spec.image, stream.chunk);
  BoxedOutput<float> writer(good.convolver->output_shape(), {1, 20, 25});
  CHECK_THROWS_WITH_AS(good.convolver->run(reader, writer), doctest::Contains("the first at z,y,x = 37,3,4"), Error);
}

TEST_CASE("wrong shapes are refused") {
  StreamedRun<float, float> run(planes_in_tiles());
  BoxedOutput<float> writer({1, 2, 3}, {1, 2, 3});
  CHECK_THROWS_WITH_AS(run.convolver->run(run.reader, writer), doctest::Contains("1x2x3"), Error);
}

TEST_CASE("tiles are whole chunks where that costs little, and host memory stays within its limit") {
  Stream stream;
  stream.spec = spec_of({200, 300, 400}, {5, 7, 9});
  stream.options.plan.streaming = Streaming{Element::u16, Element::f32, {1, 300, 400}, {1, 300, 400}};
  Limits limits;
  limits.memory_is_host = true;
  const Plan free = make_plan(stream.spec, limits, stream.options.plan);
  CHECK(free.num_tiles() == 1);
  PlanOptions& options = stream.options.plan;
  for (options.host_memory_limit_bytes = free.host_bytes / 2; options.host_memory_limit_bytes > free.host_bytes / 10;
       options.host_memory_limit_bytes /= 2) {
    const Plan plan = make_plan(stream.spec, limits, options);
    CHECK(plan.host_bytes <= options.host_memory_limit_bytes);
    CHECK(plan.axes[0].num_tiles > 1);
    CHECK(plan.axes[1].num_tiles == 1);
    CHECK(plan.axes[2].num_tiles == 1);
  }
  options.host_memory_limit_bytes = 1000;
  CHECK_THROWS_WITH_AS(make_plan(stream.spec, limits, options), doctest::Contains("host memory limit allows"),
                       OutOfMemory);
  options.host_memory_limit_bytes = free.host_bytes / 4;
  options.streaming->write_chunk = {64, 64, 64};
  const Plan chunked = make_plan(stream.spec, limits, options);
  CHECK(chunked.num_tiles() > 1);
  for (const AxisPlan& axis : chunked.axes) CHECK((axis.num_tiles == 1 || axis.tile_output % 64 == 0));
}

namespace {

/// Waits until image 1 is being read, or long enough to say that it is not.
struct Overlap {
  std::mutex mutex;
  std::condition_variable news;
  bool second_is_read = false;

  void note_read() {
    {
      const std::lock_guard lock(mutex);
      second_is_read = true;
    }
    news.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex);
    return news.wait_for(lock, std::chrono::seconds(20), [&] { return second_is_read; });
  }
};

struct ThreeImages {
  std::deque<BoxedImage<float>> in;
  std::deque<BoxedOutput<float>> out;
  std::deque<BoxedOutput<float>> alone;

  explicit ThreeImages(const Shape& shape) {
    const Shape chunk{2, shape.y, shape.x};
    for (std::uint64_t i = 0; i < 3; ++i) {
      in.emplace_back(voxels_of<float>(shape, 30 + i), shape, chunk);
      out.emplace_back(shape, chunk);
      alone.emplace_back(shape, chunk);
    }
  }
  ImageReaders readers() const { return {&in[0], &in[1], &in[2]}; }
  ImageWriters writers() { return {&out[0], &out[1], &out[2]}; }
};

}  // namespace

TEST_CASE("several images in one run: the same bits as one by one, and the next is read while the last is written") {
  ConvolutionSpec spec = spec_of({12, 20, 24}, {3, 5, 3});
  const auto kernel = oracle::random_image(spec.kernel, 5);
  for (const bool folded : {false, true}) {
    CAPTURE(folded);
    spec.operation = folded ? Operation::correlate : Operation::convolve;
    spec.boundary = folded ? Boundary::reflect : Boundary::zero;
    ThreeImages images(spec.image);
    ConvolverOptions options;
    options.sums = true;
    options.plan.streaming = Streaming{Element::f32, Element::f32, images.in[0].chunk(), images.in[0].chunk()};
    options.plan.min_tiles = 3;
    Index reported = 0;
    options.progress = [&](const Progress& progress) {
      if (progress.part_of_next_tile > 0) return true;
      CHECK(progress.tiles_done == ++reported);
      CHECK(progress.tiles_done <= progress.num_tiles);
      return true;
    };
    Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test(), options);
    double input_sum = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      reported = 0;
      input_sum += convolver.run(images.in[i], images.alone[i]).input_sum;
    }
    Overlap overlap;
    std::atomic<bool> waited_in_vain = false;
    images.in[1].on_read = [&](const Box&) { overlap.note_read(); };
    images.out[0].on_write = [&](const Box& box) {
      if (!folded && box.begin.z + box.size.z == spec.image.z && !overlap.wait()) waited_in_vain = true;
    };
    reported = 0;
    const RunReport report = convolver.run(images.readers(), images.writers());
    for (std::size_t i = 0; i < 3; ++i) CHECK(images.out[i].voxels() == images.alone[i].voxels());
    CHECK(report.num_tiles == 3 * convolver.plan().num_tiles());
    CHECK(reported == report.num_tiles);
    CHECK(report.input_sum == doctest::Approx(input_sum));
    CHECK_FALSE(waited_in_vain);
  }
}

TEST_CASE("of several images, tiles that their writers hold are left out") {
  const ConvolutionSpec spec = spec_of({12, 20, 24}, {3, 5, 3});
  const auto kernel = oracle::random_image(spec.kernel, 5);
  ThreeImages images(spec.image);
  ConvolverOptions options;
  options.plan.streaming = Streaming{Element::f32, Element::f32, images.in[0].chunk(), images.in[0].chunk()};
  options.plan.min_tiles = 6;
  Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test(), options);
  convolver.run(images.readers(), images.writers());
  const std::vector<float> whole = images.out[1].voxels();
  images.out[0].forget_half();
  images.out[1].forget_half();
  const RunReport rest = convolver.run(images.readers(), images.writers());
  CHECK(images.out[1].voxels() == whole);
  CHECK(images.out[0].all_written());
  CHECK(rest.skipped_tiles > 0);
  CHECK(rest.skipped_tiles < 2 * convolver.plan().num_tiles());
}

TEST_CASE("readers and writers that do not belong together are refused") {
  const ConvolutionSpec spec = spec_of({4, 6, 8}, {1, 3, 3});
  const auto kernel = oracle::random_image(spec.kernel, 5);
  ConvolverOptions options;
  options.plan.streaming = Streaming{Element::f32, Element::f32, spec.image, spec.image};
  Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test(), options);
  const BoxedImage<float> in(voxels_of<float>(spec.image, 1), spec.image, spec.image);
  const BoxedImage<double> other(voxels_of<double>(spec.image, 1), spec.image, spec.image);
  BoxedOutput<float> out(spec.image, spec.image);
  CHECK_THROWS_WITH_AS(convolver.run(ImageReaders{&in, &in}, ImageWriters{&out}), doctest::Contains("2 image(s)"),
                       Error);
  CHECK_THROWS_AS(convolver.run(ImageReaders{}, ImageWriters{}), Error);
  CHECK_THROWS_WITH_AS(convolver.run(ImageReaders{&in, &other}, ImageWriters{&out, &out}),
                       doctest::Contains("f32 and f64"), Error);
}

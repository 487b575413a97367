// Neighbouring threads work on neighbouring elements of a pair of rows.
#include "fft/row_text.hpp"

#include <utility>

#include "device_model/common.hpp"
#include "fft/array_text.hpp"
#include "fft/pass_body.hpp"
#include "fft/pass_text.hpp"
#include "fft/plan.hpp"

namespace convoy::kernels::pass_text {
namespace {

class RowText {
 public:
  explicit RowText(const RowsText& what)
      : shape_(what.shape),
        precision_(what.precision),
        rows_(what.rows),
        lanes_(what.lanes),
        place_(what.place),
        in_planes_(what.in_planes),
        columns_(what.shape.radices) {
    if (rows_.array) array_.emplace(rows_, precision_, in_planes_);
  }

  std::string forward() {
    StagesText text = stages();
    text.forward_but_last(image_access());
    const std::string stages_but_last = taken();
    load("u", "first_place");
    if (!single_stage()) load("v", "second_place");
    const std::string loads = taken();
    const Butterflies frequencies{text.butterfly().transform(names("u"), kForward),
                                  single_stage() ? Butterfly() : text.butterfly().transform(names("v"), kForward)};
    const std::string butterflies = taken();
    for_each_stored(frequencies, [this](const ComplexName& own, const ComplexName& mirror) {
      body_ += at_mirrored_pair(pass_bodies::part_rows, "ELEMENT", own, mirror);
    });
    return rows() + filled(pass_bodies::row_forward, {{"STAGES_BUT_LAST", stages_but_last},
                                                      {"THREAD", lanes_.thread},
                                                      {"NUM_PAIRS", columns_.num_pairs + 1},
                                                      {"THREADS", shape_.threads},
                                                      {"PLACES", places()},
                                                      {"LOAD", loads},
                                                      {"BUTTERFLIES", butterflies},
                                                      {"RADIX", columns_.radix},
                                                      {"STORE", taken()}});
  }
  std::string inverse(double scale) {
    StagesText text = stages();
    for (Index j = 0; j < columns_.radix; ++j) {
      body_ += zero(fmt::format("u{}", j)) + zero(fmt::format("v{}", j));
    }
    for_each_stored({names("u"), names("v")}, [this](const ComplexName& own, const ComplexName& mirror) {
      body_ += at_mirrored_pair(pass_bodies::join_rows, "FETCH", own, mirror);
    });
    const std::string loads = taken();
    store(text.butterfly().transform(names("u"), kInverse), "first_place");
    if (!single_stage()) {
      if (!columns_.has_middle) body_ += fmt::format("if (t < {}u) {{\n", columns_.num_pairs);
      store(text.butterfly().transform(names("v"), kInverse), "second_place");
      if (!columns_.has_middle) body_ += "}\n";
    }
    const std::string butterflies = taken();
    text.inverse_but_last(image_access());
    return rows() + filled(pass_bodies::row_inverse,
                           {{"SCALE", fmt::format("{:.20g}{}", scale, precision_ == Precision::f64 ? "_d" : "f")},
                            {"THREAD", lanes_.thread},
                            {"NUM_PAIRS", columns_.num_pairs + 1},
                            {"THREADS", shape_.threads},
                            {"PLACES", places()},
                            {"LOAD", loads},
                            {"BUTTERFLIES", butterflies},
                            {"RADIX", columns_.radix},
                            {"STAGES_BUT_FIRST", taken()},
                            {"DISCARD", in_planes_ ? discard_work() : ""}});
  }

 private:
  /// What has been appended since the last call.
  std::string taken() { return std::exchange(body_, {}); }

  /// Which rows these threads work on.
  std::string rows() const {
    const std::string next = rows_adjacent() && !array_
                                 ? ""
                                 : filled(pass_bodies::next_row, {{"NUM_ROWS", num_rows()},
                                                                  {"SECOND_IMAGE", place_in_image("second", "next")},
                                                                  {"SECOND_WORK", work_of("next")}});
    return filled(pass_bodies::row, {{"LENGTH", shape_.length},
                                     {"WIDTH", shape_.width},
                                     {"PAIR", lanes_.pair},
                                     {"LAST_PAIR", last_pair()},
                                     {"PADDED_LENGTH", bank_padded_length(shape_)},
                                     {"FIRST_IMAGE", place_in_image("first", "row")},
                                     {"FIRST_WORK", work_of("row")},
                                     {"NEXT_ROW", next},
                                     {"AWAIT", in_planes_ ? "" : "await_predecessor();"}});
  }

  StagesText stages() {
    const BankPadding bank_padding = shape_.bank_padding;
    MemoryView shared = shared_access("", 1);
    const auto distance = [bank_padding](Index j, Index stride) { return bank_padding.place(j * stride); };
    shared.begin = [bank_padding](Index) {
      return fmt::format("CURSOR(shared_values, s, own + at + at / {}u * {}u);\n", bank_padding.period,
                         bank_padding.pad);
    };
    shared.load = [distance](const std::string& name, Index j, Index stride) {
      return fmt::format("real2 {} = ELEMENT(shared_values, s, {}u);\n", name, distance(j, stride));
    };
    shared.store = [distance](const ComplexName& value, Index j, Index stride) {
      return fmt::format("ELEMENT(shared_values, s, {}u) = to_real2({}, {});\n", distance(j, stride), value.x, value.y);
    };
    return {body_, shape_.radices, TransformThreads{shape_.threads, lanes_.thread, lanes_.some_idle, lanes_.barrier},
            precision_, std::move(shared)};
  }

  /// Whether a pair's rows lie at the same distance everywhere.
  bool rows_adjacent() const { return !place_ && num_rows() % 2 == 0 && rows_.rows_per_plane % 2 == 0; }
  /// Of a plane, or of all planes.
  Index num_rows() const { return in_planes_ ? rows_.rows_per_plane : rows_.num_rows; }
  Index last_pair() const { return (num_rows() - 1) / 2 * 2; }
  std::string image_of(const char* row) const {
    return in_planes_
               ? fmt::format("(wide(plane) * {}u + wide({})) * {}", rows_.rows_per_plane, row, literal(rows_.extent))
               : fmt::format("wide({}) * {}", row, literal(rows_.extent));
  }
  /// Statements that say where a row begins in image.
  std::string place_in_image(const std::string& name, const char* row) const {
    return array_ ? array_->where(name, row) : fmt::format("wide {}_image = {};", name, image_of(row));
  }
  /// Where a row begins in work.
  std::string work_of(const char* row) const {
    if (in_planes_) {
      return fmt::format("wide(plane) * {} + wide({}) * {}", literal(rows_.work_plane), row, literal(rows_.work_row));
    }
    return fmt::format("{}wide({}) * {} + wide({}) * {}", begin_of_kernel(),
                       shifted_index(fmt::format("({} / {}u)", row, rows_.rows_per_plane), &Placement::plane),
                       literal(rows_.work_plane),
                       shifted_index(fmt::format("({} % {}u)", row, rows_.rows_per_plane), &Placement::row),
                       literal(rows_.work_row));
  }
  std::string begin_work() const {
    const std::string first = "CURSOR(work, g, first_work + w);\n";
    return rows_adjacent() ? first : first + "CURSOR(work, h, second_work + w);\n";
  }
  static std::string first_of_work(const char* access) { return fmt::format("{}(work, g, 0u)", access); }
  std::string second_of_work(const char* access) const {
    return rows_adjacent() ? fmt::format("{}(work, g, {})", access, literal(rows_.work_row))
                           : fmt::format("{}(work, h, 0u)", access);
  }

  /// A body between a pair of frequencies k and -k, in registers, and both rows' spectra, in work.
  std::string at_mirrored_pair(const char* body, const char* access, const ComplexName& own,
                               const ComplexName& mirror) const {
    return filled(body, {{"BEGIN_WORK", begin_work()},
                         {"FIRST", first_of_work(access)},
                         {"SECOND", second_of_work(access)},
                         {"OWN_X", own.x},
                         {"OWN_Y", own.y},
                         {"MIRROR_X", mirror.x},
                         {"MIRROR_Y", mirror.y}});
  }

  /// What a pair of rows has read is not read again: if it fills lines of the cache, they need not be written
  /// back. The last pair may be done several times at once, and a pair of one stage knows of no barrier.
  std::string discard_work() const {
    using device_model::kCacheLineBytes;
    const auto bytes = [this](Index elements) { return elements * static_cast<Index>(complex_size(precision_)); };
    const bool fills_lines = bytes(2 * rows_.work_row) % kCacheLineBytes == 0 &&
                             bytes(rows_.work_plane) % kCacheLineBytes == 0 &&
                             bytes(rows_.block_stride) % kCacheLineBytes == 0 && rows_.work_row == rows_.block;
    if (single_stage() || !fills_lines) return "";
    const Index lines = bytes(2 * rows_.block) / kCacheLineBytes;
    return filled(pass_bodies::discard_work, {{"LAST_PAIR", last_pair()},
                                              {"THREAD", lanes_.thread},
                                              {"NUM_LINES", ceil_divided(shape_.length / 2 + 1, rows_.block) * lines},
                                              {"THREADS", shape_.threads},
                                              {"LINES", lines},
                                              {"BLOCK_STRIDE", literal(rows_.block_stride)},
                                              {"LINE", 2 * rows_.block / lines}});
  }

  std::string begin_of_kernel() const {
    if (!place_ || place_->kernel_stride == 0) return "";
    return fmt::format("wide(number) * {} + ", literal(place_->kernel_stride));
  }
  /// Where a row, or a plane, is put.
  std::string shifted_index(const std::string& position, CyclicShift Placement::*axis) const {
    if (!place_ || (*place_.*axis).begin == 0) return position;
    const auto& [begin, period] = *place_.*axis;
    return fmt::format("(({} + {}u) % {}u)", position, begin, period);
  }

  /// A kernel's row, of which voxel 0 is put at place_->voxel.
  MemoryView placed_access() const {
    const Index extent = rows_.extent;
    const Index length = shape_.length;
    const Index ahead = (length - place_->voxel) % length;
    return {.memory = "image",
            .begin = [](Index) { return std::string(); },
            .load =
                [=](const std::string& name, Index j, Index stride) {
                  return zero(name) + fmt::format(
                                          "{{ uint voxel = (at + {}u) % {}u;\n"
                                          "if (voxel < {}u) {{\n"
                                          "{}.x = image[first_image + wide(voxel)];\n"
                                          "{}.y = image[second_image + wide(voxel)];\n"
                                          "}} }}\n",
                                          j * stride + ahead, length, extent, name, name);
                },
            .store = {}};
  }

  MemoryView image_access() const {
    if (place_) return placed_access();
    if (array_) return array_->access();
    const Index extent = rows_.extent;
    const std::string begin = std::string("CURSOR(image, a, first_image + wide(at));\n") +
                              (rows_adjacent() ? "" : "CURSOR(image, c, second_image + wide(at));\n");
    const auto places = [extent, close = rows_adjacent()](Index position) {
      return std::pair(fmt::format("image, a, {}u", position),
                       fmt::format("image, {}, {}u", close ? "a" : "c", close ? position + extent : position));
    };
    return {
        .memory = "image",
        .begin = [begin](Index) { return begin; },
        .load =
            [=](const std::string& name, Index j, Index stride) {
              if (within(j, stride, extent) == Within::never) return zero(name);
              const auto [first, second] = places(j * stride);
              const std::string voxels = fmt::format("to_real2(LOAD_STREAMING({}), LOAD_STREAMING({}))", first, second);
              const std::string check = position_check(j, stride, extent);
              if (check.empty()) return fmt::format("real2 {} = {};\n", name, voxels);
              return zero(name) + guarded(check, fmt::format("{} = {};\n", name, voxels));
            },
        .store =
            [=](const ComplexName& value, Index j, Index stride) {
              if (within(j, stride, extent) == Within::never) return std::string();
              const auto [first, second] = places(j * stride);
              return guarded(position_check(j, stride, extent),
                             fmt::format("{{ STORE_STREAMING({}, {} * scale);\nSTORE_STREAMING({}, {} * scale); }}\n",
                                         first, value.x, second, value.y));
            }};
  }

  using Butterfly = std::vector<ComplexName>;
  using Butterflies = std::pair<Butterfly, Butterfly>;

  /// The only butterfly: it goes between registers and image.
  bool single_stage() const { return shape_.radices.size() == 1; }

  Butterfly names(const char* prefix) const {
    Butterfly butterfly;
    for (Index j = 0; j < columns_.radix; ++j) {
      butterfly.push_back({fmt::format("{}{}.x", prefix, j), fmt::format("{}{}.y", prefix, j)});
    }
    return butterfly;
  }

  /// Where the elements of a pair of butterflies of the last stage lie.
  std::string places() const {
    if (single_stage()) return "uint at = 0u;";
    return filled(pass_bodies::mirrored_places,
                  {{"LENGTH", shape_.length}, {"BLOCK", rows_.block}, {"BLOCK_STRIDE", literal(rows_.block_stride)}});
  }
  void load(const char* prefix, const char* place) {
    const MemoryView image = image_access();
    if (single_stage()) body_ += image.begin(1);
    for (Index j = 0; j < columns_.radix; ++j) {
      const std::string name = fmt::format("{}{}", prefix, j);
      body_ += single_stage() ? image.load(name, j, 1)
                              : fmt::format("real2 {} = ELEMENT(shared_values, {}, {}u);\n", name, place,
                                            shape_.bank_padding.place(j));
    }
  }
  void store(const Butterfly& values, const char* place) {
    const MemoryView image = image_access();
    if (single_stage()) body_ += image.begin(1);
    for (Index j = 0; j < columns_.radix; ++j) {
      const ComplexName& value = values[static_cast<std::size_t>(j)];
      body_ += single_stage() ? image.store(value, j, 1)
                              : fmt::format("ELEMENT(shared_values, {}, {}u) = to_real2({}, {});\n", place,
                                            shape_.bank_padding.place(j), value.x, value.y);
    }
  }

  /// Calls visit(own, mirror) for every stored frequency: statements that know its place `w` in work.
  template <typename Visit>
  void for_each_stored(const Butterflies& butterflies, const Visit& visit) {
    const Index radix = columns_.radix;
    const auto at = [](const Butterfly& butterfly, Index j) { return butterfly[static_cast<std::size_t>(j)]; };
    const auto& [first, second] = butterflies;
    if (columns_.num_pairs > 0) {
      body_ += fmt::format("if (t < {}u) {{\n", columns_.num_pairs);
      for (Index j = 0; j < radix; ++j) {
        body_ += "{\n" + place_of_general(j);
        visit(at(first, j), at(second, radix - 1 - j));
        body_ += "}\n";
      }
      body_ += "} else {\n";
    }
    const auto special = [&](Index number, const ComplexName& own, const ComplexName& mirror) {
      const Index column = columns_.special(number);
      const Index place = column / rows_.block * rows_.block_stride + column % rows_.block;
      body_ += fmt::format("{{\nwide w = {};\n", literal(place));
      visit(own, mirror);
      body_ += "}\n";
    };
    for (Index j = 0; j < columns_.num_own(); ++j) special(j, at(first, j), at(first, (radix - j) % radix));
    for (Index j = 0; j < columns_.num_middle(); ++j) {
      special(columns_.num_own() + j, at(second, j), at(second, radix - 1 - j));
    }
    if (columns_.num_pairs > 0) body_ += "}\n";
  }
  std::string place_of_general(Index element) const {
    const Index begin = columns_.general(element, 0);
    if (begin % rows_.block == 0) {
      return fmt::format("wide w = wt + {};\n", literal(begin / rows_.block * rows_.block_stride));
    }
    return fmt::format("uint f = t + {}u;\nwide w = wide(f / {}u) * {} + wide(f % {}u);\n", begin, rows_.block,
                       literal(rows_.block_stride), rows_.block);
  }

  std::string body_;
  const PassShape& shape_;
  Precision precision_;
  const Rows& rows_;
  const RowLanes& lanes_;
  const std::optional<Placement>& place_;
  bool in_planes_;
  StoredColumns columns_;
  std::optional<ArrayText> array_;
};

}  // namespace

std::string rows_forward_text(const RowsText& what) { return RowText(what).forward(); }

std::string rows_inverse_text(const RowsText& what, double scale) { return RowText(what).inverse(scale); }

}  // namespace convoy::kernels::pass_text

// Rows and columns of planes in one launch. Workgroups take turns in the order in which they begin: those that make
// what others wait for come so far ahead that hardly any has to wait, and never after it, so that all come to an end.
#include "fft/column_text.hpp"
#include "fft/pass_text.hpp"
#include "fft/row_text.hpp"

namespace convoy::kernels {
namespace {

using namespace pass_text;

class PlanePass {
 public:
  PlanePass(const char* what, const PlaneShape& shape, Precision precision, const Rows& rows, const Columns& columns,
            const PlaneSchedule& schedule, bool writes_image, const char* about)
      : shape_(shape),
        precision_(precision),
        rows_(rows),
        columns_(columns),
        schedule_(schedule),
        spec_(named(what, shape.rows, about)) {
    spec_.notes.emplace_back("columns", radices_text(shape.columns));
    spec_.notes.emplace_back("tickets", fmt::format("{} workgroups of producers and {} of consumers a plane, consumers {} behind",
                                                    schedule.producers, schedule.consumers, schedule.lead));
    spec_.name += fmt::format("_{}", shape.columns.length);
    spec_.buffers = {table_buffer(), image_buffer(rows, writes_image), work_buffer(rows, true),
                     {"progress", KernelBuffer::Kind::count, true, "tickets taken, then workgroups done of each plane; all 0"}};
    spec_.parameters.clear();
    for (const char* parameter : {"rows_table", "columns_table", "first_plane", "num_planes"}) {
      spec_.parameters.push_back({parameter, KernelSpec::Parameter::Kind::u32});
    }
    spec_.workgroup = {u32(shape.columns.width), u32(shape.columns.threads), 1};
    spec_.num_shared = static_cast<std::uint64_t>(shape.num_shared());
    if (precision == Precision::f32) spec_.min_threads_per_sm = u32(shape.groups * shape.threads());
    spec_.uses_tickets = true;
  }

  KernelSpec forward() {
    take_tickets([this] { append_rows([this](const RowsText& what) { append_rows_forward(spec_.body, what); }); },
               [this] { append_columns(append_columns_forward); });
    return std::move(spec_);
  }
  KernelSpec inverse(double scale) {
    take_tickets([this] { append_columns(append_columns_inverse); },
               [&] { append_rows([&](const RowsText& what) { append_rows_inverse(spec_.body, what, scale); }); });
    return std::move(spec_);
  }

 private:
  template <class Make, class Wait>
  void take_tickets(const Make& make, const Wait& wait) {
    const auto& [producers, consumers, lead] = schedule_;
    spec_.body = fmt::format(
        "await_predecessor();\n"
        "TAKE_TICKET(progress, turn);\n"
        "uint in_period = turn % {0}u;\n"
        "uint consumers_before = in_period * {1}u / {0}u;\n"
        "bool makes = (in_period + 1u) * {1}u / {0}u == consumers_before;\n"
        "uint number = makes ? in_period - consumers_before + turn / {0}u * {2}u\n"
        ": consumers_before + turn / {0}u * {1}u - {3}u;\n"  // before the lead is over, beyond every plane
        "uint plane = number / (makes ? {2}u : {1}u);\n"
        "uint group = number % (makes ? {2}u : {1}u);\n"
        "if (plane >= num_planes) return;\n"
        "plane += first_plane;\n"
        "if (makes) {{\n",
        schedule_.period(), consumers, producers, lead);
    make();
    spec_.body +=
        fmt::format("ARRIVE(progress + 1u + plane, {1}u);\n}} else {{\nAWAIT(progress + 1u + plane, {0}u, {1}u);\n",
                    producers, schedule_.period());
    wait();
    spec_.body += "}\n";
  }

  template <class Append>
  void append_rows(const Append& append) {
    const Index busy = shape_.rows.threads * shape_.rows.width;
    const bool some_idle = busy < shape_.threads();
    spec_.body += fmt::format(
        "uint table_begin = rows_table;\n"
        "uint thread = local_y * {0}u + local_x;\n"
        "uint pair = thread / {1}u;\n"
        "uint lane = thread % {1}u;\n",
        shape_.columns.width, shape_.rows.threads);
    if (some_idle) spec_.body += fmt::format("if (thread >= {}u) lane = {}u;\n", busy, shape_.rows.length);
    const std::string barrier = shape_.pairs_are_warps()
                                    ? fmt::format("PAIR_BARRIER(pair, {}u, {})", shape_.rows.width, shape_.rows.threads)
                                    : "group_barrier()";
    append(RowsText{.shape = shape_.rows,
                    .precision = precision_,
                    .rows = rows_,
                    .lanes = {"lane", "pair", some_idle, barrier},
                    .place = {},
                    .in_planes = true});
  }
  void append_columns(void (*append)(std::string&, const ColumnsText&)) {
    spec_.body += "uint table_begin = columns_table;\nuint outer = plane;\n";
    append(spec_.body, {shape_.columns, precision_, columns_, true});
  }

  const PlaneShape& shape_;
  Precision precision_;
  const Rows& rows_;
  const Columns& columns_;
  const PlaneSchedule& schedule_;
  KernelSpec spec_;
};

}  // namespace

KernelSpec planes_forward(const PlaneShape& shape, Precision precision, const Rows& rows, const Columns& columns,
                          const PlaneSchedule& schedule) {
  return PlanePass("planes_forward", shape, precision, rows, columns, schedule, false,
                   "rows forward, and columns of a plane forward once all its rows are there")
      .forward();
}

KernelSpec planes_inverse(const PlaneShape& shape, Precision precision, const Rows& rows, const Columns& columns,
                          const PlaneSchedule& schedule, double scale) {
  return PlanePass("planes_inverse", shape, precision, rows, columns, schedule, true,
                   "columns of a plane inverse, and its rows once all its columns are there")
      .inverse(scale);
}

std::array<std::uint64_t, 3> threads_of(const PlaneShape& shape, const PlaneSchedule& schedule, Index num_planes) {
  return {static_cast<std::uint64_t>(schedule.num_tickets(num_planes) * shape.columns.width),
          static_cast<std::uint64_t>(shape.columns.threads), 1};
}

}  // namespace convoy::kernels

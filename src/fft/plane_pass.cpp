// Rows and columns of planes in one launch. Workgroups take tickets in the order in which they begin: those that make
// what others wait for come so far ahead that hardly any has to wait, and never after it, so that all come to an end.
#include "fft/column_text.hpp"
#include "fft/pass_body.hpp"
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
    spec_.notes.emplace_back("tickets",
                             fmt::format("{} workgroups of producers and {} of consumers a plane, consumers {} behind",
                                         schedule.producers, schedule.consumers, schedule.lead));
    spec_.name += fmt::format("_{}", shape.columns.length);
    spec_.buffers = {
        table_buffer(),
        image_buffer(rows, writes_image),
        work_buffer(rows, true),
        {"progress", KernelBuffer::Kind::count, true, "tickets taken, then workgroups done of each plane; all 0"}};
    spec_.parameters.clear();
    for (const char* parameter : {"rows_table", "columns_table", "first_plane", "num_planes"}) {
      spec_.parameters.push_back({parameter, KernelSpec::Parameter::Kind::u32});
    }
    add_array_parameters(rows.array, spec_);
    spec_.workgroup = {u32(shape.columns.width), u32(shape.columns.threads), 1};
    spec_.num_shared = static_cast<std::uint64_t>(shape.num_shared());
    if (precision == Precision::f32) spec_.min_threads_per_sm = u32(shape.groups * shape.threads());
    spec_.uses_tickets = true;
  }

  KernelSpec forward() {
    take_tickets(rows(rows_forward_text), columns(columns_forward_text));
    return std::move(spec_);
  }
  KernelSpec inverse(double scale) {
    take_tickets(columns(columns_inverse_text),
                 rows([scale](const RowsText& what) { return rows_inverse_text(what, scale); }));
    return std::move(spec_);
  }

 private:
  void take_tickets(const std::string& produce, const std::string& consume) {
    spec_.body = filled(pass_bodies::ticket, {{"PERIOD", schedule_.period()},
                                              {"PRODUCERS", schedule_.producers},
                                              {"CONSUMERS", schedule_.consumers},
                                              {"LEAD", schedule_.lead},
                                              {"PRODUCE", produce},
                                              {"CONSUME", consume}});
  }

  template <class Text>
  std::string rows(const Text& text) const {
    const Index busy = shape_.rows.threads * shape_.rows.width;
    const bool some_idle = busy < shape_.threads();
    const std::string barrier = shape_.pairs_are_warps()
                                    ? fmt::format("PAIR_BARRIER(pair, {}u, {})", shape_.rows.width, shape_.rows.threads)
                                    : "group_barrier()";
    const std::string of_rows = text(RowsText{.shape = shape_.rows,
                                              .precision = precision_,
                                              .rows = rows_,
                                              .lanes = {"lane", "pair", some_idle, barrier},
                                              .place = {},
                                              .in_planes = true});
    return filled(pass_bodies::plane_rows,
                  {{"WIDTH", shape_.columns.width},
                   {"THREADS", shape_.rows.threads},
                   {"IDLE", some_idle ? fmt::format("if (thread >= {}u) lane = {}u;", busy, shape_.rows.length) : ""},
                   {"ROWS", of_rows}});
  }
  std::string columns(std::string (*text)(const ColumnsText&)) const {
    return filled(pass_bodies::plane_columns, {{"COLUMNS", text({shape_.columns, precision_, columns_, true})}});
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

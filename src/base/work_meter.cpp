#include "base/work_meter.hpp"

#include <utility>

namespace convoy::inline v0 {
namespace {

constexpr std::chrono::milliseconds kReportPeriod{100};

thread_local WorkMeter* meter_of_thread = nullptr;

}  // namespace

WorkMeter::WorkMeter(Report report) : report_(std::move(report)), before_(std::exchange(meter_of_thread, this)) {}
WorkMeter::~WorkMeter() { meter_of_thread = before_; }

void WorkMeter::note(double part) {
  if (!report_) return;
  const Clock::time_point now = Clock::now();
  if (now - reported_at_ < kReportPeriod) return;
  const double done = begin_ + (end_ - begin_) * part;
  if (done <= reported_) return;
  reported_ = done;
  reported_at_ = now;
  report_(done);
}

WorkPart::WorkPart(double begin, double end) : meter_(meter_of_thread) {
  if (meter_ == nullptr) return;
  begin_before_ = meter_->begin_;
  end_before_ = meter_->end_;
  const double extent = end_before_ - begin_before_;
  meter_->begin_ = begin_before_ + extent * begin;
  meter_->end_ = begin_before_ + extent * end;
}
WorkPart::~WorkPart() {
  if (meter_ == nullptr) return;
  meter_->begin_ = begin_before_;
  meter_->end_ = end_before_;
}

void note_work_done(double part) {
  if (meter_of_thread != nullptr) meter_of_thread->note(part);
}

}  // namespace convoy::inline v0

// How far a long piece of work on the calling thread is. Whoever wants to know makes a WorkMeter; whoever does some
// part of the work says which (WorkPart); loops over many pieces say how far they are (note_work_done).
#pragma once

#include <chrono>
#include <functional>

namespace convoy::inline v0 {

/// While it lives, work that the calling thread does is reported now and then, about ten times a second. Scopes nest:
/// the inner one counts.
class WorkMeter {
 public:
  /// Called with the part of the work that is done, above 0 and never falling. What it throws ends the work.
  using Report = std::function<void(double part)>;

  /// Without a function, nothing is reported.
  explicit WorkMeter(Report report = {});
  ~WorkMeter();
  WorkMeter(const WorkMeter&) = delete;
  WorkMeter& operator=(const WorkMeter&) = delete;

  /// The next piece of work begins.
  void start_anew() { reported_ = 0; }

 private:
  friend class WorkPart;
  friend void note_work_done(double part);
  using Clock = std::chrono::steady_clock;
  void note(double part);

  Report report_;
  WorkMeter* before_;
  double begin_ = 0;  // of the innermost WorkPart, in the whole
  double end_ = 1;
  double reported_ = 0;
  Clock::time_point reported_at_ = Clock::now();
};

/// While it lives, what the calling thread does is this part, from `begin` to `end` (0 to 1), of the WorkPart that it
/// lies in.
class WorkPart {
 public:
  WorkPart(double begin, double end);
  ~WorkPart();
  WorkPart(const WorkPart&) = delete;
  WorkPart& operator=(const WorkPart&) = delete;

 private:
  WorkMeter* meter_;
  double begin_before_ = 0;
  double end_before_ = 0;
};

/// So much of the calling thread's innermost WorkPart is done. Costs next to nothing where nobody asks.
void note_work_done(double part);

}  // namespace convoy::inline v0

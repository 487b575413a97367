// The stages of a transform as the text of a kernel body.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "convoy/spec.hpp"
#include "fft/butterfly.hpp"

namespace convoy::inline v0 {

/// Where the elements of a butterfly lie. Element j lies j times the stage's stride behind the first, whose position in
/// the transform the text calls `at`.
struct MemoryView {
  std::string memory;  ///< two accesses of one name are one
  /// Statements before the elements of a butterfly are touched. `stride` is that of the stage.
  std::function<std::string(Index stride)> begin;
  /// Statements that declare `name` and give it element j.
  std::function<std::string(const std::string& name, Index j, Index stride)> load;
  /// Statement that stores element j.
  std::function<std::string(const ComplexName& value, Index j, Index stride)> store;
  /// If set: statements after all elements of a butterfly are loaded, so that no load waits for what they do.
  std::function<std::string(const std::vector<ComplexName>& values)> loaded{};
};

/// What happens to the frequencies of a butterfly between forth and back.
struct SpectrumOp {
  /// Statements before anything is loaded for a butterfly; then those that declare and load what changes frequency j.
  std::string begin;
  std::function<std::string(Index j)> declare;
  std::function<std::string(Index j, Index stride)> load;
  /// If set, in place of `begin` and `load`: appends what gives all factors of butterfly `b` their values.
  std::function<void()> make_all;
  /// Load everything before anything is changed, and before the last barrier where each thread has one butterfly at
  /// most: compilers leave loads on their side of a barrier, so that all are on their way while shared memory is waited
  /// for.
  bool loads_together = false;
  /// Frequency j, changed.
  std::function<ComplexName(const ComplexName& value, Index j)> apply;
};

/// Those that work on one transform, or on several at once.
struct TransformThreads {
  Index count = 1;
  std::string number;  ///< of this one among them
  /// Some have nothing to do but to wait at barriers; their number is beyond the transform's length.
  bool some_idle = false;
  std::string barrier = "group_barrier()";
  /// All stages do all of them; the text calls the transform `line`. 0: one that has no name.
  Index num_transforms = 0;
  /// Neighbouring threads work on one transform's neighbouring elements in the first stage; in the others, and else,
  /// on neighbouring transforms.
  bool first_stage_along = false;
};

/// Decimation in frequency forth, in time back. In every stage a thread puts its elements back to where it took them
/// from, so that one barrier between stages is enough.
class StagesText {
 public:
  StagesText(std::string& body, const std::vector<Index>& radices, TransformThreads threads, Precision precision,
             MemoryView shared);

  /// From `from` to `to`, through shared memory between.
  void forward(const MemoryView& from, const MemoryView& to);
  void inverse(const MemoryView& from, const MemoryView& to);
  /// The same without the last stage of forth, which is the first of back: the caller's. Ends and begins with a
  /// barrier, unless there is no other stage.
  void forward_but_last(const MemoryView& from, const std::function<void()>& before_last_barrier = {});
  void inverse_but_last(const MemoryView& to);
  /// Forth, `change` of every frequency in the registers, back.
  void round_trip(const MemoryView& data, const SpectrumOp& change);
  void barrier() { body_ += "// barrier: the next stage reads what others store\n" + threads_.barrier + ";\n"; }

  ButterflyText& butterfly() { return butterfly_; }

 private:
  std::size_t num_stages() const { return radices_.size(); }
  Index num_butterflies(std::size_t stage) const { return length_ / radices_[stage]; }
  Index sub_length(std::size_t stage) const;
  Index stride(std::size_t stage) const { return sub_length(stage) / radices_[stage]; }
  Index first_root(std::size_t stage) const;
  void begin(std::size_t stage);
  void end() { body_ += "}\n"; }
  std::vector<ComplexName> loaded(std::size_t stage, const MemoryView& from);
  void put(std::size_t stage, const std::vector<ComplexName>& values, const MemoryView& from, const MemoryView& to);
  std::vector<ComplexName> butterflies(const std::vector<ComplexName>& values, int sign);
  std::vector<ComplexName> forward_values(std::size_t stage, const std::vector<ComplexName>& values);
  std::vector<ComplexName> inverse_values(std::size_t stage, const std::vector<ComplexName>& values);
  std::vector<ComplexName> twiddled(std::size_t stage, std::vector<ComplexName> values, bool conjugate);

  std::string& body_;
  const std::vector<Index> radices_;
  Index length_;
  TransformThreads threads_;
  MemoryView shared_;
  ButterflyText butterfly_;
  int num_loaded_ = 0;
};

}  // namespace convoy::inline v0

#include "mpi/remote_output.hpp"

#include "convoy/error.hpp"

namespace convoy::mpi {
namespace {

/// The part of an image that is another image.
class PartWriter final : public ImageWriter {
 public:
  PartWriter(ImageWriter& whole, const Box& part, std::function<void()> check)
      : whole_(whole), part_(part), check_(std::move(check)) {}

  Shape shape() const override { return part_.size; }
  Element element() const override { return whole_.element(); }
  Shape chunk() const override { return whole_.chunk(); }
  void write(const Box& box, const std::byte* voxels) override {
    check_();
    whole_.write(moved(box), voxels);
  }
  bool holds(const Box& box) const override { return whole_.holds(moved(box)); }

 private:
  Box moved(Box box) const {
    for (int axis = 0; axis < 3; ++axis) box.begin[axis] += part_.begin[axis];
    return box;
  }

  ImageWriter& whole_;
  Box part_;
  std::function<void()> check_;
};

class SharedOutput final : public ImageFileWriter {
 public:
  SharedOutput(OutputServer& server, std::unique_ptr<ImageFileWriter> output, const Box& part)
      : server_(server), output_(std::move(output)), part_(part) {
    server_.open(*output_);
  }
  ~SharedOutput() override { server_.close(); }

  ImageWriter& image(Index number) override {
    auto& writer = images_[number];
    if (!writer) {
      writer = std::make_unique<PartWriter>(output_->image(number), part_, [this] {
        if (const auto failure = server_.failure()) throw Error(Errc::io, *failure);
      });
    }
    return *writer;
  }
  std::uint64_t cache_bytes() const override { return output_->cache_bytes(); }
  void commit() override {
    server_.wait_for_others();
    server_.close();
    output_->commit();
  }

 private:
  OutputServer& server_;
  std::unique_ptr<ImageFileWriter> output_;
  Box part_;
  std::map<Index, std::unique_ptr<PartWriter>> images_;
};

class SentImage final : public ImageWriter {
 public:
  SentImage(const World& world, std::mutex& mutex, Index number, Element element)
      : world_(world), mutex_(mutex), number_(number), element_(element) {
    const Answer answer = ask(RequestKind::chunk, {}, {});
    chunk_ = {answer.values[0], answer.values[1], answer.values[2]};
  }

  /// Not called: only the part's is known here.
  Shape shape() const override { return {}; }
  Element element() const override { return element_; }
  Shape chunk() const override { return chunk_; }
  void write(const Box& box, const std::byte* voxels) override {
    const std::size_t bytes = static_cast<std::size_t>(num_voxels(box.size)) * size_of(element_);
    ask(RequestKind::write, box, {voxels, bytes});
  }
  bool holds(const Box& box) const override { return ask(RequestKind::holds, box, {}).values[0] != 0; }

 private:
  Answer ask(RequestKind kind, const Box& box, std::span<const std::byte> payload) const {
    const std::lock_guard lock(mutex_);
    const Answer answer = world_.ask({kind, number_, box}, payload);
    if (!answer.goes_on) throw Error(Errc::io, kStopped);
    return answer;
  }

  const World& world_;
  std::mutex& mutex_;
  Index number_;
  Element element_;
  Shape chunk_;
};

class SentOutput final : public ImageFileWriter {
 public:
  SentOutput(const World& world, Element element, const Box& part) : world_(world), element_(element), part_(part) {}

  ImageWriter& image(Index number) override {
    auto& [whole, part] = images_[number];
    if (!part) {
      whole = std::make_unique<SentImage>(world_, mutex_, number, element_);
      part = std::make_unique<PartWriter>(*whole, part_, [] {});
    }
    return *part;
  }
  std::uint64_t cache_bytes() const override { return 0; }
  void commit() override {}

 private:
  struct Sent {
    std::unique_ptr<SentImage> whole;
    std::unique_ptr<PartWriter> part;
  };

  const World& world_;
  std::mutex mutex_;  // MPI is used by one thread at a time
  Element element_;
  Box part_;
  std::map<Index, Sent> images_;
};

}  // namespace

std::unique_ptr<ImageFileWriter> share_output(OutputServer& server, std::unique_ptr<ImageFileWriter> output,
                                              const Box& part) {
  return std::make_unique<SharedOutput>(server, std::move(output), part);
}

std::unique_ptr<ImageFileWriter> send_output(const World& world, Element element, const Box& part) {
  return std::make_unique<SentOutput>(world, element, part);
}

}  // namespace convoy::mpi

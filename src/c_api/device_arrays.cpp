#include "c_api/convert.hpp"
#include "convoy/device_buffer.hpp"

struct convoy_device_buffer {
  convoy::DeviceBuffer buffer;
};
struct convoy_resident_convolver {
  convoy::ResidentConvolver convolver;
};
struct convoy_resident_deconvolver {
  convoy::ResidentDeconvolver deconvolver;
};

using namespace convoy::c_api;

namespace {

convoy::ResidentOptions resident_options(std::int32_t image_element, std::int32_t output_element,
                                         const convoy_options* options) {
  const Options from = options_from(options);
  convoy::ResidentOptions resident;
  resident.plan = from.plan;
  resident.image = element_from(image_element, "image_element");
  resident.output = element_from(output_element, "output_element");
  resident.weights = from.weights;
  return resident;
}

convoy::DeviceStream stream_from(std::uint64_t handle) {
  convoy::DeviceStream stream;
  stream.handle = handle;
  return stream;
}

}  // namespace

int convoy_device_buffer_create(const convoy_device* device, uint64_t size_bytes, convoy_device_buffer** buffer,
                                uint64_t* handle) {
  return guarded([&] {
    if (size_bytes == 0) refuse("size_bytes is 0");
    give(buffer, "buffer", convoy::DeviceBuffer(required(device, "device").device, size_bytes));
    if (handle != nullptr) *handle = (*buffer)->buffer.array(convoy::Element::u8, {1, 1, 1}).handle;
  });
}

int convoy_device_buffer_write(convoy_device_buffer* buffer, const void* bytes, uint64_t size_bytes,
                               uint64_t offset_bytes) {
  return guarded([&] {
    if (bytes == nullptr) refuse("bytes is null");
    required(buffer, "buffer").buffer.write({static_cast<const std::byte*>(bytes), size_bytes}, offset_bytes);
  });
}

int convoy_device_buffer_read(const convoy_device_buffer* buffer, void* bytes, uint64_t size_bytes,
                              uint64_t offset_bytes) {
  return guarded([&] {
    if (bytes == nullptr) refuse("bytes is null");
    required(buffer, "buffer").buffer.read({static_cast<std::byte*>(bytes), size_bytes}, offset_bytes);
  });
}

void convoy_device_buffer_destroy(convoy_device_buffer* buffer) { delete buffer; }

int convoy_resident_convolver_create(const convoy_convolution_spec* spec, const convoy_image* kernel,
                                     const convoy_device* device, int32_t image_element, int32_t output_element,
                                     const convoy_options* options, convoy_resident_convolver** convolver) {
  return guarded([&] {
    give(convolver, "convolver",
         convoy::ResidentConvolver(spec_from(spec), view_of(kernel, "kernel"), required(device, "device").device,
                                   resident_options(image_element, output_element, options)));
  });
}

int convoy_resident_convolver_run(convoy_resident_convolver* convolver, const convoy_device_array* image,
                                  const convoy_device_array* output, uint64_t stream) {
  return guarded([&] {
    required(convolver, "convolver")
        .convolver.run(array_of(image, "image"), array_of(output, "output"), stream_from(stream));
  });
}

int convoy_resident_convolver_wait(convoy_resident_convolver* convolver) {
  return guarded([&] { required(convolver, "convolver").convolver.wait(); });
}

void convoy_resident_convolver_destroy(convoy_resident_convolver* convolver) { delete convolver; }

int convoy_resident_deconvolver_create(const convoy_deconvolution_spec* spec, const convoy_image* psf,
                                       const convoy_device* device, int32_t image_element, int32_t output_element,
                                       const convoy_options* options, convoy_resident_deconvolver** deconvolver) {
  return guarded([&] {
    give(deconvolver, "deconvolver",
         convoy::ResidentDeconvolver(spec_from(spec), view_of(psf, "psf"), required(device, "device").device,
                                     resident_options(image_element, output_element, options)));
  });
}

int convoy_resident_deconvolver_run(convoy_resident_deconvolver* deconvolver, const convoy_device_array* image,
                                    const convoy_device_array* output, uint64_t stream) {
  return guarded([&] {
    required(deconvolver, "deconvolver")
        .deconvolver.run(array_of(image, "image"), array_of(output, "output"), stream_from(stream));
  });
}

int convoy_resident_deconvolver_wait(convoy_resident_deconvolver* deconvolver) {
  return guarded([&] { required(deconvolver, "deconvolver").deconvolver.wait(); });
}

void convoy_resident_deconvolver_destroy(convoy_resident_deconvolver* deconvolver) { delete deconvolver; }

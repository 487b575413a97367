#include "c_api/convert.hpp"
#include "convoy/device_buffer.hpp"

struct convoy_device_buffer {
  convoy::DeviceBuffer buffer;
};
struct convoy_resident_convolver {
  convoy::ResidentConvolver convolver;
};

using namespace convoy::c_api;

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
    const Options from = options_from(options);
    convoy::ResidentOptions resident;
    resident.plan = from.plan;
    resident.image = element_from(image_element, "image_element");
    resident.output = element_from(output_element, "output_element");
    resident.weights = from.weights;
    give(convolver, "convolver",
         convoy::ResidentConvolver(spec_from(spec), view_of(kernel, "kernel"), required(device, "device").device,
                                   resident));
  });
}

int convoy_resident_convolver_run(convoy_resident_convolver* convolver, const convoy_device_array* image,
                                  const convoy_device_array* output, uint64_t stream) {
  return guarded([&] {
    convoy::DeviceStream queue;
    queue.handle = stream;
    required(convolver, "convolver").convolver.run(array_of(image, "image"), array_of(output, "output"), queue);
  });
}

int convoy_resident_convolver_wait(convoy_resident_convolver* convolver) {
  return guarded([&] { required(convolver, "convolver").convolver.wait(); });
}

void convoy_resident_convolver_destroy(convoy_resident_convolver* convolver) { delete convolver; }

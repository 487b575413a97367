// docs/tutorial.md in C++: three spheres are blurred and restored. Usage: tutorial [DEVICE], as in "cuda" or "cpu".
#include <convoy/convoy.hpp>
#include <convoy/io.hpp>
#include <cstdio>

int main(int count, char** arguments) {
  using namespace convoy;
  Device device = open_device(count > 1 ? arguments[1] : "auto");
  Image spheres = make_image({48, 192, 192}, Element::f32), psf = make_image({48, 96, 96}, Element::f32);  // z, y, x
  for (const Sphere& sphere : three_spheres(spheres.shape)) draw_sphere(spheres.mutable_view(), sphere, 1);
  fill_widefield_psf(psf.mutable_view(), {});

  ConvolutionSpec blur;
  blur.image = spheres.shape;
  blur.kernel = psf.shape;
  Image blurred = make_image(spheres.shape, Element::f32);
  Convolver(blur, psf.view(), device).run(spheres.view(), blurred.mutable_view());

  DeconvolutionSpec restore;
  restore.image = blurred.shape;
  restore.psf = psf.shape;
  restore.iterations = 20;
  Image restored = make_image(blurred.shape, Element::f32);
  const DeconvolutionReport report =
      Deconvolver(restore, psf.view(), device).run(blurred.view(), restored.mutable_view());

  write_image("restored.tif", restored.view(), restored.metadata);
  std::printf("%d iterations, %.3f GiB of device memory at most, %d bytes now\n", static_cast<int>(report.iterations),
              static_cast<double>(report.peak_device_bytes) / (1 << 30), static_cast<int>(device.used_bytes()));
}

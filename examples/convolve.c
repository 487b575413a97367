/* An image with one bright voxel, blurred: the README's program in C. cc convolve.c $(pkg-config --cflags --libs convoy) */
#include <convoy.h>
#include <stdio.h>

enum { NY = 5, NX = 7 };

int main(void) {
  float image[NY * NX] = {0}, kernel[9], blurred[NY * NX];
  convoy_image from = {sizeof from, image, CONVOY_F32, {1, NY, NX}, 1, NULL}; /* z, y, x */
  convoy_image psf = {sizeof psf, kernel, CONVOY_F32, {1, 3, 3}, 1, NULL};
  convoy_image to = {sizeof to, blurred, CONVOY_F32, {1, NY, NX}, 1, NULL};
  int i;
  for (i = 0; i < 9; ++i) kernel[i] = 1;
  image[2 * NX + 3] = 1;
  if (convoy_convolve(&from, &psf, NULL, NULL, &to) != CONVOY_OK) {
    fprintf(stderr, "%s\n", convoy_last_error());
    return 1;
  }
  for (i = 0; i < NY * NX; ++i) printf("%3d%s", (int)(blurred[i] + 0.5f), i % NX == NX - 1 ? "\n" : "");
  return 0;
}

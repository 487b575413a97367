// copy_image FROM TO: reads an image with convoy and writes it again. Prints what it read.
#include <cstdio>
#include <exception>

#include "convoy/io.hpp"

int main(int count, char** arguments) {
  if (count != 3) return 2;
  try {
    const convoy::Image image = convoy::read_image(arguments[1]);
    convoy::write_image(arguments[2], image.view(), image.metadata);
    std::printf("%s %s\n", to_text(image.shape).c_str(), name(image.element));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

#include <doctest/doctest.h>

#include "convoy/error.hpp"
#include "convoy/plan.hpp"

using namespace convoy;

TEST_CASE("bytes are read with their unit") {
  constexpr std::uint64_t kGib = 1ull << 30;
  CHECK(bytes_from_text("0") == 0);
  CHECK(bytes_from_text("1000000") == 1000000);
  CHECK(bytes_from_text("17 B") == 17);
  CHECK(bytes_from_text("2GiB") == 2 * kGib);
  CHECK(bytes_from_text("2gib") == 2 * kGib);
  CHECK(bytes_from_text(" 2 GiB ") == 2 * kGib);
  CHECK(bytes_from_text("512MiB") == kGib / 2);
  CHECK(bytes_from_text("1.5GB") == 1500000000);
  CHECK(bytes_from_text("1.5 GB") == 1500000000);
  CHECK(bytes_from_text("0.5G") == kGib / 2);
  CHECK(bytes_from_text("3K") == 3072);
  CHECK(bytes_from_text("3kB") == 3000);
  CHECK(bytes_from_text("2Gi") == 2 * kGib);
  CHECK(bytes_from_text("1e9") == 1000000000);
  CHECK(bytes_from_text("1.5e3 kB") == 1500000);
  CHECK(bytes_from_text("2TiB") == 2048 * kGib);
  CHECK(bytes_from_text("18446744073709551615") == UINT64_MAX);
}

TEST_CASE("what is not a number of bytes is refused, and quoted") {
  for (const char* text : {"", "  ", "-1", "+1", "abc", "1e30", "GiB", "2 GiX", "0x10", "nan", "inf", "1,5GB", "1.5.5",
                           "18446744073709551616", "99999999TiB", "2GiB2"}) {
    CAPTURE(text);
    try {
      bytes_from_text(text);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.code() == Errc::invalid_argument);
      CHECK(std::string(error.what()).find(std::string("'") + text + "'") != std::string::npos);
    }
  }
}

TEST_CASE("bytes are written for people") {
  CHECK(bytes_to_text(0) == "0 B");
  CHECK(bytes_to_text(1023) == "1023 B");
  CHECK(bytes_to_text(1024) == "1.00 KiB");
  CHECK(bytes_to_text(3ull << 29) == "1.50 GiB");
  CHECK(bytes_to_text((1ull << 20) - 1) == "1.00 MiB");
  CHECK(bytes_to_text(UINT64_MAX) == "16.00 EiB");
}

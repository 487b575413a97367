#include "c_api/status.hpp"

#include <cstdlib>
#include <new>

#include "convoy/log.hpp"
#include "convoy/settings.hpp"
#include "convoy/version.hpp"

namespace convoy::c_api {
namespace {

/// Of fixed size, so that running out of memory can be told as well.
thread_local char last_error[4096] = "";

int status_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
      return CONVOY_INVALID_ARGUMENT;
    case Errc::out_of_memory:
      return CONVOY_OUT_OF_MEMORY;
    case Errc::device_lost:
      return CONVOY_DEVICE_LOST;
    case Errc::unsupported:
      return CONVOY_UNSUPPORTED;
    case Errc::backend_unavailable:
      return CONVOY_BACKEND_UNAVAILABLE;
    case Errc::compile_failed:
      return CONVOY_COMPILE_FAILED;
    case Errc::io:
      return CONVOY_IO;
    case Errc::cancelled:
      return CONVOY_CANCELLED;
  }
  return CONVOY_INTERNAL;
}

}  // namespace

void set_last_error(const char* text) noexcept {
  std::size_t length = std::strlen(text);
  if (length >= sizeof last_error) {
    length = sizeof last_error - 1;
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U)
      --length;  // not within a character
  }
  std::memcpy(last_error, text, length);
  last_error[length] = '\0';
}

int status_of_exception() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    set_last_error(error.what());
    return status_of(error.code());
  } catch (const std::bad_alloc&) {
    set_last_error("the machine has no memory left for it");
    return CONVOY_OUT_OF_MEMORY;
  } catch (const std::exception& error) {
    set_last_error(error.what());
  } catch (...) {
    set_last_error("an exception of an unknown type");
  }
  return CONVOY_INTERNAL;
}

char* new_text(const std::string& text) {
  auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

}  // namespace convoy::c_api

using namespace convoy::c_api;

const char* convoy_version(void) { return CONVOY_VERSION; }

const char* convoy_status_name(int status) {
  if (status == CONVOY_OK) return "ok";
  if (status == CONVOY_INTERNAL) return "internal";
  for (const auto code : {convoy::Errc::invalid_argument, convoy::Errc::out_of_memory, convoy::Errc::device_lost,
                          convoy::Errc::unsupported, convoy::Errc::backend_unavailable, convoy::Errc::compile_failed,
                          convoy::Errc::io, convoy::Errc::cancelled}) {
    if (status == status_of(code)) return convoy::name(code);
  }
  return "unknown";
}

const char* convoy_last_error(void) { return last_error; }

void convoy_string_free(char* text) { std::free(text); }

int convoy_set_variable(const char* name, const char* value) {
  return guarded([&] {
    convoy::set_variable(&required(name, "name"), value != nullptr ? std::optional<std::string>(value) : std::nullopt);
  });
}

int convoy_set_log_callback(convoy_log_callback callback, void* user) {
  return guarded([&] {
    if (callback == nullptr) {
      convoy::set_log({});
      return;
    }
    convoy::set_log([callback, user](std::string_view topic, std::string_view message) {
      callback(user, std::string(topic).c_str(), std::string(message).c_str());
    });
  });
}

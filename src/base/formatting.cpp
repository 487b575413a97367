// fmt's formatter, compiled here once: libconvoy needs no libfmt, and no other unit compiles it
// (scripts/cmake/ConvoyFmt.cmake). As in header-only fmt its functions are weak symbols, so that a program's own libfmt
// does not collide with them.
#define FMT_HEADER_ONLY 1
#include <fmt/format.h>

#include <locale>

// What the headers of fmt 9 declare and leave to libfmt.
template auto fmt::detail::thousands_sep_impl<char>(fmt::detail::locale_ref) -> fmt::detail::thousands_sep_result<char>;
template auto fmt::detail::decimal_point_impl<char>(fmt::detail::locale_ref) -> char;
template fmt::detail::locale_ref::locale_ref(const std::locale&);
template auto fmt::detail::locale_ref::get<std::locale>() const -> std::locale;
template void fmt::detail::buffer<char>::append(const char*, const char*);
template void fmt::detail::vformat_to(fmt::detail::buffer<char>&, fmt::string_view, fmt::format_args,
                                      fmt::detail::locale_ref);
template auto fmt::detail::dragonbox::to_decimal(float) noexcept -> fmt::detail::dragonbox::decimal_fp<float>;
template auto fmt::detail::dragonbox::to_decimal(double) noexcept -> fmt::detail::dragonbox::decimal_fp<double>;

namespace convoy::inline v0 {

/// Inline functions are emitted where something refers to them.
struct FmtFunctions {
  std::string (*vformat)(fmt::string_view, fmt::format_args) = &fmt::vformat;
  void (*throw_format_error)(const char*) = &fmt::detail::throw_format_error;
  void (*assert_fail)(const char*, int, const char*) = &fmt::detail::assert_fail;
  bool (*is_printable)(std::uint32_t) = &fmt::detail::is_printable;
  void (*print)(std::FILE*, fmt::string_view, fmt::format_args) = &fmt::vprint;
};
namespace {
[[gnu::used]] const FmtFunctions kFmtFunctions;
}

}  // namespace convoy::inline v0

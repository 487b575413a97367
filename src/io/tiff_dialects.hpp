// Dialects of TIFF that hold more than their pages and description say, or say it in a way of their own.
#pragma once

#include <optional>
#include <string>

#include "io/tiff_description.hpp"
#include "io/tiff_tags.hpp"

namespace convoy::io {

/// What MetaMorph's tags say about a STK file: planes of z one behind the other after one page. Nothing for other
/// files.
std::optional<StackDescription> parse_metamorph(const TiffTags& tags);

/// The name of the dialect if convoy does not know the order of its planes; empty: none. `text` is the first page's
/// description.
std::string unread_dialect(const TiffTags& tags, const std::string& text);

}  // namespace convoy::io

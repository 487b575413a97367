// Suggestions for misspelt words.
#pragma once

#include <string>
#include <vector>

namespace convoy::cli {

/// The candidate with the smallest edit distance (insertions, deletions, substitutions, swaps of neighbours; upper and
/// lower case are equal), or an empty string where none is close enough to be what was meant: at most one edit for
/// words of up to four letters, two up to seven, three beyond.
std::string nearest_word(const std::string& word, const std::vector<std::string>& candidates);

/// "; did you mean 'WORD'?", or nothing.
std::string suggestion(const std::string& word, const std::vector<std::string>& candidates);

/// The text with ASCII letters in lower case.
std::string lower_case(std::string text);

}  // namespace convoy::cli

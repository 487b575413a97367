// .zarray or zarr.json, as the first byte says: what is taken for an array has sizes that can be computed with.
#include "base/json_text.hpp"
#include "convoy/error.hpp"
#include "io/zarr_array.hpp"
#include "target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  if (size == 0) return 0;
  const auto json = parse_json(fuzz::to_string(data + 1, size - 1));
  if (!json) return 0;
  try {
    const bool is_v2 = data[0] == '2';
    if (!is_v2) io::require_no_extensions("a.zarr", *json);
    const io::ZarrArray array =
        is_v2 ? io::zarr_array_from_v2("a.zarr", *json) : io::zarr_array_from_v3("a.zarr", *json);
    if (array.extents.size() != array.chunk.size() || array.extents.size() != array.order.size()) {
      fuzz::broken("an array, its chunks and their order have as many axes");
    }
    if (array.chunk_bytes() > (std::uint64_t{1} << 31) || array.num_files() == 0) fuzz::broken("sizes are possible");
    std::vector<Index> last;
    for (std::size_t axis = 0; axis < array.extents.size(); ++axis) {
      if (array.file_shape()[axis] % array.chunk[axis] != 0) fuzz::broken("files hold whole chunks");
      last.push_back((array.extents[axis] - 1) / array.chunk[axis]);
    }
    if (array.file_number(last) != array.num_files() - 1) fuzz::broken("the last chunk lies in the last file");
    if (array.file_name(array.file_position(0)).empty()) fuzz::broken("files have names");
  } catch (const Error&) {
  }
  return 0;
}

// Outputs whose folder is not ours alone: what lies there is moved, removed, replaced or planted while a run writes.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>

#include "convoy/io.hpp"
#include "io/files.hpp"
#include "io/output_place.hpp"
#include "io/temporary_names.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

namespace fs = std::filesystem;

const Shape kShape{6, 10, 12};
constexpr const char* kNames[] = {"a.tif", "a.npy", "a.raw", "a.zarr"};

CreateOptions options_of(bool resume, bool overwrite = false) {
  CreateOptions options;
  options.resume = resume;
  options.overwrite = overwrite;
  return options;
}

void write_plane(ImageFileWriter& file, Index z) {
  const std::vector<float> plane(120, static_cast<float>(z));
  file.image().write({{z, 0, 0}, {1, 10, 12}}, reinterpret_cast<const std::byte*>(plane.data()));
}

void write_planes(ImageFileWriter& file, Index first, Index end) {
  for (Index z = first; z < end; ++z) write_plane(file, z);
}

void write_whole(const std::string& path, const CreateOptions& options = {}) {
  const auto file = create_image(path, kShape, Element::f32, {}, options);
  write_planes(*file, 0, kShape.z);
  file->commit();
}

/// The file or folder under a hidden name that is not a journal.
fs::path hidden_in(const std::string& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name[0] == '.' && !name.ends_with("journal")) return entry.path();
  }
  return {};
}

const char* change_name(int change) {
  constexpr const char* kChanges[] = {"removed", "moved", "replaced"};
  return kChanges[change];
}

void change_hidden(const fs::path& hidden, int change, const std::string& elsewhere) {
  if (change == 1) return fs::rename(hidden, elsewhere);
  const bool is_folder = fs::is_directory(hidden);
  fs::remove_all(hidden);
  if (change == 0) return;
  if (is_folder) {
    fs::create_directory(hidden);
  } else {
    write_bytes(hidden.string(), "of another");
  }
}

}  // namespace

TEST_CASE("a temporary file or folder that is removed, moved or replaced in mid-run ends the run at its next write") {
  for (const bool resume : {false, true}) {
    for (const char* name : kNames) {
      for (int change = 0; change < 3; ++change) {
        CAPTURE(resume);
        CAPTURE(std::string(name));
        CAPTURE(change_name(change));
        const Folder folder;
        {
          const auto file = create_image(folder / name, kShape, Element::f32, {}, options_of(resume));
          write_planes(*file, 0, 2);
          change_hidden(hidden_in(folder.path()), change, folder / "elsewhere");
          // Chunks that are not full are written at the end.
          const std::string text = error_of([&] {
            write_planes(*file, 2, kShape.z);
            file->commit();
          });
          CHECK_MESSAGE(contains(text, folder / name), text);
          CHECK_MESSAGE(contains(text, "another process"), text);
        }
        CHECK_FALSE(fs::exists(folder / name));
        const fs::path left = hidden_in(folder.path());
        if (change == 2 && !fs::is_directory(left)) CHECK(bytes_of(left.string()) == "of another");
      }
    }
  }
}

TEST_CASE("a temporary file or folder that is removed before commit, or a part of it, gets no name") {
  for (const bool resume : {false, true}) {
    for (const char* part : {"", ".zgroup", ".zattrs", "0/.zarray", "0/0/0/0", "0"}) {
      for (const char* name : kNames) {
        if (*part != '\0' && std::string(name) != "a.zarr") continue;
        CAPTURE(resume);
        CAPTURE(std::string(name));
        CAPTURE(std::string(part));
        const Folder folder;
        {
          const auto file = create_image(folder / name, kShape, Element::f32, {}, options_of(resume));
          write_planes(*file, 0, kShape.z);
          const fs::path hidden = hidden_in(folder.path());
          fs::remove_all(*part == 0 ? hidden : hidden / part);
          CHECK(contains(error_of([&] { file->commit(); }), folder / name));
        }
        CHECK_FALSE(fs::exists(folder / name));
        if (!resume) CHECK(folder.num_files() == 0);
      }
    }
  }
}

TEST_CASE("files that are shortened or lengthened by others in mid-run get no name") {
  for (const char* name : kNames) {
    const Folder folder;
    const auto file = create_image(folder / name, kShape, Element::f32);
    write_planes(*file, 0, kShape.z);
    fs::path hidden = hidden_in(folder.path());
    if (fs::is_directory(hidden)) hidden /= "0/0/0/0";
    fs::resize_file(hidden, fs::file_size(hidden) - 1);
    CHECK(contains(error_of([&] { file->commit(); }), "changed by another process"));
    CHECK_FALSE(fs::exists(folder / name));
  }
}

TEST_CASE("an output whose folder is moved in mid-run is not lost, and the error says where it lies") {
  for (const char* name : kNames) {
    CAPTURE(std::string(name));
    const Folder folder;
    fs::create_directory(folder / "here");
    const auto file = create_image(folder / "here/" + name, kShape, Element::f32);
    write_planes(*file, 0, 2);
    fs::rename(folder / "here", folder / "there");
    write_planes(*file, 2, kShape.z);
    const std::string text = error_of([&] { file->commit(); });
    CHECK_MESSAGE(contains(text, folder / "there"), text);
    write_whole(folder / name);
    if (!fs::is_directory(folder / name)) CHECK(bytes_of(folder / "there/" + name) == bytes_of(folder / name));
    CHECK_FALSE(fs::exists(folder / "here"));
    CHECK(std::distance(fs::directory_iterator(folder / "there"), fs::directory_iterator()) == 1);
  }
}

TEST_CASE("links and other users' files under hidden names are refused, and their victims untouched") {
  for (const char* name : kNames) {
    CAPTURE(std::string(name));
    const Folder folder;
    fs::create_directory(folder / "victim");
    write_bytes(folder / "victim/thesis", "years of work");
    const bool is_folder = std::string(name) == "a.zarr";
    fs::create_symlink(is_folder ? folder / "victim" : folder / "victim/thesis", io::kept_path(folder / name));
    const std::string text = error_of([&] { write_whole(folder / name, options_of(true)); });
    CHECK_MESSAGE(contains(text, io::kept_path(folder / name) + ": is a symbolic link"), text);
    fs::remove(io::kept_path(folder / name));
    if (!is_folder) {
      fs::create_hard_link(folder / "victim/thesis", io::kept_path(folder / name));
      CHECK(contains(error_of([&] { write_whole(folder / name, options_of(true)); }), "hard links"));
    }
    CHECK(bytes_of(folder / "victim/thesis") == "years of work");
    CHECK_FALSE(fs::exists(folder / name));
  }
}

TEST_CASE("a link as output: what it points to is written, there or not yet there") {
  for (const char* name : kNames) {
    CAPTURE(std::string(name));
    const Folder folder;
    fs::create_directory(folder / "data");
    fs::create_symlink(std::string("data/") + name, folder / "inner");
    fs::create_symlink("inner", folder / name);
    write_whole(folder / name);
    CHECK(fs::is_symlink(folder / name));
    CHECK(fs::exists(folder / "data/" + name));
    write_whole(folder / name, options_of(false, true));
    CHECK(fs::is_symlink(folder / name));
    CHECK(fs::is_symlink(folder / "inner"));
    CHECK(std::distance(fs::directory_iterator(folder / "data"), fs::directory_iterator()) == 1);
  }
}

TEST_CASE("a link as output to what is no regular file is refused") {
  const Folder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  fs::create_directory(folder / "folder");
  for (const std::string target : {"pipe", "folder", "/dev/null", "loop.tif", "no/such"}) {
    fs::create_symlink(target, folder / "loop.tif");
    CHECK_MESSAGE(contains(error_of([&] { write_whole(folder / "loop.tif"); }), folder / "loop.tif"), target);
    CHECK_MESSAGE(contains(error_of([&] { require_writable_image(folder / "loop.tif"); }), folder / "loop.tif"),
                  target);
    fs::remove(folder / "loop.tif");
  }
  CHECK(folder.num_files() == 2);
}

TEST_CASE("a link that another user planted in a folder open to all is not followed") {
  const Folder folder;
  fs::create_directory(folder / "open");
  write_bytes(folder / "victim", "thesis");
  fs::create_symlink(folder / "victim", folder / "open/a.tif");
  if (::lchown((folder / "open/a.tif").c_str(), 12345, 0) != 0) {
    MESSAGE("only root can give links away");
    return;
  }
  fs::permissions(folder / "open", fs::perms::all | fs::perms::sticky_bit);
  CHECK(contains(error_of([&] { write_whole(folder / "open/a.tif"); }), "link of another user"));
  CHECK(bytes_of(folder / "victim") == "thesis");
}

TEST_CASE("a store is replaced only when that is asked for, and only if convoy wrote all of it") {
  const Folder folder;
  const std::string store = folder / "a.zarr";
  write_whole(store);
  CHECK(contains(error_of([&] { write_whole(store); }), "--overwrite"));
  CHECK(contains(error_of([&] { require_writable_image(store); }), "--overwrite"));
  CHECK(contains(error_of([&] { write_whole(store, options_of(true)); }), "--overwrite"));
  write_whole(store, options_of(false, true));
  for (const std::string added :
       {"labels/annotation", "1/.zarray", "notes.txt", "0/.zattrs", ".zmetadata", "0/0/notes"}) {
    fs::create_directories(fs::path(store + "/" + added).parent_path());
    write_bytes(store + "/" + added, "years");
    const std::string text = error_of([&] { write_whole(store, options_of(false, true)); });
    CHECK_MESSAGE(contains(text, "holds '" + added.substr(0, added.find('/', added[0] == '0' ? 4 : 0)) + "'"), text);
    CHECK(contains(error_of([&] { require_writable_image(store, options_of(false, true)); }), "holds '"));
    CHECK(bytes_of(store + "/" + added) == "years");
    fs::remove_all(store + "/" + (added[0] == '0' ? added : added.substr(0, added.find('/'))));
  }
  fs::create_symlink("/etc", store + "/0/1");
  CHECK(contains(error_of([&] { write_whole(store, options_of(false, true)); }), "holds '0/1'"));
  fs::remove(store + "/0/1");
  write_whole(store, options_of(false, true));
  CHECK(folder.num_files() == 1);
}

TEST_CASE("a store whose attributes were added to, or that another program wrote, is not replaced") {
  const Folder folder;
  const std::string store = folder / "a.zarr";
  write_whole(store);
  const std::string attributes = bytes_of(store + "/.zattrs");
  std::string more = attributes;
  more.insert(more.find('{') + 1, "\"notes\": \"years\",");
  std::string others = attributes;
  others.replace(others.find("\"convoy\""), 8, "\"napari\"");
  for (const std::string& text : {more, others, std::string("{}"), std::string("not JSON")}) {
    write_bytes(store + "/.zattrs", text);
    CHECK(contains(error_of([&] { write_whole(store, options_of(false, true)); }), "'.zattrs' with"));
    CHECK(bytes_of(store + "/.zattrs") == text);
  }
}

TEST_CASE("a store of OME-Zarr 0.5 is replaced only when that is asked for, and only if convoy wrote all of it") {
  const Folder folder;
  const std::string store = folder / "a.zarr";
  CreateOptions options;
  options.ome_zarr = OmeZarr::v0_5;
  write_whole(store, options);
  CHECK(contains(error_of([&] { write_whole(store, options); }), "--overwrite"));
  options.overwrite = true;
  write_whole(store, options);
  for (const std::string added : {"labels/zarr.json", "1/zarr.json", "notes.txt", "0/notes", "0/c/notes"}) {
    fs::create_directories(fs::path(store + "/" + added).parent_path());
    write_bytes(store + "/" + added, "years");
    CHECK(contains(error_of([&] { write_whole(store, options); }), "holds '"));
    CHECK(bytes_of(store + "/" + added) == "years");
    fs::remove_all(store + "/" + (added[0] == '0' ? added : added.substr(0, added.find('/'))));
  }
  const std::string attributes = bytes_of(store + "/zarr.json");
  std::string others = attributes;
  others.replace(others.find("\"convoy\""), 8, "\"napari\"");
  for (const std::string& text : {others, std::string("{}"), std::string("not JSON")}) {
    write_bytes(store + "/zarr.json", text);
    CHECK(contains(error_of([&] { write_whole(store, options); }), "'zarr.json' with"));
    CHECK(bytes_of(store + "/zarr.json") == text);
  }
  write_bytes(store + "/zarr.json", attributes);
  options.ome_zarr = OmeZarr::v0_4;
  write_whole(store, options);
  CHECK(!fs::exists(store + "/zarr.json"));
}

TEST_CASE("what is added to a store while another is computed is kept, and the error says where") {
  const Folder folder;
  const std::string store = folder / "a.zarr";
  write_whole(store);
  const auto file = create_image(store, kShape, Element::f32, {}, options_of(false, true));
  write_planes(*file, 0, kShape.z);
  fs::create_directory(store + "/labels");
  CHECK(contains(error_of([&] { file->commit(); }), "holds 'labels'"));
  CHECK(fs::exists(store + "/labels"));
}

TEST_CASE("names of up to 255 bytes are written in every format, also to be continued") {
  const Folder folder;
  for (const std::size_t bytes : {200U, 218U, 235U, 236U, 240U, 251U, 255U}) {
    for (const char* extension : {".tif", ".npy", ".raw", ".zarr"}) {
      for (const bool resume : {false, true}) {
        const std::string name = std::string(bytes - std::string(extension).size(), 'x') + extension;
        CAPTURE(std::string(name));
        require_writable_image(folder / name);
        write_whole(folder / name, options_of(resume));
        CHECK(fs::exists(folder / name));
        CHECK(folder.num_files() == 1);
        fs::remove_all(folder / name);
      }
    }
  }
  const std::string too_long = std::string(252, 'x') + ".npy";
  CHECK(contains(error_of([&] { write_whole(folder / too_long); }), "File name too long"));
  write_text(folder / std::string(255, 'y'), "text");
  CHECK(bytes_of(folder / std::string(255, 'y')) == "text");
}

TEST_CASE("an unfinished file of a long name is found again, and not that of another long name") {
  const Folder folder;
  const std::string name = folder / std::string(240, 'x') + "1.npy";
  const std::string other = folder / std::string(240, 'x') + "2.npy";
  {
    const auto file = create_image(name, kShape, Element::f32, {}, options_of(true));
    write_planes(*file, 0, 2);
  }
  CHECK(is_unfinished(name));
  CHECK_FALSE(is_unfinished(other));
  const auto file = create_image(name, kShape, Element::f32, {}, options_of(true));
  CHECK(file->image().holds({{1, 0, 0}, {1, 10, 12}}));
}

TEST_CASE("hidden names say what they are, and of which output") {
  using io::HiddenKind;
  const std::string long_name = std::string(120, 'a') + std::string("\xC3\xA4\xC3\xA4") + std::string(130, 'b');
  for (const std::string& output : {std::string("a.npy"), std::string(".a.convoy-part"), long_name}) {
    const std::string shown = io::name_in_hidden(output, 255);
    const std::pair<std::string, HiddenKind> names[] = {
        {io::kept_name(output, 255), HiddenKind::kept},
        {io::journal_name(output, 255), HiddenKind::journal},
        {io::temporary_name(output, HiddenKind::temporary_file, 255), HiddenKind::temporary_file},
        {io::temporary_name(output, HiddenKind::temporary_folder, 255), HiddenKind::temporary_folder}};
    for (const auto& [name, kind] : names) {
      CHECK(name.size() <= 255);
      const auto parsed = io::parse_hidden_name(name);
      REQUIRE(parsed);
      CHECK(parsed->kind == kind);
      CHECK(parsed->output == shown);
    }
  }
  for (const char* name :
       {"", ".", "a.convoy-part", ".convoy-part", ".a.convoy-", ".a.convoy-parts", ".a.convoy-1.part",
        ".a.convoy-1-x.part", ".a.convoy-1-2.parts", ".a.part", ".a.convoy-.folder"}) {
    CHECK_MESSAGE(!io::parse_hidden_name(name), name);
  }
}

TEST_CASE("a folder that may not be entered, listed or written to is named with the reason") {
  const Folder folder;
  fs::create_directory(folder / "locked");
  if (::geteuid() == 0) {
    MESSAGE("root may enter all folders; tests/cli/outputs.py looks at this as another user");
    return;
  }
  fs::permissions(folder / "locked", fs::perms::owner_read | fs::perms::owner_exec);
  CHECK(contains(error_of([&] { write_whole(folder / "locked/a.tif"); }), "nothing may be put into its folder"));
  fs::permissions(folder / "locked", fs::perms::none);
  CHECK(contains(error_of([&] { write_whole(folder / "locked/a.tif"); }), "Permission denied"));
  fs::permissions(folder / "locked", fs::perms::owner_write | fs::perms::owner_exec);
  write_whole(folder / "locked/a.tif");
  fs::permissions(folder / "locked", fs::perms::owner_all);
}

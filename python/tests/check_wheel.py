"""check_wheel.py WHEEL SDIST: what is in them, and what must not be."""

import re
import sys
import tarfile
import zipfile

wheel, sdist = sys.argv[1:]
names = zipfile.ZipFile(wheel).namelist()
licences = {n.split("/")[2] for n in names if "/licenses/" in n and n.endswith("LICENSE")}
wanted = {"LICENSE", "SPIRV-Tools", "VkFFT", "ducc0", "fmt", "glslang", "nanobind", "nlohmann_json", "robin_map", "xxHash", "libstdc++"}
assert wanted <= licences, f"licences missing: {sorted(wanted - licences)}"
libraries = [n for n in names if re.search(r"\.so(\.|$)", n)]
assert len(libraries) == 1, f"besides the extension the wheel bundles {libraries}"
assert re.search(r"convoy_fft-[0-9.]+-(cp312-abi3|cp31[01]-cp31[01])-manylinux_2_3[0-9]_x86_64\.whl$", wheel), wheel
if "abi3" in wheel:
    assert libraries == ["convoy/_core.abi3.so"], libraries
assert not [n for n in names if n.endswith((".a", ".hpp", ".h", ".cmake", ".pyc"))]
assert {"convoy/py.typed", "convoy/_core.pyi", "convoy/scipy/signal.py"} <= set(names)
ducc = zipfile.ZipFile(wheel).read(next(n for n in names if "/ducc0/" in n and n.endswith("LICENSE"))).decode()
assert "Redistribution and use in source and binary forms" in ducc and "GNU General Public" not in ducc

held = {n.partition("/")[2] for n in tarfile.open(sdist).getnames()}
for file in ("CMakeLists.txt", "pyproject.toml", "include/convoy/convoy.hpp", "python/src/module.cpp", "python/convoy/_api.py", "scripts/fetch-ducc", "scripts/cmake/ConvoyPip.cmake", "backends/vkfft/repairs.hpp"):
    assert file in held, f"the source package lacks {file}"
assert not [n for n in held if n.startswith(("build/", "shared/", ".git/"))]
print(f"{wheel.rpartition('/')[2]}: {len(names)} files, licences of {len(licences)} projects; source package: {len(held)} files")

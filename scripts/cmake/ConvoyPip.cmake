# What is built when pip (scikit-build-core) drives CMake: the Python extension and nothing beside it.
foreach(part IO BUILD_CLI MPI BUILD_TESTS BUILD_BENCHMARKS BUILD_EXAMPLES)
  set(CONVOY_${part} OFF)
endforeach()
set(CONVOY_PYTHON ON)
set(BUILD_SHARED_LIBS OFF)
set(CMAKE_UNITY_BUILD ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
# The cpu backend's own FFT: a wheel must work where no FFTW is. pip's isolation hides pip itself, by these variables.
if(NOT CONVOY_DUCC_DIR AND NOT CONVOY_DUCC STREQUAL "OFF")
  execute_process(COMMAND ${CMAKE_COMMAND} -E env --unset=PYTHONPATH --unset=PYTHONNOUSERSITE ${PROJECT_SOURCE_DIR}/scripts/fetch-ducc)
endif()

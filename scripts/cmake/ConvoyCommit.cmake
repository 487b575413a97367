# CONVOY_COMMIT: the commit that is built, which figures are filed under; as of configuring.
find_package(Git QUIET)
set(CONVOY_COMMIT unknown)
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${PROJECT_SOURCE_DIR} rev-parse --short=12 HEAD
                  OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(CONVOY_COMMIT ${head})
  endif()
endif()

# build/<preset>/bin/glia-parity and the library behind it, which the golden tests use as well.
find_package(CLI11 REQUIRED)
file(GLOB GLIA_PARITY_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/cli/parity/*.cpp)
list(FILTER GLIA_PARITY_SOURCES EXCLUDE REGEX "(_test|/main)\\.cpp$")
add_library(glia_parity_lib STATIC EXCLUDE_FROM_ALL ${GLIA_PARITY_SOURCES})
target_include_directories(glia_parity_lib PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(glia_parity_lib PUBLIC glia nlohmann_json::nlohmann_json PRIVATE glia_flags
                      ZLIB::ZLIB)
add_executable(glia-parity ${PROJECT_SOURCE_DIR}/src/cli/parity/main.cpp)
target_include_directories(glia-parity PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(glia-parity PRIVATE glia_parity_lib glia_flags CLI11::CLI11)

# Parity kinds that pass whole, but for the lines of known_differences.txt; ctest runs the vectors of tests/golden, and the shared
# ones where they are.
set(GLIA_PARITY_KINDS layer op activation loss metric optimizer schedule initializer regularizer constraint util summary fit)
set(GLIA_PARITY_SHARED ${PROJECT_SOURCE_DIR}/../shared/parity)
set(GLIA_PARITY_KNOWN ${PROJECT_SOURCE_DIR}/tests/golden/known_differences.txt)
foreach(kind IN LISTS GLIA_PARITY_KINDS)
  set(files ${PROJECT_SOURCE_DIR}/tests/golden/vectors.jsonl.gz ${PROJECT_SOURCE_DIR}/tests/golden/more.jsonl.gz
            ${PROJECT_SOURCE_DIR}/tests/golden/random.jsonl.gz ${PROJECT_SOURCE_DIR}/tests/golden/odd.jsonl.gz
            ${PROJECT_SOURCE_DIR}/tests/golden/dtypes.jsonl.gz ${PROJECT_SOURCE_DIR}/tests/golden/strings.jsonl.gz)
  if(EXISTS ${GLIA_PARITY_SHARED}/${kind}.jsonl.gz)
    list(APPEND files ${GLIA_PARITY_SHARED}/${kind}.jsonl.gz)
  endif()
  add_test(NAME parity.${kind} COMMAND glia-parity ${files} --filter "${kind}/*" --known ${GLIA_PARITY_KNOWN})
  # The fastest kernels of the machine with its threads, and the plain ones on one thread.
  add_test(NAME parity.${kind}.plain COMMAND glia-parity ${files} --filter "${kind}/*" --known ${GLIA_PARITY_KNOWN} --isa scalar --threads 1)
  set_tests_properties(parity.${kind} parity.${kind}.plain PROPERTIES LABELS unit)
endforeach()

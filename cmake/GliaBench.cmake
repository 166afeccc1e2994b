# build/<preset>/bin/glia-bench from bench/*.cpp
file(GLOB GLIA_BENCH_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*.cpp)
if(GLIA_BENCH_SOURCES)
  find_package(CLI11 REQUIRED)
  add_executable(glia-bench ${GLIA_BENCH_SOURCES})
  target_include_directories(glia-bench PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(glia-bench PRIVATE glia glia_flags CLI11::CLI11 nlohmann_json::nlohmann_json)
endif()

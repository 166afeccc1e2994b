# build/<preset>/bin/glia: the program, from src/cli/glia.
find_package(CLI11 REQUIRED)
file(GLOB GLIA_PROGRAM_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/cli/glia/*.cpp)
list(FILTER GLIA_PROGRAM_SOURCES EXCLUDE REGEX "_test\\.cpp$")
add_executable(glia_program ${GLIA_PROGRAM_SOURCES})
set_target_properties(glia_program PROPERTIES OUTPUT_NAME glia)
target_include_directories(glia_program PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(glia_program PRIVATE glia glia_flags CLI11::CLI11 nlohmann_json::nlohmann_json)
target_compile_definitions(glia_program PRIVATE GLIA_VERSION="${PROJECT_VERSION}" GLIA_COMPILER_NAME="${CMAKE_CXX_COMPILER_ID}"
                           GLIA_HAVE_CURL=$<BOOL:${CURL_FOUND}> GLIA_HAVE_HDF5=$<BOOL:${GLIA_HDF5_LIBRARY}> GLIA_HAVE_ONNX=$<BOOL:${GLIA_ONNX_FOUND}>)
# Parsing of arguments is not hot, and CLI11 is slow to optimise.
target_compile_options(glia_program PRIVATE $<$<CONFIG:Release>:-O1>)

# The library: every src/**.cpp except tests. Files named *.isa.cpp hold kernels; each is compiled once per
# instruction set, inside the namespace that GLIA_ISA_NS names (see src/kernels/cpu/isa.h).
file(GLOB_RECURSE GLIA_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/*.cpp)
# (A quick sanitizer build compiles the lower rooms only.)
set(GLIA_LIBRARY_ROOMS "" CACHE STRING "Rooms of src/ (base, io/file) that are compiled and tested; empty: all")
if(GLIA_LIBRARY_ROOMS)
  list(JOIN GLIA_LIBRARY_ROOMS "|" rooms)
  list(FILTER GLIA_SOURCES INCLUDE REGEX "/src/(${rooms})/")
endif()
set(GLIA_ISA_SOURCES ${GLIA_SOURCES})
list(FILTER GLIA_SOURCES EXCLUDE REGEX "(_test|\\.isa)\\.cpp$")
list(FILTER GLIA_SOURCES EXCLUDE REGEX "/src/cli/")
list(FILTER GLIA_ISA_SOURCES INCLUDE REGEX "\\.isa\\.cpp$")

include(GliaOnnx)
if(GLIA_ONNX_FOUND)
  list(FILTER GLIA_SOURCES EXCLUDE REGEX "/src/io/onnx/without_onnx\\.cpp$")
else()
  list(FILTER GLIA_SOURCES EXCLUDE REGEX "/src/io/onnx/")
  if(NOT GLIA_LIBRARY_ROOMS)
    list(APPEND GLIA_SOURCES ${PROJECT_SOURCE_DIR}/src/io/onnx/without_onnx.cpp)
  endif()
endif()

# The 1,797 digits of datasets::digits() as an array (UCI, CC BY 4.0).
set(digits_cpp ${PROJECT_BINARY_DIR}/generated/digits_data.cpp)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/data/digits.csv.gz)
file(READ ${PROJECT_SOURCE_DIR}/src/data/digits.csv.gz digits_hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," digits_hex "${digits_hex}")
file(CONFIGURE OUTPUT ${digits_cpp} CONTENT "#include <cstddef>
namespace glia::data {
extern const unsigned char kDigitsGz[];
extern const std::size_t kDigitsGzBytes;
const unsigned char kDigitsGz[] = {@digits_hex@};
const std::size_t kDigitsGzBytes = sizeof kDigitsGz;
}
" @ONLY)

# Random numbers must not depend on whether the compiler fuses multiplications with additions.
set_source_files_properties(${PROJECT_SOURCE_DIR}/src/kernels/cpu/random.cpp PROPERTIES COMPILE_OPTIONS "-ffp-contract=off;-O3")

# Loops over types that few programs hold: one instruction set, in the sense of the others (no errno, no traps).
set_source_files_properties(${PROJECT_SOURCE_DIR}/src/kernels/cpu/pointwise_rare.cpp PROPERTIES
                            COMPILE_OPTIONS "-fno-math-errno;-fno-trapping-math")

# Rooms above the kernels and the executor are not hot: built for size, which halves them and their compile time.
set(GLIA_LIGHT ${GLIA_SOURCES})
list(FILTER GLIA_LIGHT INCLUDE REGEX "/src/(nn|train|data|io|passes|grad|ir|cli)/")
set_source_files_properties(${GLIA_LIGHT} PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-Os>")

add_library(glia STATIC ${GLIA_SOURCES} ${digits_cpp})
add_library(glia::glia ALIAS glia)
target_include_directories(glia PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
                           PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_compile_features(glia PUBLIC cxx_std_20)
target_link_libraries(glia PRIVATE $<BUILD_INTERFACE:glia_flags> Threads::Threads)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(GLIA_ISAS scalar avx2 avx512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(GLIA_ISAS scalar neon)
else()
  set(GLIA_ISAS scalar)
endif()
set(GLIA_FLAGS_scalar "")
set(GLIA_FLAGS_neon "")
set(GLIA_FLAGS_avx2 -mavx2 -mfma -mf16c -mbmi2)
set(GLIA_FLAGS_avx512 -mavx2 -mfma -mf16c -mbmi2 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND GLIA_FLAGS_avx512 -Wno-maybe-uninitialized -Wno-uninitialized)  # gcc 12 warns inside its own avx512fintrin.h
endif()
if("avx512" IN_LIST GLIA_ISAS)  # the kernel files for an extension that not every AVX-512 machine has
  set_source_files_properties(
    ${PROJECT_SOURCE_DIR}/src/kernels/cpu/gemm_bf16_dp.cpp ${PROJECT_SOURCE_DIR}/src/kernels/cpu/conv_bf16_dp.cpp
    ${PROJECT_SOURCE_DIR}/src/kernels/cpu/lstm_bf16_dp.cpp ${PROJECT_SOURCE_DIR}/src/kernels/cpu/lstm_back_bf16_dp.cpp
    PROPERTIES COMPILE_OPTIONS "${GLIA_FLAGS_avx512};-mavx512bf16;-fno-math-errno;-fno-trapping-math;-O3"
               COMPILE_DEFINITIONS GLIA_ISA_NS=avx512_bf16)
endif()
# Sanitized kernels take long to compile. A sanitizer build may instrument those of one set only; its tests then run it.
set(GLIA_SANITIZE_ISA "" CACHE STRING "The instruction set whose kernels a sanitizer build instruments; empty: all")
if(NOT GLIA_SANITIZE_ISA IN_LIST GLIA_ISAS)
  set(GLIA_SANITIZE_ISA "")
endif()
if(NOT GLIA_ISA_SOURCES)
  set(GLIA_ISAS "")
endif()
foreach(isa IN LISTS GLIA_ISAS)
  add_library(glia_isa_${isa} OBJECT ${GLIA_ISA_SOURCES})
  target_include_directories(glia_isa_${isa} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_compile_definitions(glia_isa_${isa} PRIVATE GLIA_ISA_NS=${isa})
  target_compile_options(glia_isa_${isa} PRIVATE ${GLIA_FLAGS_${isa}} -fno-math-errno -fno-trapping-math
                         $<$<CONFIG:Release>:-O3>)
  if(GLIA_SANITIZE AND GLIA_SANITIZE_ISA AND NOT isa STREQUAL GLIA_SANITIZE_ISA)
    target_link_libraries(glia_isa_${isa} PRIVATE $<BUILD_INTERFACE:glia_warnings>)
  else()
    target_link_libraries(glia_isa_${isa} PRIVATE $<BUILD_INTERFACE:glia_flags>)
  endif()
  target_sources(glia PRIVATE $<TARGET_OBJECTS:glia_isa_${isa}>)
endforeach()

find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)
# Header-only uses stay private to the library's own files; a static consumer needs none of them.
target_link_libraries(glia PRIVATE $<BUILD_INTERFACE:nlohmann_json::nlohmann_json> ZLIB::ZLIB)
# Debian's libzip-config.cmake wants the zip tools as well; the header and the library are all that is needed.
find_path(GLIA_ZIP_INCLUDE zip.h REQUIRED)
find_library(GLIA_ZIP_LIBRARY zip REQUIRED)
target_include_directories(glia PRIVATE $<BUILD_INTERFACE:${GLIA_ZIP_INCLUDE}>)
target_link_libraries(glia PRIVATE ${GLIA_ZIP_LIBRARY})
if(GLIA_ONNX_FOUND)
  add_dependencies(glia glia_onnx_pb)
  target_sources(glia PRIVATE $<TARGET_OBJECTS:glia_onnx_pb>)
  target_include_directories(glia SYSTEM PRIVATE ${PROJECT_BINARY_DIR}/generated/onnx)
  target_link_libraries(glia PRIVATE protobuf::libprotobuf-lite)
endif()
if(GLIA_WITH_CURL)
  find_package(CURL)
  if(CURL_FOUND)
    target_compile_definitions(glia PRIVATE GLIA_HAVE_CURL=1)
    target_link_libraries(glia PRIVATE CURL::libcurl)
  endif()
endif()

# PNG and JPEG.
if(GLIA_WITH_IMAGES)
  find_package(PNG)
  find_package(JPEG)
  if(PNG_FOUND AND JPEG_FOUND)
    file(GLOB GLIA_IMAGE_SOURCES ${PROJECT_SOURCE_DIR}/src/io/image/*.cpp)
    set_property(SOURCE ${GLIA_IMAGE_SOURCES} APPEND PROPERTY COMPILE_DEFINITIONS GLIA_HAVE_IMAGES=1)
    target_link_libraries(glia PRIVATE PNG::PNG JPEG::JPEG)
  else()
    message(STATUS "libpng or libjpeg not found: images cannot be read (install libpng-dev and libjpeg-dev)")
  endif()
endif()

# HDF5 (.keras, .h5, .weights.h5), by the system's library.
if(GLIA_WITH_HDF5)
  find_path(GLIA_HDF5_INCLUDE hdf5.h PATH_SUFFIXES hdf5/serial)
  find_library(GLIA_HDF5_LIBRARY NAMES hdf5_serial hdf5 PATH_SUFFIXES hdf5/serial)
  if(GLIA_HDF5_INCLUDE AND GLIA_HDF5_LIBRARY)
    file(GLOB GLIA_HDF5_SOURCES ${PROJECT_SOURCE_DIR}/src/io/hdf5/*.cpp)
    set_property(SOURCE ${GLIA_HDF5_SOURCES} APPEND PROPERTY COMPILE_DEFINITIONS GLIA_HAVE_HDF5=1)
    set_property(SOURCE ${GLIA_HDF5_SOURCES} APPEND PROPERTY INCLUDE_DIRECTORIES ${GLIA_HDF5_INCLUDE})
    target_link_libraries(glia PRIVATE ${GLIA_HDF5_LIBRARY})
  else()
    message(STATUS "HDF5 not found: .keras and .h5 files cannot be read (install libhdf5-dev)")
  endif()
endif()

# Brotli, which comes without a package config: Brotli::decoder and Brotli::encoder, as the
# components decoder and encoder. Brotli_USE_STATIC_LIBS asks for the static ones.

include(FindPackageHandleStandardArgs)
find_path(Brotli_INCLUDE_DIR brotli/decode.h)
set(Brotli_suffixes ${CMAKE_FIND_LIBRARY_SUFFIXES})
if(Brotli_USE_STATIC_LIBS)
  set(CMAKE_FIND_LIBRARY_SUFFIXES ${CMAKE_STATIC_LIBRARY_SUFFIX})
endif()
find_library(Brotli_COMMON_LIBRARY brotlicommon)
find_library(Brotli_DECODER_LIBRARY brotlidec)
find_library(Brotli_ENCODER_LIBRARY brotlienc)
set(CMAKE_FIND_LIBRARY_SUFFIXES ${Brotli_suffixes})
mark_as_advanced(Brotli_INCLUDE_DIR
  Brotli_COMMON_LIBRARY Brotli_DECODER_LIBRARY Brotli_ENCODER_LIBRARY)

set(Brotli_needed Brotli_INCLUDE_DIR Brotli_COMMON_LIBRARY)
foreach(part decoder encoder)
  string(TOUPPER ${part} upper_part)
  if(Brotli_${upper_part}_LIBRARY)
    set(Brotli_${part}_FOUND TRUE)
  endif()
  if(Brotli_FIND_REQUIRED_${part})
    list(APPEND Brotli_needed Brotli_${upper_part}_LIBRARY)
  endif()
endforeach()
find_package_handle_standard_args(Brotli REQUIRED_VARS ${Brotli_needed} HANDLE_COMPONENTS)

foreach(part decoder encoder)
  string(TOUPPER ${part} upper_part)
  if(Brotli_FOUND AND Brotli_${part}_FOUND AND NOT TARGET Brotli::${part})
    add_library(Brotli::${part} UNKNOWN IMPORTED)
    set_target_properties(Brotli::${part} PROPERTIES
      IMPORTED_LOCATION ${Brotli_${upper_part}_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${Brotli_INCLUDE_DIR}
      INTERFACE_LINK_LIBRARIES ${Brotli_COMMON_LIBRARY})
  endif()
endforeach()
unset(part)
unset(upper_part)
unset(Brotli_needed)
unset(Brotli_suffixes)

# SPDX-License-Identifier: Apache-2.0
# cmake -DFROM=file -DTO=file.c -DNAME=symbol -P embed.cmake
# A file as an array of C and its size, aligned as an ELF object must be.
file(READ ${FROM} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE ${TO} "#include <stddef.h>
extern const unsigned char ${NAME}[];
extern const size_t ${NAME}_size;
_Alignas(16) const unsigned char ${NAME}[] = {${bytes}};
const size_t ${NAME}_size = sizeof(${NAME});
")

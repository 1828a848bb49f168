# SPDX-License-Identifier: Apache-2.0
# cmake -DOUT=schema.c -DFILES=0001_a.sql:0002_b.sql -P embed.cmake
# Bytes, not string literals: SQL may hold any quote, and be of any length.
string(REPLACE ":" ";" files "${FILES}")
set(arrays "")
set(rows "")
set(place 0)
foreach(file IN LISTS files)
	math(EXPR place "${place} + 1")
	get_filename_component(name "${file}" NAME_WE)
	string(SUBSTRING "${name}" 0 4 number)
	string(REGEX REPLACE "^0+" "" number "${number}")
	if(NOT number EQUAL place)
		message(FATAL_ERROR "${file}: migration ${place} expected")
	endif()
	file(READ "${file}" hex HEX)
	string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
	string(REGEX REPLACE
		"(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)"
		"\n\t\\1" bytes "${bytes}")
	string(APPEND arrays
		"static const char sql_${place}[] = {${bytes}0};\n\n")
	string(APPEND rows "\t{\"${name}\", sql_${place}},\n")
endforeach()
file(WRITE "${OUT}" "/* Generated from the SQL files of schema/. */
#include \"schema/schema.h\"

${arrays}const struct lp_schema_migration lp_schema_migrations[] = {
${rows}};
const size_t lp_schema_count = ${place};
")

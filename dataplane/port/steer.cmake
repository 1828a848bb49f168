# SPDX-License-Identifier: Apache-2.0
# The steering program: compiled for the BPF machine, embedded as an array.
find_program(LP_BPF_CLANG NAMES clang REQUIRED)
set(lp_steer_o ${CMAKE_CURRENT_BINARY_DIR}/steer.bpf.o)
set(lp_steer_c ${CMAKE_CURRENT_BINARY_DIR}/steer_object.c)
add_custom_command(OUTPUT ${lp_steer_o}
	COMMAND ${LP_BPF_CLANG} -target bpf -O2 -g -Wall -Werror
		-I${CMAKE_CURRENT_LIST_DIR}/../..
		-isystem /usr/include/${CMAKE_C_LIBRARY_ARCHITECTURE}
		-c ${CMAKE_CURRENT_LIST_DIR}/steer.bpf.c -o ${lp_steer_o}
	DEPENDS ${CMAKE_CURRENT_LIST_DIR}/steer.bpf.c
		${CMAKE_CURRENT_LIST_DIR}/steer.h
	VERBATIM)
add_custom_command(OUTPUT ${lp_steer_c}
	COMMAND ${CMAKE_COMMAND} -DFROM=${lp_steer_o} -DTO=${lp_steer_c}
		-DNAME=lp_xdp_steer_object
		-P ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
	DEPENDS ${lp_steer_o} ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
	VERBATIM)
target_sources(lp_port PRIVATE ${lp_steer_c})

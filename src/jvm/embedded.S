/* The files of async-profiler that smolder carries with it; -I says where the build put them. */
#include "base/branch_note.S"
    .section .rodata.asprof, "a", %progbits
    .balign 16
    .globl asprof_library_start, asprof_library_end, asprof_library_sha1, asprof_launcher_start, asprof_launcher_end
    .hidden asprof_library_start, asprof_library_end, asprof_library_sha1, asprof_launcher_start, asprof_launcher_end
    .globl asprof_other_library_start, asprof_other_library_end, asprof_other_library_sha1
    .hidden asprof_other_library_start, asprof_other_library_end, asprof_other_library_sha1
asprof_library_start:
    .incbin "libasyncProfiler.so.embedded"
asprof_library_end:
asprof_library_sha1:
    .incbin "libasyncProfiler.sha1", 0, 40
    .byte 0
    .balign 16
asprof_other_library_start:
    .incbin "libasyncProfiler.so.other"
asprof_other_library_end:
asprof_other_library_sha1:
    .incbin "libasyncProfiler.other.sha1", 0, 40
    .byte 0
    .balign 16
asprof_launcher_start:
    .incbin "asprof"
asprof_launcher_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits

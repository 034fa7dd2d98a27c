/* To be included by assembler files without code: the note that their object keeps to branch protection. The linker
 * gives the program the note only if every object has it. Sources: System V ABI for x86-64, "Program property"; ELF for
 * the Arm 64-bit architecture, the same.
 */
#if defined __CET__
#include <cet.h>
#elif defined __ARM_FEATURE_BTI_DEFAULT
    .pushsection .note.gnu.property, "a"
    .balign 8
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000000, 4, 3, 0 /* GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI, PAC */
    .popsection
#endif

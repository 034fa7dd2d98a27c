#include "ui/ui.h"

#include "page_path.h"

/* UI_PAGE is the path of web/index.html, written by the build whenever the page changes. */
__asm__(".section .rodata\n"
        ".global ui_page_start\n"
        ".global ui_page_end\n"
        ".hidden ui_page_start\n"
        ".hidden ui_page_end\n"
        "ui_page_start: .incbin \"" UI_PAGE "\"\n"
        "ui_page_end: .byte 0\n"
        ".previous\n");
extern const char ui_page_start[], ui_page_end[];

struct str ui_page(void)
{
    return (struct str){ui_page_start, (size_t)(ui_page_end - ui_page_start)};
}

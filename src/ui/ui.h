/* The web UI of the store: one self-contained HTML file, embedded in the program. */
#pragma once

#include "base/str.h"

/* Static. */
struct str ui_page(void);
/* The value of its Content-Security-Policy header: scripts and styles run by their hashes, so that no other can. Static. */
const char *ui_page_policy(void);
/* The page of `smolder convert --format=html`, a template: see report.h. Static. */
struct str ui_report_page(void);

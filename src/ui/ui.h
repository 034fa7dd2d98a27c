/* The web UI of the store: one self-contained HTML file, embedded in the program. */
#pragma once

#include "base/str.h"

/* The page of the store. Static. */
struct str ui_page(void);
/* Its Content-Security-Policy header: only scripts and styles with the listed hashes are allowed. Static. */
const char *ui_page_policy(void);
/* Template of `smolder convert --format=html`, see ui/report.h. Static. */
struct str ui_report_page(void);

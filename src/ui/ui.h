/* The web UI of the store: one self-contained HTML file, embedded in the program. */
#pragma once

#include "base/str.h"

/* Static. */
struct str ui_page(void);
/* The page of `smolder convert --format=html`, a template: see report.h. Static. */
struct str ui_report_page(void);

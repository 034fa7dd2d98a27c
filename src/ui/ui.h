/* The page of the store: one self-contained HTML file, built into the program. */
#pragma once

#include "base/str.h"

/* Static. */
struct str ui_page(void);
/* The page of `smolder convert --format=html`, a template: see report.h. Static. */
struct str ui_report_page(void);

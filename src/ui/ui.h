/* The page of the store: one self-contained HTML file, built into the program. */
#pragma once

#include "base/str.h"

/* Static. */
struct str ui_page(void);

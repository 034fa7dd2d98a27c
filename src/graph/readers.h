/* Which labels of targets anything reads: so that a component need not find out what nobody reads.
 *
 * Followed are references of components that say what they read (component_def.reads_label), where their argument
 * `targets` is the export itself or a list of such exports (array.concat, or the older concat); and from there to those
 * that refer to what they pass on. Any other reference, such as an expression, a module or a `foreach`, may read
 * everything, and so does an export without a reference: somebody wrote it to look at it.
 */
#pragma once

#include "graph/node.h"

/* Somebody looks at the arguments and exports of the component: for READERS_LOOK_MS it reads all labels of its targets,
 * and all labels of those that it exports are read. */
enum { READERS_LOOK_MS = 10 * 60 * 1000 };
void readers_look(const struct node *n);

#include "components/relabelling.h"

#include "base/log.h"

void relabelling_warn(const struct component *self, const struct relabel_rules *rules)
{
    for (size_t i = 0; i < relabel_rules_len(rules); i++) {
        struct err why = {0};
        if (relabel_rule_unpushable(relabel_rules_at(rules, i), &why))
            log_warn("rule sets a label that pyroscope.write will reject", L_COMPONENT(component_id(self)),
                     L_INT("rule", i + 1), L_STR("reason", why.text));
    }
}

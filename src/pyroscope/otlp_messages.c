#include "pyroscope/otlp_messages.h"

#define ROW(n, k, j, ...)                                                                                              \
    {                                                                                                                  \
        .number = (n), .kind = (k), .json = (j), __VA_ARGS__                                                           \
    }
#define PART(n, j, m)  ROW(n, PROTO_MESSAGE, j, .message = &(m))
#define PARTS(n, j, m) ROW(n, PROTO_MESSAGE, j, .message = &(m), .repeated = true)
#define INDEX(n, j)    ROW(n, PROTO_INT32, j)
#define INDICES(n, j)  ROW(n, PROTO_INT32, j, .repeated = true)
#define MESSAGE(id, full, ...)                                                                                         \
    static const struct proto_message id = {full, (const struct proto_field[]){__VA_ARGS__, {0}}}

/* Lists and maps as values of attributes make no labels. */
MESSAGE(any_value, "v1.AnyValue", ROW(OTLP_ANY_TEXT, PROTO_TEXT, "stringValue"),
        ROW(OTLP_ANY_BOOL, PROTO_BOOL, "boolValue"), ROW(OTLP_ANY_INT, PROTO_INT64, "intValue"),
        INDEX(OTLP_ANY_TEXT_INDEX, "stringValueStrindex"));
MESSAGE(key_value, "v1.KeyValue", ROW(OTLP_KEY_VALUE_KEY, PROTO_TEXT, "key"),
        PART(OTLP_KEY_VALUE_VALUE, "value", any_value), INDEX(OTLP_KEY_VALUE_KEY_INDEX, "keyStrindex"));
MESSAGE(resource, "v1.Resource", PARTS(OTLP_OF_RESOURCE_ATTRIBUTES, "attributes", key_value));
MESSAGE(scope, "v1.InstrumentationScope", PARTS(OTLP_OF_SCOPE_ATTRIBUTES, "attributes", key_value));

MESSAGE(value_type, "v1development.ValueType", INDEX(OTLP_VALUE_TYPE, "typeStrindex"),
        INDEX(OTLP_VALUE_UNIT, "unitStrindex"));
MESSAGE(sample, "v1development.Sample", INDEX(OTLP_OF_SAMPLE_STACK, "stackIndex"),
        INDICES(OTLP_OF_SAMPLE_ATTRIBUTES, "attributeIndices"), INDEX(OTLP_OF_SAMPLE_LINK, "linkIndex"),
        ROW(OTLP_OF_SAMPLE_VALUES, PROTO_INT64, "values", .repeated = true),
        ROW(OTLP_OF_SAMPLE_TIMES, PROTO_UINT64, "timestampsUnixNano", .repeated = true));
MESSAGE(profile, "v1development.Profile", PART(OTLP_PROFILE_TYPE, "sampleType", value_type),
        PARTS(OTLP_PROFILE_SAMPLES, "samples", sample), ROW(OTLP_PROFILE_TIME, PROTO_UINT64, "timeUnixNano"),
        ROW(OTLP_PROFILE_DURATION, PROTO_UINT64, "durationNano"),
        PART(OTLP_PROFILE_PERIOD_TYPE, "periodType", value_type), ROW(OTLP_PROFILE_PERIOD, PROTO_INT64, "period"));
MESSAGE(scope_profiles, "v1development.ScopeProfiles", PART(OTLP_SCOPES_SCOPE, "scope", scope),
        PARTS(OTLP_SCOPES_PROFILES, "profiles", profile));
MESSAGE(resource_profiles, "v1development.ResourceProfiles", PART(OTLP_RESOURCES_RESOURCE, "resource", resource),
        PARTS(OTLP_RESOURCES_SCOPES, "scopeProfiles", scope_profiles));

MESSAGE(mapping, "v1development.Mapping", INDEX(OTLP_OF_MAPPING_FILE, "filenameStrindex"));
MESSAGE(line, "v1development.Line", INDEX(OTLP_OF_LINE_FUNCTION, "functionIndex"),
        ROW(OTLP_OF_LINE_LINE, PROTO_INT64, "line"));
MESSAGE(location, "v1development.Location", INDEX(OTLP_OF_LOCATION_MAPPING, "mappingIndex"),
        ROW(OTLP_OF_LOCATION_ADDRESS, PROTO_UINT64, "address"), PARTS(OTLP_OF_LOCATION_LINES, "lines", line));
MESSAGE(function, "v1development.Function", INDEX(OTLP_OF_FUNCTION_NAME, "nameStrindex"),
        INDEX(OTLP_OF_FUNCTION_SYSTEM_NAME, "systemNameStrindex"), INDEX(OTLP_OF_FUNCTION_FILE, "filenameStrindex"),
        ROW(OTLP_OF_FUNCTION_START, PROTO_INT64, "startLine"));
MESSAGE(span_link, "v1development.Link", ROW(OTLP_LINK_TRACE, PROTO_TEXT, "traceId"),
        ROW(OTLP_LINK_SPAN, PROTO_TEXT, "spanId"));
MESSAGE(attribute, "v1development.KeyValueAndUnit", INDEX(OTLP_ATTRIBUTE_KEY, "keyStrindex"),
        PART(OTLP_ATTRIBUTE_VALUE, "value", any_value));
MESSAGE(stack, "v1development.Stack", INDICES(OTLP_STACK_LOCATIONS, "locationIndices"));
MESSAGE(dictionary, "v1development.ProfilesDictionary", PARTS(OTLP_MAPPINGS, "mappingTable", mapping),
        PARTS(OTLP_LOCATIONS, "locationTable", location), PARTS(OTLP_FUNCTIONS, "functionTable", function),
        PARTS(OTLP_LINKS, "linkTable", span_link), ROW(OTLP_STRINGS, PROTO_TEXT, "stringTable", .repeated = true),
        PARTS(OTLP_ATTRIBUTES, "attributeTable", attribute), PARTS(OTLP_STACKS, "stackTable", stack));

const struct proto_message otlp_request_message = {
    "v1development.ExportProfilesServiceRequest",
    (const struct proto_field[]){PARTS(OTLP_REQUEST_RESOURCES, "resourceProfiles", resource_profiles),
                                 PART(OTLP_REQUEST_DICTIONARY, "dictionary", dictionary),
                                 {0}}};

/* What a request of OTLP profiles looks like in JSON (pyroscope/proto_json_read.h).
 *
 * IDs of traces and spans are hexadecimal text there, not base64, and stay so: read as bytes they are twice as long.
 * Source: opentelemetry-proto 1.10, ExportProfilesServiceRequest; OTLP specification, "JSON Protobuf Encoding".
 */
#pragma once

#include "pyroscope/proto_message.h"

extern const struct proto_message otlp_request_message;

/* Field numbers. */
enum {
    OTLP_REQUEST_RESOURCES = 1,
    OTLP_REQUEST_DICTIONARY = 2,
    OTLP_RESOURCES_RESOURCE = 1,
    OTLP_RESOURCES_SCOPES = 2,
    OTLP_SCOPES_SCOPE = 1,
    OTLP_SCOPES_PROFILES = 2,
    OTLP_OF_RESOURCE_ATTRIBUTES = 1,
    OTLP_OF_SCOPE_ATTRIBUTES = 3,
    OTLP_KEY_VALUE_KEY = 1,
    OTLP_KEY_VALUE_VALUE = 2,
    OTLP_KEY_VALUE_KEY_INDEX = 3, /* of a string of the dictionary, instead of the key */
    OTLP_ANY_TEXT = 1,
    OTLP_ANY_BOOL = 2,
    OTLP_ANY_INT = 3,
    OTLP_ANY_TEXT_INDEX = 8, /* likewise */
    OTLP_PROFILE_TYPE = 1,
    OTLP_PROFILE_SAMPLES = 2,
    OTLP_PROFILE_TIME = 3,
    OTLP_PROFILE_DURATION = 4,
    OTLP_PROFILE_PERIOD_TYPE = 5,
    OTLP_PROFILE_PERIOD = 6,
    OTLP_VALUE_TYPE = 1,
    OTLP_VALUE_UNIT = 2,
    OTLP_OF_SAMPLE_STACK = 1,
    OTLP_OF_SAMPLE_ATTRIBUTES = 2,
    OTLP_OF_SAMPLE_LINK = 3,
    OTLP_OF_SAMPLE_VALUES = 4,
    OTLP_OF_SAMPLE_TIMES = 5,
    OTLP_STACK_LOCATIONS = 1,
    OTLP_OF_LOCATION_MAPPING = 1,
    OTLP_OF_LOCATION_ADDRESS = 2,
    OTLP_OF_LOCATION_LINES = 3,
    OTLP_OF_LINE_FUNCTION = 1,
    OTLP_OF_LINE_LINE = 2,
    OTLP_OF_FUNCTION_NAME = 1,
    OTLP_OF_FUNCTION_SYSTEM_NAME = 2,
    OTLP_OF_FUNCTION_FILE = 3,
    OTLP_OF_FUNCTION_START = 4,
    OTLP_OF_MAPPING_FILE = 4,
    OTLP_LINK_TRACE = 1,
    OTLP_LINK_SPAN = 2,
    OTLP_ATTRIBUTE_KEY = 1,
    OTLP_ATTRIBUTE_VALUE = 2,
};
/* Tables of the dictionary. */
enum otlp_dictionary_table {
    OTLP_MAPPINGS = 1,
    OTLP_LOCATIONS,
    OTLP_FUNCTIONS,
    OTLP_LINKS,
    OTLP_STRINGS,
    OTLP_ATTRIBUTES,
    OTLP_STACKS,
    OTLP_TABLES,
};

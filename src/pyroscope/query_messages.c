#include "pyroscope/query_messages.h"

#include <stddef.h>

#include "pyroscope/query_request.h"

/* Fields of requests, with the member they are read into. */
#define KEEP(member) .offset = offsetof(struct query_request, member), .kept = true
#define LIST(member) KEEP(member), .listed = true
#define TEXT(n, j, ...)                                                                                                \
    {                                                                                                                  \
        .number = (n), .kind = PROTO_TEXT, .json = (j), __VA_ARGS__                                                    \
    }
#define TEXTS(n, j, ...)                                                                                               \
    {                                                                                                                  \
        .number = (n), .kind = PROTO_TEXT, .json = (j), .repeated = true, __VA_ARGS__                                  \
    }
#define INT64(n, j, ...)                                                                                               \
    {                                                                                                                  \
        .number = (n), .kind = PROTO_INT64, .json = (j), __VA_ARGS__                                                   \
    }
#define PART(n, j, m)                                                                                                  \
    {                                                                                                                  \
        .number = (n), .kind = PROTO_MESSAGE, .json = (j), .message = &(m)                                             \
    }
#define PARTS(n, j, m)                                                                                                 \
    {                                                                                                                  \
        .number = (n), .kind = PROTO_MESSAGE, .json = (j), .message = &(m), .repeated = true                           \
    }
#define NAMED_PART(n, j, p, m, ...)                                                                                    \
    {                                                                                                                  \
        .number = (n), .kind = PROTO_MESSAGE, .json = (j), .name = (p), .message = &(m), __VA_ARGS__                   \
    }
#define NUMBER(n, j, k, ...)                                                                                           \
    {                                                                                                                  \
        .number = (n), .kind = (k), .json = (j), __VA_ARGS__                                                           \
    }
#define ENUM(n, j, v, ...)                                                                                             \
    {                                                                                                                  \
        .number = (n), .kind = PROTO_ENUM, .json = (j), .values = (v), __VA_ARGS__                                     \
    }
#define MESSAGE(id, full, ...)                                                                                         \
    static const struct proto_message id = {full, (const struct proto_field[]){__VA_ARGS__, {0}}}

/* ---- parts ---- */

MESSAGE(label_pair, "typesv1.LabelPair", TEXT(1, "name"), TEXT(2, "value"));
MESSAGE(label_set, "typesv1.Labels", PARTS(1, "labels", label_pair));
MESSAGE(profile_type, "typesv1.ProfileType", TEXT(1, "ID"), TEXT(2, "name"),
        TEXT(4, "sampleType", .name = "sample_type"), TEXT(5, "sampleUnit", .name = "sample_unit"),
        TEXT(6, "periodType", .name = "period_type"), TEXT(7, "periodUnit", .name = "period_unit"));

/* ---- labels ---- */

MESSAGE(profile_types_request, "querierv1.ProfileTypesRequest", INT64(1, "start", KEEP(start)),
        INT64(2, "end", KEEP(end)));
MESSAGE(profile_types_response, "querierv1.ProfileTypesResponse",
        {.number = 1,
         .kind = PROTO_MESSAGE,
         .json = "profileTypes",
         .name = "profile_types",
         .message = &profile_type,
         .repeated = true});
MESSAGE(label_names_request, "typesv1.LabelNamesRequest", TEXTS(1, "matchers", LIST(matchers)),
        INT64(2, "start", KEEP(start)), INT64(3, "end", KEEP(end)));
MESSAGE(label_names_response, "typesv1.LabelNamesResponse", TEXTS(1, "names"));
MESSAGE(label_values_request, "typesv1.LabelValuesRequest", TEXT(1, "name", KEEP(name)),
        TEXTS(2, "matchers", LIST(matchers)), INT64(3, "start", KEEP(start)), INT64(4, "end", KEEP(end)));
MESSAGE(label_values_response, "typesv1.LabelValuesResponse", TEXTS(1, "names"));
MESSAGE(series_request, "querierv1.SeriesRequest", TEXTS(1, "matchers", LIST(matchers)),
        TEXTS(2, "labelNames", .name = "label_names", LIST(label_names)), INT64(3, "start", KEEP(start)),
        INT64(4, "end", KEEP(end)));
MESSAGE(series_response, "querierv1.SeriesResponse",
        {.number = 2,
         .kind = PROTO_MESSAGE,
         .json = "labelsSet",
         .name = "labels_set",
         .message = &label_set,
         .repeated = true});

/* ---- profiles, as of google/pprof ---- */

MESSAGE(pprof_value_type, "googlev1.ValueType", INT64(1, "type"), INT64(2, "unit"));
MESSAGE(pprof_label, "googlev1.Label", INT64(1, "key"), INT64(2, "str"), INT64(3, "num"),
        INT64(4, "numUnit", .name = "num_unit"));
MESSAGE(pprof_sample, "googlev1.Sample", NUMBER(1, "locationId", PROTO_UINT64, .name = "location_id", .repeated = true),
        INT64(2, "value", .repeated = true), PARTS(3, "label", pprof_label));
MESSAGE(pprof_mapping, "googlev1.Mapping", NUMBER(1, "id", PROTO_UINT64),
        NUMBER(2, "memoryStart", PROTO_UINT64, .name = "memory_start"),
        NUMBER(3, "memoryLimit", PROTO_UINT64, .name = "memory_limit"),
        NUMBER(4, "fileOffset", PROTO_UINT64, .name = "file_offset"), INT64(5, "filename"),
        INT64(6, "buildId", .name = "build_id"), NUMBER(7, "hasFunctions", PROTO_BOOL, .name = "has_functions"),
        NUMBER(8, "hasFilenames", PROTO_BOOL, .name = "has_filenames"),
        NUMBER(9, "hasLineNumbers", PROTO_BOOL, .name = "has_line_numbers"),
        NUMBER(10, "hasInlineFrames", PROTO_BOOL, .name = "has_inline_frames"));
MESSAGE(pprof_line, "googlev1.Line", NUMBER(1, "functionId", PROTO_UINT64, .name = "function_id"), INT64(2, "line"));
MESSAGE(pprof_location, "googlev1.Location", NUMBER(1, "id", PROTO_UINT64),
        NUMBER(2, "mappingId", PROTO_UINT64, .name = "mapping_id"), NUMBER(3, "address", PROTO_UINT64),
        PARTS(4, "line", pprof_line), NUMBER(5, "isFolded", PROTO_BOOL, .name = "is_folded"));
MESSAGE(pprof_function, "googlev1.Function", NUMBER(1, "id", PROTO_UINT64), INT64(2, "name"),
        INT64(3, "systemName", .name = "system_name"), INT64(4, "filename"),
        INT64(5, "startLine", .name = "start_line"));
MESSAGE(pprof_profile, "googlev1.Profile",
        NAMED_PART(1, "sampleType", "sample_type", pprof_value_type, .repeated = true),
        PARTS(2, "sample", pprof_sample), PARTS(3, "mapping", pprof_mapping), PARTS(4, "location", pprof_location),
        PARTS(5, "function", pprof_function), TEXTS(6, "stringTable", .name = "string_table"),
        INT64(7, "dropFrames", .name = "drop_frames"), INT64(8, "keepFrames", .name = "keep_frames"),
        INT64(9, "timeNanos", .name = "time_nanos"), INT64(10, "durationNanos", .name = "duration_nanos"),
        NAMED_PART(11, "periodType", "period_type", pprof_value_type), INT64(12, "period"),
        INT64(13, "comment", .repeated = true), INT64(14, "defaultSampleType", .name = "default_sample_type"));

/* ---- stacks ---- */

static const char *const profile_formats[] = {"PROFILE_FORMAT_UNSPECIFIED", "PROFILE_FORMAT_FLAMEGRAPH",
                                              "PROFILE_FORMAT_TREE",        "PROFILE_FORMAT_DOT",
                                              "PROFILE_FORMAT_PPROF",       NULL};

MESSAGE(call_site, "typesv1.Location", TEXT(1, "name", LIST(call_site)));
MESSAGE(go_pgo, "typesv1.GoPGO", NUMBER(1, "keepLocations", PROTO_UINT32, .name = "keep_locations"),
        NUMBER(2, "aggregateCallees", PROTO_BOOL, .name = "aggregate_callees"));
MESSAGE(frame_filter, "typesv1.FrameFilter", TEXTS(1, "includeFunctionNames"), TEXTS(2, "excludeFunctionNames"),
        TEXTS(3, "includeFunctionNameRegexes"), TEXTS(4, "excludeFunctionNameRegexes"));
MESSAGE(stack_selector, "typesv1.StackTraceSelector",
        NAMED_PART(1, "callSite", "call_site", call_site, .repeated = true),
        NAMED_PART(2, "goPgo", "go_pgo", go_pgo, KEEP(go_pgo)),
        NAMED_PART(3, "frameFilter", "frame_filter", frame_filter, KEEP(frame_filter)));
/* Fields 1 to 4 of most queries of one profile type. */
#define SELECTION                                                                                                      \
    TEXT(1, "profileTypeID", .name = "profile_typeID", KEEP(profile_type)),                                            \
        TEXT(2, "labelSelector", .name = "label_selector", KEEP(selector)), INT64(3, "start", KEEP(start)),            \
        INT64(4, "end", KEEP(end))
MESSAGE(stacktraces_request, "querierv1.SelectMergeStacktracesRequest", SELECTION,
        INT64(5, "maxNodes", .name = "max_nodes", KEEP(max_nodes)), ENUM(6, "format", profile_formats, KEEP(format)),
        NAMED_PART(7, "stackTraceSelector", "stack_trace_selector", stack_selector),
        TEXTS(8, "profileIdSelector", .name = "profile_id_selector", LIST(profile_ids)),
        TEXTS(10, "traceIdSelector", .name = "trace_id_selector", LIST(trace_ids)),
        TEXTS(11, "spanSelector", .name = "span_selector", LIST(spans)));
MESSAGE(level, "querierv1.Level", INT64(1, "values", .repeated = true));
MESSAGE(flamegraph, "querierv1.FlameGraph", TEXTS(1, "names"), PARTS(2, "levels", level), INT64(3, "total"),
        INT64(4, "maxSelf", .name = "max_self"));
MESSAGE(flamegraph_diff, "querierv1.FlameGraphDiff", TEXTS(1, "names"), PARTS(2, "levels", level), INT64(3, "total"),
        INT64(4, "maxSelf", .name = "max_self"), INT64(5, "leftTicks"), INT64(6, "rightTicks"));
MESSAGE(pprof_answer, "querierv1.PprofProfile", PART(1, "profile", pprof_profile));
MESSAGE(stacktraces_response, "querierv1.SelectMergeStacktracesResponse", PART(1, "flamegraph", flamegraph),
        NUMBER(2, "tree", PROTO_BYTES), TEXT(3, "dot"), PART(5, "pprof", pprof_answer));
MESSAGE(span_profile_request, "querierv1.SelectMergeSpanProfileRequest",
        TEXT(1, "profileTypeID", .name = "profile_typeID", KEEP(profile_type)),
        TEXT(2, "labelSelector", .name = "label_selector", KEEP(selector)),
        TEXTS(3, "spanSelector", .name = "span_selector", LIST(spans)), INT64(4, "start", KEEP(start)),
        INT64(5, "end", KEEP(end)), INT64(6, "maxNodes", .name = "max_nodes", KEEP(max_nodes)),
        ENUM(7, "format", profile_formats, KEEP(format)));
MESSAGE(span_profile_response, "querierv1.SelectMergeSpanProfileResponse", PART(1, "flamegraph", flamegraph),
        NUMBER(2, "tree", PROTO_BYTES));
MESSAGE(merge_profile_request, "querierv1.SelectMergeProfileRequest", SELECTION,
        INT64(5, "maxNodes", .name = "max_nodes", KEEP(max_nodes)),
        NAMED_PART(6, "stackTraceSelector", "stack_trace_selector", stack_selector),
        TEXTS(7, "profileIdSelector", .name = "profile_id_selector", LIST(profile_ids)),
        TEXTS(8, "traceIdSelector", .name = "trace_id_selector", LIST(trace_ids)));
MESSAGE(diff_request, "querierv1.DiffRequest", NAMED_PART(1, "left", NULL, stacktraces_request, KEEP(left)),
        NAMED_PART(2, "right", NULL, stacktraces_request, KEEP(right)));
MESSAGE(diff_response, "querierv1.DiffResponse", PART(1, "flamegraph", flamegraph_diff));

/* ---- points ---- */

static const char *const aggregations[] = {"TIME_SERIES_AGGREGATION_TYPE_SUM", "TIME_SERIES_AGGREGATION_TYPE_AVERAGE",
                                           NULL};
static const char *const exemplar_types[] = {"EXEMPLAR_TYPE_UNSPECIFIED", "EXEMPLAR_TYPE_NONE",
                                             "EXEMPLAR_TYPE_INDIVIDUAL", "EXEMPLAR_TYPE_SPAN", NULL};

MESSAGE(exemplar, "typesv1.Exemplar", INT64(1, "timestamp"), TEXT(2, "profileId", .name = "profile_id"),
        TEXT(3, "spanId", .name = "span_id"), INT64(4, "value"), PARTS(5, "labels", label_pair),
        TEXT(6, "traceId", .name = "trace_id"));
MESSAGE(point, "typesv1.Point", NUMBER(1, "value", PROTO_DOUBLE), INT64(2, "timestamp"),
        PARTS(4, "exemplars", exemplar));
MESSAGE(points_series, "typesv1.Series", PARTS(1, "labels", label_pair), PARTS(2, "points", point));
MESSAGE(select_series_request, "querierv1.SelectSeriesRequest", SELECTION,
        TEXTS(5, "groupBy", .name = "group_by", LIST(group_by)), NUMBER(6, "step", PROTO_DOUBLE, KEEP(step)),
        ENUM(7, "aggregation", aggregations, KEEP(aggregation)),
        NAMED_PART(8, "stackTraceSelector", "stack_trace_selector", stack_selector), INT64(9, "limit", KEEP(limit)),
        ENUM(10, "exemplarType", exemplar_types, .name = "exemplar_type", KEEP(exemplar_type)));
MESSAGE(select_series_response, "querierv1.SelectSeriesResponse", PARTS(1, "series", points_series));

static const char *const heatmap_types[] = {"HEATMAP_QUERY_TYPE_UNSPECIFIED", "HEATMAP_QUERY_TYPE_INDIVIDUAL",
                                            "HEATMAP_QUERY_TYPE_SPAN", NULL};
MESSAGE(heatmap_request, "querierv1.SelectHeatmapRequest", SELECTION, NUMBER(5, "step", PROTO_DOUBLE, KEEP(step)),
        TEXTS(6, "groupBy", .name = "group_by", LIST(group_by)),
        ENUM(7, "queryType", heatmap_types, .name = "query_type", KEEP(heatmap_type)),
        ENUM(8, "exemplarType", exemplar_types, .name = "exemplar_type", KEEP(exemplar_type)),
        INT64(9, "limit", KEEP(limit)));
MESSAGE(heatmap_slot, "typesv1.HeatmapSlot", INT64(1, "timestamp"),
        NUMBER(2, "yMin", PROTO_DOUBLE, .name = "y_min", .repeated = true),
        NUMBER(3, "counts", PROTO_INT32, .repeated = true), PARTS(4, "exemplars", exemplar));
MESSAGE(heatmap_series, "typesv1.HeatmapSeries", PARTS(1, "labels", label_pair), PARTS(2, "slots", heatmap_slot));
MESSAGE(heatmap_response, "querierv1.SelectHeatmapResponse", PARTS(1, "series", heatmap_series));

/* ---- the store ---- */

MESSAGE(stats_request, "typesv1.GetProfileStatsRequest", {0});
MESSAGE(stats_response, "typesv1.GetProfileStatsResponse", NUMBER(1, "dataIngested", PROTO_BOOL),
        INT64(2, "oldestProfileTime"), INT64(3, "newestProfileTime"));
MESSAGE(analyze_request, "querierv1.AnalyzeQueryRequest", INT64(2, "start", KEEP(start)), INT64(3, "end", KEEP(end)),
        TEXT(4, "query", KEEP(query)));
MESSAGE(query_scope, "querierv1.QueryScope", TEXT(1, "componentType"), NUMBER(2, "componentCount", PROTO_UINT64),
        NUMBER(3, "blockCount", PROTO_UINT64), NUMBER(4, "seriesCount", PROTO_UINT64),
        NUMBER(5, "profileCount", PROTO_UINT64), NUMBER(6, "sampleCount", PROTO_UINT64),
        NUMBER(7, "indexBytes", PROTO_UINT64), NUMBER(8, "profileBytes", PROTO_UINT64),
        NUMBER(9, "symbolBytes", PROTO_UINT64));
MESSAGE(query_impact, "querierv1.QueryImpact", NUMBER(2, "totalBytesInTimeRange", PROTO_UINT64),
        NUMBER(3, "totalQueriedSeries", PROTO_UINT64), NUMBER(4, "deduplicationNeeded", PROTO_BOOL));
MESSAGE(analyze_response, "querierv1.AnalyzeQueryResponse", PARTS(1, "queryScopes", query_scope),
        PART(2, "queryImpact", query_impact));
MESSAGE(setting, "settingsv1.Setting", TEXT(1, "name", KEEP(name)), TEXT(2, "value", KEEP(value)),
        INT64(3, "modifiedAt", KEEP(modified)));
MESSAGE(settings_get_request, "settingsv1.GetSettingsRequest", {0});
MESSAGE(settings_get_response, "settingsv1.GetSettingsResponse", PARTS(1, "settings", setting));
MESSAGE(settings_set_request, "settingsv1.SetSettingsRequest", PART(1, "setting", setting));
MESSAGE(settings_set_response, "settingsv1.SetSettingsResponse", PART(1, "setting", setting));
MESSAGE(settings_delete_request, "settingsv1.DeleteSettingsRequest", TEXT(1, "name", KEEP(name)));
MESSAGE(settings_delete_response, "settingsv1.DeleteSettingsResponse", {0});
MESSAGE(version_request, "versionv1.VersionRequest", {0});
MESSAGE(version_response, "versionv1.VersionResponse", NUMBER(1, "QuerierAPI", PROTO_UINT64));

#define SETTINGS "/settings.v1.SettingsService/"
#define QUERIER  "/querier.v1.QuerierService/"
const struct query_method query_methods[QUERY_CALLS] = {
    [QUERY_PROFILE_TYPES] = {QUERIER "ProfileTypes", &profile_types_request, &profile_types_response},
    [QUERY_LABEL_NAMES] = {QUERIER "LabelNames", &label_names_request, &label_names_response},
    [QUERY_LABEL_VALUES] = {QUERIER "LabelValues", &label_values_request, &label_values_response},
    [QUERY_SERIES] = {QUERIER "Series", &series_request, &series_response},
    [QUERY_STACKTRACES] = {QUERIER "SelectMergeStacktraces", &stacktraces_request, &stacktraces_response},
    [QUERY_SPAN_PROFILE] = {QUERIER "SelectMergeSpanProfile", &span_profile_request, &span_profile_response},
    [QUERY_MERGE_PROFILE] = {QUERIER "SelectMergeProfile", &merge_profile_request, &pprof_profile},
    [QUERY_SELECT_SERIES] = {QUERIER "SelectSeries", &select_series_request, &select_series_response},
    [QUERY_DIFF] = {QUERIER "Diff", &diff_request, &diff_response},
    [QUERY_HEATMAP] = {QUERIER "SelectHeatmap", &heatmap_request, &heatmap_response},
    [QUERY_STATS] = {QUERIER "GetProfileStats", &stats_request, &stats_response},
    [QUERY_ANALYZE] = {QUERIER "AnalyzeQuery", &analyze_request, &analyze_response},
    [QUERY_SETTINGS_GET] = {SETTINGS "Get", &settings_get_request, &settings_get_response},
    [QUERY_SETTINGS_SET] = {SETTINGS "Set", &settings_set_request, &settings_set_response},
    [QUERY_SETTINGS_DELETE] = {SETTINGS "Delete", &settings_delete_request, &settings_delete_response},
    [QUERY_VERSION] = {"/version.v1.Version/Version", &version_request, &version_response},
};

#include "pyroscope/query_messages.h"

#include <stddef.h>

#include "pyroscope/query_request.h"

/* Fields of requests, with the member they are read into. */
#define KEEP(member) .offset = offsetof(struct query_request, member), .kept = true
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
MESSAGE(label_names_request, "typesv1.LabelNamesRequest", TEXTS(1, "matchers", KEEP(matchers)),
        INT64(2, "start", KEEP(start)), INT64(3, "end", KEEP(end)));
MESSAGE(label_names_response, "typesv1.LabelNamesResponse", TEXTS(1, "names"));
MESSAGE(label_values_request, "typesv1.LabelValuesRequest", TEXT(1, "name", KEEP(name)),
        TEXTS(2, "matchers", KEEP(matchers)), INT64(3, "start", KEEP(start)), INT64(4, "end", KEEP(end)));
MESSAGE(label_values_response, "typesv1.LabelValuesResponse", TEXTS(1, "names"));
MESSAGE(series_request, "querierv1.SeriesRequest", TEXTS(1, "matchers", KEEP(matchers)),
        TEXTS(2, "labelNames", .name = "label_names", KEEP(label_names)), INT64(3, "start", KEEP(start)),
        INT64(4, "end", KEEP(end)));
MESSAGE(series_response, "querierv1.SeriesResponse",
        {.number = 2,
         .kind = PROTO_MESSAGE,
         .json = "labelsSet",
         .name = "labels_set",
         .message = &label_set,
         .repeated = true});

#define QUERIER "/querier.v1.QuerierService/"
const struct query_method query_methods[QUERY_CALLS] = {
    [QUERY_PROFILE_TYPES] = {QUERIER "ProfileTypes", &profile_types_request, &profile_types_response},
    [QUERY_LABEL_NAMES] = {QUERIER "LabelNames", &label_names_request, &label_names_response},
    [QUERY_LABEL_VALUES] = {QUERIER "LabelValues", &label_values_request, &label_values_response},
    [QUERY_SERIES] = {QUERIER "Series", &series_request, &series_response},
};

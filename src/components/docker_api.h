/* The HTTP API of the Docker Engine, as discovery.docker and discovery.dockerswarm use it: its address, filters, and
 * the networks both know.
 *
 * The path has no version: the daemon then answers with its own, and podman's service as well.
 * Source: Docker Engine API, "Versioning"; spec components §5.1, §5.4.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/map.h"
#include "components/http_refresh.h"
#include "components/meta_labels.h"
#include "lang/schema.h"

enum { DOCKER_ANSWER_MAX = 4 << 20 };

struct docker_filter {
    char *name;
    struct string_list values;
};
extern const struct schema docker_filter_schema;

/* Where the daemon listens: unix:///var/run/docker.sock, tcp://HOST:PORT, http://, https://. */
struct docker_host {
    char *base;   /* owned; "http://localhost" for a socket */
    char *socket; /* owned; NULL: by TCP */
};
/* -EINVAL; the reference's words where it has some. */
must_check int docker_host_parse(const char *text, struct docker_host *ret, struct err *err);
void docker_host_done(struct docker_host *h);

/* "http://host/containers/json?filters={…}", percent-encoded; without filters if there are none. To be freed. */
char *docker_url(const struct docker_host *h, const char *path, const struct block_list *filters);

/* The labels PREFIX_network_* of every network in an answer to /networks, by ID. */
struct docker_networks {
    struct strmap by_id; /* -> struct labels *; the keys belong to the answer */
};
void docker_networks_read(struct docker_networks *n, const struct value *answer, const char *prefix);
/* Adds those of a network; nothing where it is not known. */
void docker_networks_put(const struct docker_networks *n, struct str id, struct labels_builder *b);
void docker_networks_done(struct docker_networks *n);

/* http_refresh_take(), and the daemon of `url` in the place of `host`; all or nothing. */
must_check int docker_host_take(struct docker_host *host, const char *url, struct http_refresh *h, const void *args,
                                const struct http_settings *settings, int64_t interval, struct err *err);

/* The daemon, why it cannot be asked, and what to do where the socket cannot be opened. To be freed. */
char *docker_problem(const struct docker_host *h, const char *why);

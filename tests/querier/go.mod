module smolder/tests/querier

go 1.25.0

require (
	connectrpc.com/connect v1.19.2
	github.com/google/pprof v0.0.0-20231229205709-960ae82b1e42
	github.com/grafana/pyroscope/api v1.6.0
)

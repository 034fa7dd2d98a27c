// Querier stands between an agent and a store: it keeps what is pushed, passes it on, and then asks every call of the
// store's query API with Grafana's own client. What it expects it computes itself, from the profiles it kept.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"connectrpc.com/connect"
	pushv1 "github.com/grafana/pyroscope/api/gen/proto/go/push/v1"
	"github.com/grafana/pyroscope/api/gen/proto/go/push/v1/pushv1connect"
)

// proxy records what the store accepted.
type proxy struct {
	mu     sync.Mutex
	store  pushv1connect.PusherServiceClient
	model  *model
	enough int
	ready  chan struct{}
	closed bool
}

// Push passes a request on, until there is enough.
func (p *proxy) Push(ctx context.Context, rq *connect.Request[pushv1.PushRequest]) (
	*connect.Response[pushv1.PushResponse], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, connect.NewError(connect.CodeUnavailable, fmt.Errorf("enough"))
	}
	if _, err := p.store.Push(ctx, connect.NewRequest(rq.Msg)); err != nil {
		return nil, err
	}
	if err := p.model.add(rq.Msg); err != nil {
		return nil, err
	}
	if p.model.hasEnough(p.enough) {
		p.closed = true
		close(p.ready)
	}
	return connect.NewResponse(&pushv1.PushResponse{}), nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:4041", "where the agent pushes to")
	store := flag.String("store", "http://127.0.0.1:4040", "the store")
	enough := flag.Int("profiles", 12, "pushed profiles before the questions begin")
	wait := flag.Duration("wait", 2*time.Minute, "how long to wait for them")
	flag.Parse()
	p := &proxy{model: newModel(), enough: *enough, ready: make(chan struct{})}
	p.store = pushv1connect.NewPusherServiceClient(http.DefaultClient, *store, connect.WithSendGzip())
	mux := http.NewServeMux()
	mux.Handle(pushv1connect.NewPusherServiceHandler(p))
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go func() { _ = http.Serve(listener, mux) }()
	fmt.Println("listening")
	select {
	case <-p.ready:
	case <-time.After(*wait):
		fmt.Printf("too few profiles: %s\n", p.model)
		os.Exit(1)
	}
	os.Exit(ask(p, *store))
}

// receiver is an independent judge of what the agent pushes: Pyroscope's published push service (connect-go handlers
// generated from its protobuf files) in front of google/pprof's parser. It keeps every profile in memory and answers
// questions about them in JSON.
//
//	receiver --listen 127.0.0.1:4040 [--delay 500ms] [--status 429]
//
//	GET  /profiles   what was pushed, in the order of arrival
//	GET  /stacks     ?service=&type=&value=0&label=k=v: folded stacks and their sums, type being the label __name__
//	GET  /stats      counts and everything that was wrong
//	POST /behave     ?delay=500ms&status=429: how to answer pushes from now on; status 0 or 200 accepts them
//	POST /refuse     ?value=memory&status=429: does not store profiles with this value of a label, and says so as
//	                 Pyroscope does, with 400 or 429; no value: stores all
//	POST /forget     drops what was received
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/grafana/pyroscope/api/gen/proto/go/push/v1/pushv1connect"
)

// behaviour is how pushes are answered.
type behaviour struct {
	mu     sync.Mutex
	delay  time.Duration
	status int
}

func (b *behaviour) set(delay time.Duration, status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.delay, b.status = delay, status
}

// before delays and refuses pushes as asked for, in front of the real handler.
func (b *behaviour) before(next http.Handler, s *store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		delay, status := b.delay, b.status
		b.mu.Unlock()
		s.countRequest(r, status)
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			return
		}
		if status != 0 && status != http.StatusOK {
			http.Error(w, fmt.Sprintf("told to answer %d", status), status)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (b *behaviour) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	var delay time.Duration
	var status int
	var err error
	if text := query.Get("delay"); text != "" {
		if delay, err = time.ParseDuration(text); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	if text := query.Get("status"); text != "" {
		if status, err = strconv.Atoi(text); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	b.set(delay, status)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		fmt.Fprintln(os.Stderr, "receiver:", err)
	}
}

func (s *store) serveStacks(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	value, err := strconv.Atoi(query.Get("value"))
	if query.Get("value") != "" && err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	want := map[string]string{}
	for _, pair := range query["label"] {
		name, text, _ := strings.Cut(pair, "=")
		want[name] = text
	}
	if service := query.Get("service"); service != "" {
		want["service_name"] = service
	}
	if name := query.Get("type"); name != "" {
		want["__name__"] = name
	}
	answer(w, s.stacks(want, value))
}

func main() {
	listen := flag.String("listen", "127.0.0.1:4040", "where to accept pushes")
	delay := flag.Duration("delay", 0, "answer each push that much later")
	status := flag.Int("status", 0, "answer each push with this HTTP status")
	flag.Parse()

	s := &store{}
	b := &behaviour{delay: *delay, status: *status}
	mux := http.NewServeMux()
	path, push := pushv1connect.NewPusherServiceHandler(s)
	mux.Handle(path, b.before(push, s))
	mux.Handle("/behave", b)
	mux.HandleFunc("/profiles", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.list()) })
	mux.HandleFunc("/stacks", s.serveStacks)
	mux.HandleFunc("/stats", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.statistics()) })
	mux.HandleFunc("/refuse", func(_ http.ResponseWriter, r *http.Request) {
		code := connect.CodeInvalidArgument
		if r.URL.Query().Get("status") == "429" {
			code = connect.CodeResourceExhausted
		}
		s.refuse(r.URL.Query().Get("value"), code)
	})
	mux.HandleFunc("/unread", func(_ http.ResponseWriter, r *http.Request) { s.leaveUnread(r.URL.Query().Get("value")) })
	mux.HandleFunc("/forget", func(http.ResponseWriter, *http.Request) { s.forget() })

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, "receiver:", err)
		os.Exit(1)
	}
	// The line a caller waits for; with port 0 it says which one was taken.
	fmt.Println("listening on", listener.Addr())
	fmt.Fprintln(os.Stderr, "receiver:", http.Serve(listener, mux))
	os.Exit(1)
}

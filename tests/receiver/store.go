package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/google/pprof/profile"
	pushv1 "github.com/grafana/pyroscope/api/gen/proto/go/push/v1"
)

// received is one pushed profile as /profiles shows it.
type received struct {
	ReceivedNanos int64               `json:"received_nanos"`
	ID            string              `json:"id"`
	Labels        map[string]string   `json:"labels"`
	SampleTypes   []string            `json:"sample_types"` // "cpu/nanoseconds"
	PeriodType    string              `json:"period_type"`
	Period        int64               `json:"period"`
	TimeNanos     int64               `json:"time_nanos"`
	DurationNanos int64               `json:"duration_nanos"`
	Sums          []int64             `json:"sums"` // one per sample type
	Samples       int                 `json:"samples"`
	SampleLabels  map[string][]string `json:"sample_labels"` // distinct values, sorted
	RawBytes      int                 `json:"raw_bytes"`
	Problem       string              `json:"problem"` // "" = valid

	parsed *profile.Profile
}

// request is the part of a push request's head that tests look at.
type request struct {
	Proto, ContentType, ContentEncoding, UserAgent, Authorization string
	Headers                                                       map[string]string
	Answer                                                        int // 0: the real handler's
}

type statistics struct {
	Requests    int      `json:"requests"`
	Profiles    int      `json:"profiles"`
	LastRequest *request `json:"last_request"`
	Problems    []string `json:"problems"`
}

type store struct {
	mu       sync.Mutex
	profiles []*received
	requests int
	last     *request

	refused string // profiles with this value of any label are not stored
	code    connect.Code
	unread  string // those with this one are taken and not looked at
}

// leaveUnread saves the time that profiles of an attacker take, which are many and dear.
func (s *store) leaveUnread(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unread = value
}

func (s *store) isUnread(labels map[string]string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, value := range labels {
		if s.unread != "" && value == s.unread {
			return true
		}
	}
	return false
}

func (s *store) refuse(value string, code connect.Code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused, s.code = value, code
}

// verdict says why a profile is not stored, nil if it is.
func (s *store) verdict(labels map[string]string) *connect.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, value := range labels {
		if s.refused != "" && value == s.refused {
			return connect.NewError(s.code, fmt.Errorf("told to refuse labels '{%s}'", value))
		}
	}
	return nil
}

func (s *store) countRequest(r *http.Request, status int) {
	head := &request{
		Proto:           r.Proto,
		ContentType:     r.Header.Get("Content-Type"),
		ContentEncoding: r.Header.Get("Content-Encoding"),
		UserAgent:       r.Header.Get("User-Agent"),
		Authorization:   r.Header.Get("Authorization"),
		Headers:         map[string]string{},
		Answer:          status,
	}
	for name := range r.Header {
		head.Headers[name] = r.Header.Get(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	s.last = head
}

// Push is Pyroscope's method. A profile that is not valid is kept, with what is wrong about it, and the push refused.
func (s *store) Push(
	_ context.Context, req *connect.Request[pushv1.PushRequest],
) (*connect.Response[pushv1.PushResponse], error) {
	var problems []string
	var refused []string
	code := connect.CodeInvalidArgument
	for index, series := range req.Msg.Series {
		labels := map[string]string{}
		var problem string
		previous := ""
		for _, pair := range series.Labels {
			if pair.Name <= previous {
				problem = fmt.Sprintf("label %q comes after %q", pair.Name, previous)
			}
			previous = pair.Name
			labels[pair.Name] = pair.Value
		}
		if labels["__name__"] == "" {
			problem = "no label __name__"
		}
		if len(series.Samples) == 0 {
			problem = "a series without a profile"
		}
		for _, sample := range series.Samples {
			// As Pyroscope: the good ones are stored, and one error names the others.
			if err := s.verdict(labels); err != nil {
				code = err.Code()
				refused = append(refused, fmt.Sprintf("push series with index %d and id %s failed: %s", index, sample.ID, err))
				continue
			}
			if s.isUnread(labels) {
				continue
			}
			p := examine(sample.RawProfile)
			p.ID = sample.ID
			p.Labels = labels
			if p.Problem == "" {
				p.Problem = problem
			}
			if p.Problem != "" {
				problems = append(problems, p.Problem)
			}
			s.mu.Lock()
			s.profiles = append(s.profiles, p)
			s.mu.Unlock()
		}
	}
	if problems != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("%s", strings.Join(problems, "; ")))
	}
	if refused != nil {
		return nil, connect.NewError(code, errors.New(strings.Join(refused, "; ")))
	}
	return connect.NewResponse(&pushv1.PushResponse{}), nil
}

func typeName(t *profile.ValueType) string {
	if t == nil {
		return ""
	}
	return t.Type + "/" + t.Unit
}

// examine parses raw and says what is in it and what is wrong with it.
func examine(raw []byte) *received {
	r := &received{ReceivedNanos: time.Now().UnixNano(), RawBytes: len(raw), SampleLabels: map[string][]string{}}
	p, err := profile.Parse(bytes.NewReader(raw))
	if err != nil {
		r.Problem = err.Error()
		return r
	}
	if err := p.CheckValid(); err != nil {
		r.Problem = err.Error()
	}
	r.parsed = p
	r.PeriodType, r.Period = typeName(p.PeriodType), p.Period
	r.TimeNanos, r.DurationNanos = p.TimeNanos, p.DurationNanos
	r.Samples = len(p.Sample)
	r.Sums = make([]int64, len(p.SampleType))
	for _, t := range p.SampleType {
		r.SampleTypes = append(r.SampleTypes, typeName(t))
	}
	seen := map[string]map[string]bool{}
	for _, sample := range p.Sample {
		for i, v := range sample.Value {
			r.Sums[i] += v
		}
		for name, values := range sample.Label {
			if seen[name] == nil {
				seen[name] = map[string]bool{}
			}
			for _, v := range values {
				seen[name][v] = true
			}
		}
	}
	for name, values := range seen {
		for v := range values {
			r.SampleLabels[name] = append(r.SampleLabels[name], v)
		}
		sort.Strings(r.SampleLabels[name])
	}
	switch {
	case r.Problem != "":
	case r.Samples == 0:
		r.Problem = "a profile without samples"
	case r.TimeNanos <= 0 || r.DurationNanos <= 0:
		r.Problem = fmt.Sprintf("time %d, duration %d", r.TimeNanos, r.DurationNanos)
	}
	return r
}

func (s *store) list() []*received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*received{}, s.profiles...)
}

func (s *store) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.profiles, s.requests, s.last = nil, 0, nil
}

func (s *store) statistics() statistics {
	s.mu.Lock()
	defer s.mu.Unlock()
	result := statistics{Requests: s.requests, Profiles: len(s.profiles), LastRequest: s.last, Problems: []string{}}
	for _, p := range s.profiles {
		if p.Problem != "" {
			result.Problems = append(result.Problems, fmt.Sprintf("%v: %s", p.Labels, p.Problem))
		}
	}
	return result
}

// stacks sums sample value number `value` by stack, root first, over all profiles with the wanted labels.
func (s *store) stacks(want map[string]string, value int) map[string]int64 {
	result := map[string]int64{}
	for _, p := range s.list() {
		if p.parsed == nil || value < 0 || value >= len(p.Sums) || !matches(p.Labels, want) {
			continue
		}
		for _, sample := range p.parsed.Sample {
			result[fold(sample)] += sample.Value[value]
		}
	}
	return result
}

func matches(labels, want map[string]string) bool {
	for name, value := range want {
		if labels[name] != value {
			return false
		}
	}
	return true
}

func fold(sample *profile.Sample) string {
	var frames []string
	for i := len(sample.Location) - 1; i >= 0; i-- {
		lines := sample.Location[i].Line
		for j := len(lines) - 1; j >= 0; j-- {
			name := "?"
			if lines[j].Function != nil {
				name = lines[j].Function.Name
			}
			frames = append(frames, name)
		}
	}
	return strings.Join(frames, ";")
}

package main

import (
	"bytes"
	"fmt"
	"sort"
	"strings"

	"github.com/google/pprof/profile"
	pushv1 "github.com/grafana/pyroscope/api/gen/proto/go/push/v1"
)

type stack struct {
	names, lines []string // root first; function, and function with file and line
	value        int64
	span         string
}

// row is a profile of one series: what the store counts.
type row struct {
	labels   map[string]string
	kind     string // profile type
	ms       int64
	total    int64
	stacks   []stack
	duration int64
	profile  int // of which pushed profile
}

type model struct {
	rows     []row
	profiles int
	services map[string]bool
	kinds    map[string]bool
}

func newModel() *model {
	return &model{services: map[string]bool{}, kinds: map[string]bool{}}
}

func (m *model) String() string {
	return fmt.Sprintf("%d profiles, %d types, %d services", m.profiles, len(m.kinds), len(m.services))
}

func (m *model) hasEnough(n int) bool {
	return m.profiles >= n && len(m.kinds) >= 2
}

func (m *model) add(rq *pushv1.PushRequest) error {
	for _, series := range rq.Series {
		labels := map[string]string{}
		for _, l := range series.Labels {
			labels[l.Name] = l.Value
		}
		for _, sample := range series.Samples {
			p, err := profile.ParseData(sample.RawProfile)
			if err != nil {
				return err
			}
			m.addProfile(labels, p)
		}
	}
	return nil
}

func (m *model) addProfile(labels map[string]string, p *profile.Profile) {
	m.profiles++
	for t, st := range p.SampleType {
		period := [2]string{}
		if p.PeriodType != nil {
			period = [2]string{p.PeriodType.Type, p.PeriodType.Unit}
		}
		kind := strings.Join([]string{labels["__name__"], st.Type, st.Unit, period[0], period[1]}, ":")
		bySplit := map[string]*row{}
		for _, s := range p.Sample {
			if counts(s.Value) && s.Value[t] > 0 {
				r := splitOf(bySplit, labels, kind, s)
				st := stackOf(s)
				st.value = s.Value[t]
				r.stacks = append(r.stacks, st)
				r.total += st.value
			}
		}
		for _, r := range bySplit {
			r.ms, r.duration, r.profile = p.TimeNanos/1e6, p.DurationNanos, m.profiles
			m.rows = append(m.rows, *r)
			m.kinds[kind] = true
			m.services[labels["service_name"]] = true
		}
	}
}

func counts(values []int64) bool {
	any := false
	for _, v := range values {
		if v < 0 {
			return false
		}
		any = any || v != 0
	}
	return any
}

// splitOf is the row of a sample: its text labels make a series of their own.
func splitOf(rows map[string]*row, labels map[string]string, kind string, s *profile.Sample) *row {
	all := map[string]string{}
	for k, v := range s.Label {
		if k != "span_id" && k != "profile_id" && k != "trace_id" && len(v) > 0 && v[0] != "" {
			all[k] = v[0]
		}
	}
	key := fmt.Sprint(all)
	if r := rows[key]; r != nil {
		return r
	}
	for k, v := range labels {
		all[k] = v
	}
	parts := strings.Split(kind, ":")
	derived := map[string]string{"__profile_type__": kind, "__type__": parts[1], "__unit__": parts[2],
		"__period_type__": parts[3], "__period_unit__": parts[4], "__service_name__": labels["service_name"]}
	for k, v := range derived {
		if v != "" {
			all[k] = v
		}
	}
	delete(all, "__session_id__")
	delete(all, "__delta__")
	rows[key] = &row{labels: all, kind: kind}
	return rows[key]
}

func stackOf(s *profile.Sample) stack {
	out := stack{}
	for i := len(s.Location) - 1; i >= 0; i-- {
		lines := s.Location[i].Line
		for k := len(lines) - 1; k >= 0; k-- {
			f := lines[k].Function
			name := f.Name
			if name == "" {
				name = "(unknown)"
			}
			out.names = append(out.names, name)
			out.lines = append(out.lines, fmt.Sprintf("%s@%s:%d", name, f.Filename, lines[k].Line))
		}
	}
	for _, key := range []string{"span_id", "profile_id"} {
		if v := s.Label[key]; len(v) > 0 {
			out.span = v[0]
		}
	}
	return out
}

// selection is a question to the model.
type selection struct {
	kind     string
	matches  func(labels map[string]string) bool
	from, to int64
	span     string
	callSite []string
}

func (m *model) selected(s selection) []row {
	var out []row
	for _, r := range m.rows {
		if (s.kind == "" || r.kind == s.kind) && r.ms >= s.from && r.ms <= s.to && (s.matches == nil || s.matches(r.labels)) {
			out = append(out, r)
		}
	}
	return out
}

type node struct{ total, self int64 }

const between = "\x00"

// tree is what every path of names counts; "" is the root.
func tree(rows []row, s selection, lines bool) map[string]node {
	out := map[string]node{}
	for _, r := range rows {
		for _, st := range r.stacks {
			if (s.span != "" && st.span != s.span) || !begins(st.names, s.callSite) {
				continue
			}
			frames := st.names
			if lines {
				frames = st.lines
			}
			path := ""
			for i := 0; i <= len(frames); i++ {
				n := out[path]
				n.total += st.value
				if i == len(frames) {
					n.self += st.value
				}
				out[path] = n
				if i < len(frames) {
					path += between + frames[i]
				}
			}
		}
	}
	return out
}

func begins(names, with []string) bool {
	if len(names) < len(with) {
		return false
	}
	for i := range with {
		if names[i] != with[i] {
			return false
		}
	}
	return true
}

func (m *model) values(label string, matches func(map[string]string) bool) []string {
	set := map[string]bool{}
	for _, r := range m.rows {
		if v := r.labels[label]; v != "" && (matches == nil || matches(r.labels)) {
			set[v] = true
		}
	}
	return sorted(set)
}

func sorted(set map[string]bool) []string {
	out := []string{}
	for k := range set {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func (m *model) bounds() (int64, int64) {
	first, last := m.rows[0].ms, m.rows[0].ms
	for _, r := range m.rows {
		first, last = min(first, r.ms), max(last, r.ms)
	}
	return first, last
}

// spans is a profile whose samples have spans, as the agents of applications push them.
func spans(at int64) []byte {
	var out bytes.Buffer
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "cpu", Unit: "nanoseconds"}},
		PeriodType: &profile.ValueType{Type: "cpu", Unit: "nanoseconds"}, Period: 10000000, TimeNanos: at, DurationNanos: 1e9}
	for i, name := range []string{"main", "handle", "query"} {
		f := &profile.Function{ID: uint64(i + 1), Name: name, SystemName: name, Filename: "Shop.java"}
		p.Function = append(p.Function, f)
		p.Location = append(p.Location, &profile.Location{ID: uint64(i + 1),
			Line: []profile.Line{{Function: f, Line: int64(10 + i)}}})
	}
	add := func(value int64, span string, at ...int) {
		s := &profile.Sample{Value: []int64{value}, Label: map[string][]string{"span_id": {span}}}
		for i := len(at) - 1; i >= 0; i-- {
			s.Location = append(s.Location, p.Location[at[i]])
		}
		p.Sample = append(p.Sample, s)
	}
	add(100, "00000000000000aa", 0, 1)
	add(20, "00000000000000bb", 0, 1, 2)
	add(3, "00000000000000bb", 0, 2)
	_ = p.Write(&out)
	return out.Bytes()
}

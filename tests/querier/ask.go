package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"time"

	"connectrpc.com/connect"
	googlev1 "github.com/grafana/pyroscope/api/gen/proto/go/google/v1"
	pushv1 "github.com/grafana/pyroscope/api/gen/proto/go/push/v1"
	querierv1 "github.com/grafana/pyroscope/api/gen/proto/go/querier/v1"
	"github.com/grafana/pyroscope/api/gen/proto/go/querier/v1/querierv1connect"
	settingsv1 "github.com/grafana/pyroscope/api/gen/proto/go/settings/v1"
	"github.com/grafana/pyroscope/api/gen/proto/go/settings/v1/settingsv1connect"
	typesv1 "github.com/grafana/pyroscope/api/gen/proto/go/types/v1"
)

type asker struct {
	m        *model
	url      string
	q        querierv1connect.QuerierServiceClient
	settings settingsv1connect.SettingsServiceClient
	name     string
	asked    int
	problems int
}

func (a *asker) check(good bool, format string, args ...any) {
	a.asked++
	if !good {
		a.problems++
		if a.problems < 30 {
			fmt.Printf("%s: %s\n", a.name, fmt.Sprintf(format, args...))
		}
	}
}

func (a *asker) fine(err error, what string) bool {
	a.check(err == nil, "%s: %v", what, err)
	return err == nil
}

func rq[T any](m *T) *connect.Request[T] {
	r := connect.NewRequest(m)
	r.Header().Set("Accept", "*/*; allow-utf8-labelnames=true")
	return r
}

var ctx = context.Background()

func ask(p *proxy, store string) int {
	now := time.Now().UnixNano()
	spanned := &pushv1.PushRequest{Series: []*pushv1.RawProfileSeries{{
		Labels: []*typesv1.LabelPair{{Name: "__name__", Value: "process_cpu"}, {Name: "service_name", Value: "spans"},
			{Name: "dotted.label", Value: "x"}},
		Samples: []*pushv1.RawSample{{RawProfile: spans(now)}}}}}
	if _, err := p.store.Push(ctx, connect.NewRequest(spanned)); err != nil {
		fmt.Println(err)
		return 1
	}
	if err := p.model.add(spanned); err != nil {
		fmt.Println(err)
		return 1
	}
	problems, asked := 0, 0
	for name, options := range map[string][]connect.ClientOption{
		"protobuf": {}, "protobuf and gzip": {connect.WithSendGzip()}, "JSON": {connect.WithProtoJSON()},
		"JSON and gzip": {connect.WithProtoJSON(), connect.WithSendGzip()}} {
		a := &asker{m: p.model, url: store, name: name}
		a.q = querierv1connect.NewQuerierServiceClient(http.DefaultClient, store, options...)
		a.settings = settingsv1connect.NewSettingsServiceClient(http.DefaultClient, store, options...)
		a.all()
		problems += a.problems
		asked += a.asked
	}
	fmt.Printf("%s; %d answers checked, %d wrong\n", p.model, asked, problems)
	if problems > 0 {
		return 1
	}
	return 0
}

func (a *asker) all() {
	a.labels()
	a.selectors()
	for kind := range a.m.kinds {
		a.stacks(kind)
		a.points(kind)
		a.diff(kind)
		a.heatmap(kind)
		a.render(kind)
		a.ranges(kind)
	}
	a.spans()
	a.store()
	a.keepSettings()
	a.refusals()
}

func (a *asker) labels() {
	from, to := a.m.bounds()
	types, err := a.q.ProfileTypes(ctx, rq(&querierv1.ProfileTypesRequest{Start: from, End: to}))
	if a.fine(err, "ProfileTypes") {
		var ids []string
		for _, t := range types.Msg.ProfileTypes {
			ids = append(ids, t.ID)
			a.check(t.ID == strings.Join([]string{t.Name, t.SampleType, t.SampleUnit, t.PeriodType, t.PeriodUnit}, ":"),
				"parts of %s: %v", t.ID, t)
		}
		a.check(reflect.DeepEqual(ids, sorted(a.m.kinds)), "ProfileTypes: %v, want %v", ids, sorted(a.m.kinds))
	}
	want := map[string]bool{}
	for _, r := range a.m.rows {
		for k := range r.labels {
			want[k] = true
		}
	}
	names, err := a.q.LabelNames(ctx, rq(&typesv1.LabelNamesRequest{Start: from, End: to}))
	if a.fine(err, "LabelNames") {
		a.check(reflect.DeepEqual(names.Msg.Names, sorted(want)), "LabelNames: %v, want %v", names.Msg.Names, sorted(want))
	}
	plain := connect.NewRequest(&typesv1.LabelNamesRequest{Start: from, End: to})
	names, err = a.q.LabelNames(ctx, plain)
	if a.fine(err, "LabelNames") {
		a.check(!strings.Contains(strings.Join(names.Msg.Names, " "), "dotted.label"), "a name that was not asked for")
	}
	for name := range want {
		values, err := a.q.LabelValues(ctx, rq(&typesv1.LabelValuesRequest{Name: name, Start: from, End: to}))
		if a.fine(err, "LabelValues") {
			a.check(reflect.DeepEqual(values.Msg.Names, a.m.values(name, nil)), "values of %s: %v, want %v", name,
				values.Msg.Names, a.m.values(name, nil))
		}
	}
	for _, by := range [][]string{nil, {"service_name", "__profile_type__"}, {"nothing"}} {
		a.series(by, from, to)
	}
}

func (a *asker) series(by []string, from, to int64) {
	want, got := map[string]bool{}, map[string]bool{}
	for _, r := range a.m.rows {
		set := map[string]string{}
		for k, v := range r.labels {
			if by == nil || contains(by, k) {
				set[k] = v
			}
		}
		if len(set) > 0 {
			want[fmt.Sprint(set)] = true
		}
	}
	answer, err := a.q.Series(ctx, rq(&querierv1.SeriesRequest{LabelNames: by, Start: from, End: to}))
	if !a.fine(err, "Series") {
		return
	}
	for _, s := range answer.Msg.LabelsSet {
		got[fmt.Sprint(pairs(s.Labels))] = true
	}
	a.check(len(got) == len(answer.Msg.LabelsSet), "Series: a set twice")
	a.check(reflect.DeepEqual(got, want), "Series by %v: %v, want %v", by, got, want)
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func pairs(list []*typesv1.LabelPair) map[string]string {
	out := map[string]string{}
	for _, l := range list {
		out[l.Name] = l.Value
	}
	return out
}

func (a *asker) selectors() {
	from, to := a.m.bounds()
	for _, service := range a.m.values("service_name", nil) {
		prefix := regexp.MustCompile("^(?:" + regexp.QuoteMeta(service[:1]) + ".*)$")
		type labels = map[string]string
		for text, matches := range map[string]func(labels) bool{
			fmt.Sprintf(`{service_name=%q}`, service): func(l labels) bool {
				return l["service_name"] == service
			},
			fmt.Sprintf(`{service_name!=%q,}`, service): func(l labels) bool {
				return l["service_name"] != service
			},
			fmt.Sprintf(`{service_name=~"%s.*"}`, service[:1]): func(l labels) bool {
				return prefix.MatchString(l["service_name"])
			},
			fmt.Sprintf(`{service_name!~"%s.*"}`, service[:1]): func(l labels) bool {
				return !prefix.MatchString(l["service_name"])
			},
			`{"dotted.label"="x"}`: func(l labels) bool { return l["dotted.label"] == "x" },
			`{dotted=""}`:          func(labels) bool { return true },
			`{}`:                   func(labels) bool { return true },
		} {
			for kind := range a.m.kinds {
				a.flame(selection{kind: kind, matches: matches, from: from, to: to}, text)
			}
			values, err := a.q.LabelValues(ctx, rq(&typesv1.LabelValuesRequest{Name: "service_name",
				Matchers: []string{text}, Start: from, End: to}))
			if a.fine(err, text) {
				want := a.m.values("service_name", matches)
				a.check(len(want) == 0 && len(values.Msg.Names) == 0 || reflect.DeepEqual(values.Msg.Names, want),
					"services of %s: %v, want %v", text, values.Msg.Names, want)
			}
		}
	}
}

const all = 1 << 20

func (a *asker) same(got, want map[string]node, what string) {
	if len(want) == 0 {
		want = map[string]node{"": {}}
	}
	a.check(reflect.DeepEqual(got, want), "%s: %d nodes with %v, want %d with %v", what, len(got), got[""], len(want),
		want[""])
}

// flame asks for the whole graph.
func (a *asker) flame(s selection, text string) {
	nodes := int64(all)
	request := &querierv1.SelectMergeStacktracesRequest{ProfileTypeID: s.kind, LabelSelector: text, Start: s.from,
		End: s.to, MaxNodes: &nodes}
	if s.callSite != nil {
		request.StackTraceSelector = &typesv1.StackTraceSelector{}
		for _, name := range s.callSite {
			request.StackTraceSelector.CallSite = append(request.StackTraceSelector.CallSite,
				&typesv1.Location{Name: name})
		}
	}
	answer, err := a.q.SelectMergeStacktraces(ctx, rq(request))
	if !a.fine(err, text) {
		return
	}
	g := answer.Msg.Flamegraph
	got, err := levels(g.Names, g.Levels, 1, 0)
	if a.fine(err, text) {
		want := tree(a.m.selected(s), s, false)
		a.same(got, want, fmt.Sprintf("flame graph of %s%s", s.kind, text))
		a.check(g.Total == want[""].total, "total of %s: %d, want %d", text, g.Total, want[""].total)
	}
}

func (a *asker) stacks(kind string) {
	from, to := a.m.bounds()
	s := selection{kind: kind, from: from, to: to}
	rows := a.m.selected(s)
	names, lines := tree(rows, s, false), tree(rows, s, true)
	few, most := int64(50), int64(all)
	request := &querierv1.SelectMergeStacktracesRequest{ProfileTypeID: kind + ":delta", Start: from, End: to,
		MaxNodes: &few}
	answer, err := a.q.SelectMergeStacktraces(ctx, rq(request))
	if a.fine(err, "a few nodes") {
		g := answer.Msg.Flamegraph
		got, err := levels(g.Names, g.Levels, 1, 0)
		a.fine(err, "a few nodes")
		a.check(got[""].total == names[""].total, "cut total: %d, want %d", got[""].total, names[""].total)
		var self int64
		for path, n := range got {
			self += n.self
			if !strings.HasSuffix(path, between+"other") {
				a.check(n.total == names[path].total, "cut node %q: %d, want %d", path, n.total, names[path].total)
			}
		}
		a.check(self == names[""].total, "own values of a cut graph: %d, want %d", self, names[""].total)
	}
	request.MaxNodes, request.Format = &most, querierv1.ProfileFormat_PROFILE_FORMAT_TREE
	answer, err = a.q.SelectMergeStacktraces(ctx, rq(request))
	if a.fine(err, "tree") {
		got, err := treeFormat(answer.Msg.Tree)
		a.fine(err, "tree")
		a.same(got, names, "tree of "+kind)
	}
	request.MaxNodes, request.Format = nil, querierv1.ProfileFormat_PROFILE_FORMAT_PPROF
	answer, err = a.q.SelectMergeStacktraces(ctx, rq(request))
	if a.fine(err, "pprof") {
		a.pprof(answer.Msg.Pprof.Profile, rows, lines, "pprof of "+kind)
	}
	merged, err := a.q.SelectMergeProfile(ctx, rq(&querierv1.SelectMergeProfileRequest{ProfileTypeID: kind, Start: from,
		End: to}))
	if a.fine(err, "SelectMergeProfile") {
		a.pprof(merged.Msg, rows, lines, "SelectMergeProfile of "+kind)
		a.goPgo(kind, from, to, merged.Msg)
	}
	deep := rows[0].stacks[0].names
	s.callSite = deep[:min(2, len(deep))]
	a.flame(s, "{}")
}

// For the Go compiler: the same values, in stacks of two frames at most, whose leaf has no line.
func (a *asker) goPgo(kind string, from, to int64, whole *googlev1.Profile) {
	sum := func(p *googlev1.Profile) (total int64) {
		for _, s := range p.Sample {
			total += s.Value[0]
		}
		return total
	}
	short, err := a.q.SelectMergeProfile(ctx, rq(&querierv1.SelectMergeProfileRequest{ProfileTypeID: kind, Start: from,
		End: to, StackTraceSelector: &typesv1.StackTraceSelector{
			GoPgo: &typesv1.GoPGO{KeepLocations: 2, AggregateCallees: true}}}))
	if !a.fine(err, "go_pgo of "+kind) {
		return
	}
	a.check(sum(short.Msg) == sum(whole), "go_pgo of %s: %d instead of %d", kind, sum(short.Msg), sum(whole))
	for _, s := range short.Msg.Sample {
		leaf := short.Msg.Location[s.LocationId[0]-1]
		a.check(len(s.LocationId) <= 2 && leaf.Line[0].Line == 0, "go_pgo of %s: %v, %v", kind, s.LocationId, leaf)
	}
}

func (a *asker) pprof(p *googlev1.Profile, rows []row, want map[string]node, what string) {
	got, parsed, err := pprofTree(p)
	if !a.fine(err, what) {
		return
	}
	a.same(got, want, what)
	var duration int64
	seen := map[int]bool{}
	for _, r := range rows {
		if !seen[r.profile] {
			duration += r.duration
		}
		seen[r.profile] = true
	}
	a.check(parsed.DurationNanos == duration, "duration of %s: %d, want %d", what, parsed.DurationNanos, duration)
	a.check(parsed.DefaultSampleType == parsed.SampleType[0].Type, "default type of %s", what)
	a.check(parsed.Period > 0, "period of %s", what)
}

func (a *asker) ranges(kind string) {
	from, to := a.m.bounds()
	random := rand.New(rand.NewSource(1))
	for i := 0; i < 10; i++ {
		x, y := from+random.Int63n(to-from+1), from+random.Int63n(to-from+1)
		a.flame(selection{kind: kind, from: min(x, y), to: max(x, y)}, "{}")
	}
	a.flame(selection{kind: kind, from: a.m.rows[0].ms, to: a.m.rows[0].ms}, "{}")
}

func (a *asker) points(kind string) {
	from, to := a.m.bounds()
	for _, step := range []int64{1000, 15000, to - from + 1} {
		for _, by := range [][]string{nil, {"service_name"}, {"nothing"}} {
			a.pointsOf(kind, from, to, step, by)
		}
	}
}

func (a *asker) pointsOf(kind string, from, to, step int64, by []string) {
	type sums struct {
		sum, count, most int64
		profile          int
	}
	want := map[string]map[int64]sums{}
	last := from + (to-from)/step*step
	for _, r := range a.m.selected(selection{kind: kind, from: from - step + 1, to: last}) {
		key := map[string]string{}
		for _, name := range by {
			if v := r.labels[name]; v != "" {
				key[name] = v
			}
		}
		group := fmt.Sprint(key)
		if want[group] == nil {
			want[group] = map[int64]sums{}
		}
		t := from
		for t < r.ms {
			t += step
		}
		s := want[group][t]
		s.sum, s.count = s.sum+r.total, s.count+1
		if r.total > s.most {
			s.most, s.profile = r.total, r.profile
		}
		want[group][t] = s
	}
	for _, average := range []bool{false, true} {
		kindOf := typesv1.TimeSeriesAggregationType_TIME_SERIES_AGGREGATION_TYPE_SUM
		if average {
			kindOf = typesv1.TimeSeriesAggregationType_TIME_SERIES_AGGREGATION_TYPE_AVERAGE
		}
		answer, err := a.q.SelectSeries(ctx, rq(&querierv1.SelectSeriesRequest{ProfileTypeID: kind, LabelSelector: "{}",
			Start: from, End: to, Step: float64(step) / 1000, GroupBy: by, Aggregation: &kindOf,
			ExemplarType: typesv1.ExemplarType_EXEMPLAR_TYPE_INDIVIDUAL}))
		if !a.fine(err, "SelectSeries") {
			continue
		}
		a.check(len(answer.Msg.Series) == len(want), "%d series, want %d", len(answer.Msg.Series), len(want))
		for _, s := range answer.Msg.Series {
			points := want[fmt.Sprint(pairs(s.Labels))]
			a.check(len(s.Points) == len(points), "%d points, want %d", len(s.Points), len(points))
			for _, p := range s.Points {
				w := points[p.Timestamp]
				value := float64(w.sum)
				if average {
					value /= float64(max(w.count, 1))
				}
				a.check(p.Value == value, "point at %d: %v, want %v", p.Timestamp, p.Value, value)
				a.check(len(p.Exemplars) == 1 && p.Exemplars[0].Value == w.most, "exemplar: %v, want %d", p.Exemplars, w.most)
				if len(p.Exemplars) == 1 && !average {
					a.exemplar(kind, from, to, p.Exemplars[0])
				}
			}
		}
	}
}

// exemplar asks for the profile that an exemplar names.
func (a *asker) exemplar(kind string, from, to int64, e *typesv1.Exemplar) {
	answer, err := a.q.SelectMergeStacktraces(ctx, rq(&querierv1.SelectMergeStacktracesRequest{ProfileTypeID: kind,
		Start: from - 3600000, End: to, ProfileIdSelector: []string{e.ProfileId}}))
	if a.fine(err, "profile "+e.ProfileId) {
		a.check(answer.Msg.Flamegraph.Total == e.Value, "profile %s: %d, want %d", e.ProfileId,
			answer.Msg.Flamegraph.Total, e.Value)
	}
}

func (a *asker) diff(kind string) {
	from, to := a.m.bounds()
	middle, nodes := (from+to)/2, int64(all)
	side := func(s, e int64) *querierv1.SelectMergeStacktracesRequest {
		return &querierv1.SelectMergeStacktracesRequest{ProfileTypeID: kind, LabelSelector: "{}", Start: s, End: e,
			MaxNodes: &nodes}
	}
	answer, err := a.q.Diff(ctx, rq(&querierv1.DiffRequest{Left: side(from, middle), Right: side(middle+1, to)}))
	if !a.fine(err, "Diff") {
		return
	}
	g := answer.Msg.Flamegraph
	ranges := [2]selection{{kind: kind, from: from, to: middle}, {kind: kind, from: middle + 1, to: to}}
	ticks := [2]int64{g.LeftTicks, g.RightTicks}
	for i, s := range ranges {
		got, err := levels(g.Names, g.Levels, 2, i)
		if !a.fine(err, "Diff") {
			continue
		}
		for path, n := range got { // of the other side only
			if n.total == 0 && path != "" {
				delete(got, path)
			}
		}
		want := tree(a.m.selected(s), s, false)
		a.same(got, want, fmt.Sprintf("side %d of %s", i, kind))
		a.check(ticks[i] == want[""].total, "ticks of side %d: %d, want %d", i, ticks[i], want[""].total)
	}
}

func (a *asker) heatmap(kind string) {
	from, to := a.m.bounds()
	answer, err := a.q.SelectHeatmap(ctx, rq(&querierv1.SelectHeatmapRequest{ProfileTypeID: kind, LabelSelector: "{}",
		Start: from, End: to, Step: 5, GroupBy: []string{"service_name"},
		QueryType: querierv1.HeatmapQueryType_HEATMAP_QUERY_TYPE_INDIVIDUAL}))
	if !a.fine(err, "SelectHeatmap") {
		return
	}
	got, want := map[string]int{}, map[string]int{}
	for _, s := range answer.Msg.Series {
		for _, slot := range s.Slots {
			a.check(len(slot.YMin) == 20 && len(slot.Counts) == 20, "a slot has %d columns", len(slot.YMin))
			for _, n := range slot.Counts {
				got[fmt.Sprint(pairs(s.Labels)["service_name"], slot.Timestamp)] += int(n)
			}
		}
	}
	for _, r := range a.m.selected(selection{kind: kind, from: from, to: to}) {
		t := from
		for t < r.ms {
			t += 5000
		}
		want[fmt.Sprint(r.labels["service_name"], t)]++
	}
	a.check(reflect.DeepEqual(got, want), "heat map: %v, want %v", got, want)
}

func (a *asker) spans() {
	from, to := a.m.bounds()
	kind := "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
	for _, span := range []string{"00000000000000aa", "00000000000000BB", "00000000000000cc"} {
		s := selection{kind: kind, from: from, to: to, span: strings.ToLower(span)}
		answer, err := a.q.SelectMergeSpanProfile(ctx, rq(&querierv1.SelectMergeSpanProfileRequest{ProfileTypeID: kind,
			LabelSelector: `{service_name="spans"}`, Start: from, End: to, SpanSelector: []string{span}}))
		if a.fine(err, "SelectMergeSpanProfile") {
			g := answer.Msg.Flamegraph
			got, err := levels(g.Names, g.Levels, 1, 0)
			a.fine(err, "SelectMergeSpanProfile")
			a.same(got, tree(a.m.selected(s), s, false), "span "+span)
		}
	}
	a.spanHeatmap(kind, from, to)
	a.callSite(kind, from, to)
}

// spanHeatmap asks how many spans took how much, with examples.
func (a *asker) spanHeatmap(kind string, from, to int64) {
	answer, err := a.q.SelectHeatmap(ctx, rq(&querierv1.SelectHeatmapRequest{ProfileTypeID: kind,
		LabelSelector: `{service_name="spans"}`, Start: from - 1000, End: to, Step: float64(to-from+2000) / 1000,
		QueryType:    querierv1.HeatmapQueryType_HEATMAP_QUERY_TYPE_SPAN,
		ExemplarType: typesv1.ExemplarType_EXEMPLAR_TYPE_SPAN}))
	if !a.fine(err, "SelectHeatmap of spans") {
		return
	}
	type ofSpan struct {
		profile int
		span    string
	}
	sums := map[ofSpan]int64{}
	for _, r := range a.m.selected(selection{kind: kind, from: from, to: to}) {
		for _, st := range r.stacks {
			if st.span != "" {
				sums[ofSpan{r.profile, strings.ToLower(st.span)}] += st.value
			}
		}
	}
	values := map[string]bool{}
	for of, sum := range sums {
		values[fmt.Sprint(of.span, sum)] = true
	}
	var counted, examples int
	for _, s := range answer.Msg.Series {
		for _, slot := range s.Slots {
			for i, n := range slot.Counts {
				counted += int(n)
				a.check(i == 0 || slot.YMin[i] >= slot.YMin[i-1], "columns of a slot: %v", slot.YMin)
			}
			for _, e := range slot.Exemplars {
				examples++
				a.check(values[fmt.Sprint(e.SpanId, e.Value)], "example %v: no such span in %v", e, values)
				a.spanOf(kind, from, to, e)
			}
		}
	}
	a.check(len(sums) > 0 && counted == len(sums), "%d spans, want %d", counted, len(sums))
	a.check(examples > 0, "no examples of spans")
	_, err = a.q.SelectHeatmap(ctx, rq(&querierv1.SelectHeatmapRequest{ProfileTypeID: kind, LabelSelector: "{}",
		Start: from, End: to, Step: 5, QueryType: querierv1.HeatmapQueryType_HEATMAP_QUERY_TYPE_INDIVIDUAL,
		ExemplarType: typesv1.ExemplarType_EXEMPLAR_TYPE_SPAN}))
	a.check(connect.CodeOf(err) == connect.CodeInvalidArgument, "examples of spans of profiles: %v", err)
}

// spanOf asks for the samples of an example.
func (a *asker) spanOf(kind string, from, to int64, e *typesv1.Exemplar) {
	answer, err := a.q.SelectMergeStacktraces(ctx, rq(&querierv1.SelectMergeStacktracesRequest{ProfileTypeID: kind,
		Start: from, End: to, ProfileIdSelector: []string{e.ProfileId}, SpanSelector: []string{e.SpanId}}))
	if a.fine(err, "span "+e.SpanId) {
		a.check(answer.Msg.Flamegraph.Total == e.Value, "span %s: %d, want %d", e.SpanId, answer.Msg.Flamegraph.Total,
			e.Value)
	}
}

// callSite asks what stacks below a frame have over time.
func (a *asker) callSite(kind string, from, to int64) {
	s := selection{kind: kind, from: from, to: to, callSite: []string{"main", "handle"}}
	selector := &typesv1.StackTraceSelector{CallSite: []*typesv1.Location{{Name: "main"}, {Name: "handle"}}}
	answer, err := a.q.SelectSeries(ctx, rq(&querierv1.SelectSeriesRequest{ProfileTypeID: kind, LabelSelector: "{}",
		Start: from, End: to + 1000, Step: 1, StackTraceSelector: selector}))
	if !a.fine(err, "SelectSeries of a call site") {
		return
	}
	var got float64
	for _, series := range answer.Msg.Series {
		for _, p := range series.Points {
			got += p.Value
		}
	}
	want := tree(a.m.selected(s), s, false)[""].total
	a.check(want > 0 && got == float64(want), "series of a call site: %v, want %d", got, want)
}

func (a *asker) store() {
	from, to := a.m.bounds()
	stats, err := a.q.GetProfileStats(ctx, rq(&typesv1.GetProfileStatsRequest{}))
	if a.fine(err, "GetProfileStats") {
		a.check(stats.Msg.DataIngested && stats.Msg.OldestProfileTime == from && stats.Msg.NewestProfileTime == to,
			"GetProfileStats: %v, want %d to %d", stats.Msg, from, to)
	}
	rows := a.m.selected(selection{from: from, to: to, matches: func(l map[string]string) bool {
		return l["service_name"] == "spans"
	}})
	analysis, err := a.q.AnalyzeQuery(ctx, rq(&querierv1.AnalyzeQueryRequest{Start: from, End: to,
		Query: `{service_name="spans"}`}))
	if a.fine(err, "AnalyzeQuery") {
		scope := analysis.Msg.QueryScopes[0]
		a.check(int(scope.ProfileCount) == len(rows) && scope.SeriesCount == 1, "AnalyzeQuery: %v, want %d", scope, len(rows))
	}
}

func (a *asker) keepSettings() {
	set, err := a.settings.Set(ctx, rq(&settingsv1.SetSettingsRequest{Setting: &settingsv1.Setting{Name: "pluginSettings",
		Value: `{"maxNodes":16384}`}}))
	if a.fine(err, "settings") {
		a.check(set.Msg.Setting.ModifiedAt > 0, "no time of a change")
	}
	got, err := a.settings.Get(ctx, rq(&settingsv1.GetSettingsRequest{}))
	if a.fine(err, "settings") {
		a.check(len(got.Msg.Settings) == 1 && got.Msg.Settings[0].Value == `{"maxNodes":16384}`, "settings: %v", got.Msg)
	}
	_, err = a.settings.Delete(ctx, rq(&settingsv1.DeleteSettingsRequest{Name: "pluginSettings"}))
	a.fine(err, "settings")
}

// render asks the older API.
func (a *asker) render(kind string) {
	from, to := a.m.bounds()
	s := selection{kind: kind, from: from, to: to}
	total := tree(a.m.selected(s), s, false)[""].total
	var graph struct {
		Flamebearer struct{ NumTicks int64 }
		Timeline    struct{ Samples []float64 }
		Groups      map[string]any
		LeftTicks   int64
		RightTicks  int64
	}
	a.get("/pyroscope/render", url.Values{"query": {kind + "{}"}, "from": {fmt.Sprint(from)}, "until": {fmt.Sprint(to)},
		"groupBy": {"service_name"}}, &graph)
	a.check(graph.Flamebearer.NumTicks == total, "render: %d, want %d", graph.Flamebearer.NumTicks, total)
	var sum float64
	for _, v := range graph.Timeline.Samples {
		sum += v
	}
	a.check(sum == float64(total), "timeline: %v, want %d", sum, total)
	var services []string
	for name := range graph.Groups {
		services = append(services, name)
	}
	sort.Strings(services)
	want := a.m.values("service_name", func(l map[string]string) bool { return l["__profile_type__"] == kind })
	a.check(reflect.DeepEqual(services, want), "groups: %v, want %v", services, want)
	a.get("/pyroscope/render-diff", url.Values{"leftQuery": {kind + "{}"}, "leftFrom": {fmt.Sprint(from)},
		"leftUntil": {fmt.Sprint(to)}, "rightQuery": {kind + `{service_name="spans"}`}, "rightFrom": {fmt.Sprint(from)},
		"rightUntil": {fmt.Sprint(to)}}, &graph)
	a.check(graph.LeftTicks == total, "render-diff: %d, want %d", graph.LeftTicks, total)
	var values []string
	a.get("/pyroscope/label-values", url.Values{"label": {"__name__"}}, &values)
	a.check(reflect.DeepEqual(values, sorted(a.m.kinds)), "label-values: %v", values)
}

func (a *asker) get(path string, parameters url.Values, into any) {
	answer, err := http.Get(a.url + path + "?" + parameters.Encode())
	if !a.fine(err, path) {
		return
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	a.fine(err, path)
	a.check(answer.StatusCode == 200, "%s: %d %.200s", path, answer.StatusCode, text)
	a.fine(json.Unmarshal(text, into), path)
}

func (a *asker) refusals() {
	code := func(err error, want connect.Code, what string) {
		a.check(connect.CodeOf(err) == want, "%s: %v", what, err)
	}
	_, err := a.q.LabelNames(ctx, rq(&typesv1.LabelNamesRequest{Matchers: []string{"{a=b}"}}))
	code(err, connect.CodeInvalidArgument, "a bad selector")
	_, err = a.q.SelectMergeProfile(ctx, rq(&querierv1.SelectMergeProfileRequest{ProfileTypeID: "cpu"}))
	code(err, connect.CodeInvalidArgument, "a bad profile type")
	_, err = a.q.SelectMergeStacktraces(ctx, rq(&querierv1.SelectMergeStacktracesRequest{
		ProfileTypeID:      "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
		StackTraceSelector: &typesv1.StackTraceSelector{GoPgo: &typesv1.GoPGO{KeepLocations: 5}}}))
	code(err, connect.CodeUnimplemented, "a flame graph with go_pgo")
	soon, cancel := context.WithTimeout(ctx, time.Nanosecond)
	defer cancel()
	_, err = a.q.LabelNames(soon, rq(&typesv1.LabelNamesRequest{}))
	code(err, connect.CodeDeadlineExceeded, "a deadline")
	health, err := a.q.ProfileTypes(ctx, rq(&querierv1.ProfileTypesRequest{Start: 1000, End: 4000}))
	if a.fine(err, "how Grafana tests a data source") {
		a.check(len(health.Msg.ProfileTypes) == 0, "types of 1970")
	}
}

package main

import (
	"encoding/binary"
	"fmt"

	"github.com/google/pprof/profile"
	googlev1 "github.com/grafana/pyroscope/api/gen/proto/go/google/v1"
	querierv1 "github.com/grafana/pyroscope/api/gen/proto/go/querier/v1"
	"google.golang.org/protobuf/proto"
)

type bar struct {
	x, total int64
	path     string
}

// levels takes a flame graph apart; side 0 or 1 of one with `sides` sides.
func levels(names []string, list []*querierv1.Level, sides, side int) (map[string]node, error) {
	out := map[string]node{}
	var above []bar
	for depth, l := range list {
		var here []bar
		step := 3*sides + 1
		if len(l.Values)%step != 0 {
			return nil, fmt.Errorf("level %d has %d numbers", depth, len(l.Values))
		}
		var ends [2]int64
		for i := 0; i < len(l.Values); i += step {
			v := l.Values[i : i+step]
			x := ends[side] + v[3*side]
			total, self := v[3*side+1], v[3*side+2]
			ends[side] = x + total
			path := ""
			if depth > 0 {
				parent := find(above, x, total)
				if parent == nil {
					if total == 0 {
						continue // on the other side only: its place says nothing
					}
					return nil, fmt.Errorf("a bar of level %d is below none", depth)
				}
				path = parent.path + between + names[v[3*sides]]
			}
			n := out[path]
			out[path] = node{n.total + total, n.self + self}
			here = append(here, bar{x, total, path})
		}
		above = here
	}
	return out, nil
}

func find(bars []bar, x, total int64) *bar {
	for i := range bars {
		if x >= bars[i].x && x+total <= bars[i].x+bars[i].total && (total > 0 || bars[i].total > 0) {
			return &bars[i]
		}
	}
	return nil
}

// treeFormat takes the bytes of PROFILE_FORMAT_TREE apart.
func treeFormat(b []byte) (map[string]node, error) {
	out := map[string]node{}
	number := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			b = nil
			return 0
		}
		b = b[n:]
		return v
	}
	var read func(path string, root bool) int64
	read = func(path string, root bool) int64 {
		n := number()
		if n > uint64(len(b)) {
			b = nil
			return 0
		}
		name := string(b[:n])
		b = b[n:]
		self, children := int64(number()), number()
		if !root {
			path += between + name
		}
		total := self
		for i := uint64(0); i < children && b != nil; i++ {
			total += read(path, false)
		}
		was := out[path]
		out[path] = node{was.total + total, was.self + self}
		return total
	}
	read("", true)
	if len(b) != 0 {
		return nil, fmt.Errorf("%d bytes behind the tree", len(b))
	}
	return out, nil
}

// pprofTree checks a pprof and takes its stacks apart.
func pprofTree(p *googlev1.Profile) (map[string]node, *profile.Profile, error) {
	bytes, err := proto.Marshal(p)
	if err != nil {
		return nil, nil, err
	}
	parsed, err := profile.ParseUncompressed(bytes)
	if err != nil {
		return nil, nil, err
	}
	if err := parsed.CheckValid(); err != nil {
		return nil, nil, err
	}
	r := row{}
	for _, s := range parsed.Sample {
		st := stackOf(s)
		st.value = s.Value[0]
		r.stacks = append(r.stacks, st)
	}
	return tree([]row{r}, selection{}, true), parsed, nil
}

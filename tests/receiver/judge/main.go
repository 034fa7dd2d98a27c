// judge reads profiles with google/pprof's own code and says what is in them, so that ours need not be believed.
//
//	judge stacks FILE         root;...;leaf [values], sorted, equal stacks summed, each frame as name:line
//	judge merge FILE FILE...  the same of profile.Merge
//	judge diff AFTER BEFORE   the same of AFTER less BEFORE
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/google/pprof/profile"
)

func read(path string) *profile.Profile {
	f, err := os.Open(path)
	if err != nil {
		fail(err)
	}
	defer f.Close()
	p, err := profile.Parse(f) // checks validity, too
	if err != nil {
		fail(fmt.Errorf("%s: %w", path, err))
	}
	return p
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "judge:", err)
	os.Exit(1)
}

func stackOf(s *profile.Sample) string {
	var frames []string
	for i := len(s.Location) - 1; i >= 0; i-- {
		lines := s.Location[i].Line
		for k := len(lines) - 1; k >= 0; k-- {
			frames = append(frames, fmt.Sprintf("%s:%d", lines[k].Function.Name, uint32(lines[k].Line)))
		}
	}
	return strings.Join(frames, ";")
}

func print(p *profile.Profile) {
	sums := map[string][]int64{}
	for _, s := range p.Sample {
		stack := stackOf(s)
		if sums[stack] == nil {
			sums[stack] = make([]int64, len(s.Value))
		}
		for i, v := range s.Value {
			sums[stack][i] += v
		}
	}
	var stacks []string
	for stack, values := range sums {
		for _, v := range values {
			if v != 0 {
				stacks = append(stacks, stack)
				break
			}
		}
	}
	sort.Strings(stacks)
	for _, stack := range stacks {
		fmt.Println(stack, sums[stack])
	}
}

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: judge stacks|merge|diff FILE..."))
	}
	var profiles []*profile.Profile
	for _, path := range os.Args[2:] {
		profiles = append(profiles, read(path))
	}
	if os.Args[1] == "diff" {
		profiles[1].Scale(-1)
	}
	p, err := profile.Merge(profiles)
	if err != nil {
		fail(err)
	}
	print(p)
}

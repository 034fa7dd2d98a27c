// Profilecheck reads profiles as google/pprof does and says what it finds wrong: profilecheck FILE…
//
// Beyond Profile.CheckValid: what the samples' values are is named, locations have a function and a mapping, times are
// there, and a copy that google/pprof wrote says the same.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/google/pprof/profile"
)

func check(p *profile.Profile) error {
	if err := p.CheckValid(); err != nil {
		return err
	}
	if len(p.SampleType) == 0 || len(p.Sample) == 0 || len(p.Mapping) == 0 {
		return fmt.Errorf("no sample types, no samples or no mapping")
	}
	if p.TimeNanos <= 0 || p.DurationNanos <= 0 {
		return fmt.Errorf("no time: %d for %d ns", p.TimeNanos, p.DurationNanos)
	}
	for _, t := range append([]*profile.ValueType{p.PeriodType}, p.SampleType...) {
		if t == nil || t.Type == "" || t.Unit == "" {
			return fmt.Errorf("a value without type or unit")
		}
	}
	for _, m := range p.Mapping {
		if !m.HasFunctions {
			return fmt.Errorf("mapping %q would be symbolised", m.File)
		}
	}
	for _, l := range p.Location {
		if l.Mapping == nil || len(l.Line) != 1 || l.Line[0].Function == nil || l.Line[0].Function.Name == "" {
			return fmt.Errorf("location %d has no mapping or no function", l.ID)
		}
		if l.Line[0].Line < 0 {
			return fmt.Errorf("location %d is at line %d", l.ID, l.Line[0].Line)
		}
	}
	for _, s := range p.Sample {
		if len(s.Location) == 0 {
			return fmt.Errorf("a sample without a stack")
		}
		for _, v := range s.Value {
			if v < 0 {
				return fmt.Errorf("a sample of %d", v)
			}
		}
	}
	return copies(p)
}

// What google/pprof merges and writes it reads again, with the same sums.
func copies(p *profile.Profile) error {
	merged, err := profile.Merge([]*profile.Profile{p})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := merged.Write(&b); err != nil {
		return err
	}
	again, err := profile.ParseData(b.Bytes())
	if err != nil {
		return err
	}
	for i := range p.SampleType {
		if sum(p, i) != sum(again, i) {
			return fmt.Errorf("sums to %d, its copy to %d", sum(p, i), sum(again, i))
		}
	}
	return nil
}

func sum(p *profile.Profile, i int) (total int64) {
	for _, s := range p.Sample {
		total += s.Value[i]
	}
	return total
}

func main() {
	failed := len(os.Args) < 2
	for _, path := range os.Args[1:] {
		bytes, err := os.ReadFile(path)
		if err == nil {
			var p *profile.Profile
			if p, err = profile.ParseData(bytes); err == nil {
				err = check(p)
			}
		}
		if err != nil {
			fmt.Printf("%s: %v\n", path, err)
			failed = true
		}
	}
	fmt.Printf("  google/pprof read %d profiles\n", len(os.Args)-1)
	if failed {
		os.Exit(1)
	}
}

// jfr-parser converts recordings with github.com/grafana/jfr-parser, for bench/convert.py to compare with: lines in,
// lines out.
//
//	plain SECONDS FILE    converts the recording again and again; answers "ROUNDS CPU_SECONDS BYTES"
//	gzip SECONDS FILE     the same with every profile compressed
//
// CPU time is that of the whole process, collector included.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/grafana/jfr-parser/pprof"
)

func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func convert(recording []byte, compress bool) (int, error) {
	start := time.Unix(1706241880, 0)
	in := &pprof.ParseInput{StartTime: start, EndTime: start.Add(10 * time.Second), SampleRate: 100}
	profiles, err := pprof.ParseJFR(recording, in, nil)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, p := range profiles.Profiles {
		out, err := p.Profile.MarshalVT()
		if err != nil {
			return 0, err
		}
		if compress {
			var packed bytes.Buffer
			w, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
			w.Write(out)
			w.Close()
			out = packed.Bytes()
		}
		total += len(out)
	}
	return total, nil
}

func run(mode string, seconds float64, recording []byte) (string, error) {
	rounds, begin, took, size := 0, cpu(), 0.0, 0
	for took < seconds {
		var err error
		if size, err = convert(recording, mode == "gzip"); err != nil {
			return "", err
		}
		rounds++
		took = cpu() - begin
	}
	return fmt.Sprintf("%d %.6f %d", rounds, took, size), nil
}

func main() {
	recordings := map[string][]byte{}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var mode, path string
		var seconds float64
		if _, err := fmt.Sscan(lines.Text(), &mode, &seconds, &path); err != nil {
			fmt.Println("error:", err)
			continue
		}
		if recordings[path] == nil {
			bytes, err := os.ReadFile(path)
			if err != nil {
				fmt.Println("error:", err)
				continue
			}
			recordings = map[string][]byte{path: bytes}
		}
		answer, err := run(mode, seconds, recordings[path])
		if err != nil {
			fmt.Println("error:", err)
			continue
		}
		fmt.Println(answer)
	}
}

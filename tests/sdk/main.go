// Command sdk is a program with Pyroscope's SDK for Go: it computes, allocates, and waits for locks until its time is
// over, and prints how many seconds of CPU time it took.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/grafana/pyroscope-go"
)

var parcel []byte

func bake() {
	n := 0
	for i := range 1_000_000 {
		n += i % 7
	}
	parcel = make([]byte, 1<<16+n%2)
}

func guard(lock *sync.Mutex, end time.Time) {
	for time.Now().Before(end) {
		lock.Lock()
		time.Sleep(time.Millisecond)
		lock.Unlock()
	}
}

func main() {
	server := flag.String("server", "http://127.0.0.1:4040", "where to push")
	length := flag.Duration("duration", 3*time.Second, "")
	flag.Parse()
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	profiler, err := pyroscope.Start(pyroscope.Config{
		ApplicationName: "by-go",
		ServerAddress:   *server,
		Tags:            map[string]string{"region": "eu"},
		UploadRate:      time.Second,
		ProfileTypes: []pyroscope.ProfileType{
			pyroscope.ProfileCPU, pyroscope.ProfileAllocObjects, pyroscope.ProfileAllocSpace,
			pyroscope.ProfileInuseObjects, pyroscope.ProfileInuseSpace, pyroscope.ProfileGoroutines,
			pyroscope.ProfileMutexCount, pyroscope.ProfileMutexDuration,
			pyroscope.ProfileBlockCount, pyroscope.ProfileBlockDuration,
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	end := time.Now().Add(*length)
	var lock sync.Mutex
	for range 2 {
		go guard(&lock, end)
	}
	pyroscope.TagWrapper(context.Background(), pyroscope.Labels("step", "oven"), func(context.Context) {
		for time.Now().Before(end) {
			bake()
		}
	})
	if err := profiler.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds())
}

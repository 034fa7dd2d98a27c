// gateway is a Go program that burns CPU, allocates, and waits for a mutex and a channel, in functions that profiles
// can be searched for. Its pprof endpoints are those of the standard library.
//
//	gateway 127.0.0.1:6060
package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"sync"
	"time"
)

var (
	sink  []byte
	vault sync.Mutex
)

//go:noinline
func bake() (sum uint64) {
	for i := uint64(0); i < 3_000_000; i++ {
		sum += i * i
	}
	return sum
}

//go:noinline
func wrapParcel() {
	sink = make([]byte, 1<<20)
}

//go:noinline
func openVault() {
	vault.Lock()
	time.Sleep(time.Millisecond)
	vault.Unlock()
}

//go:noinline
func waitForMail(mail <-chan int) {
	<-mail
}

func main() {
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	mail := make(chan int)
	go func() {
		for {
			bake()
			time.Sleep(10 * time.Millisecond)
		}
	}()
	go func() {
		for {
			wrapParcel()
			time.Sleep(10 * time.Millisecond)
			mail <- 1
		}
	}()
	go func() {
		for {
			waitForMail(mail)
		}
	}()
	for range 2 {
		go func() {
			for {
				openVault()
			}
		}()
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	fmt.Fprintln(os.Stderr, http.Serve(listener, nil))
}

// front terminates TLS in front of a receiver, as a proxy of the field does, and speaks HTTP/2 frame by frame, so that
// a test can have it do what servers are allowed to do, and what broken ones do.
//
//	front --listen 127.0.0.1:4443 --to http://127.0.0.1:4040 --control 127.0.0.1:4444 --cert FILE
//
// FILE gets its certificate. On the control address:
//
//	GET  /stats   requests by protocol, connections, PINGs that were answered
//	POST /behave  ?mode=stall: what to do with the next request, once:
//	              goaway    gives the connection up without having looked at the request (GOAWAY)
//	              farewell  answers, and gives the connection up: GOAWAY, and it stays open; HTTP/1.1: closes it
//	              refuse    resets the stream (REFUSED_STREAM)
//	              ping      answers once the client has answered a PING
//	              reset     resets the connection
//	              stall     says nothing on this connection any more, and does not close it
//	              drip      answers one byte at a time, so that the client takes its time
package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

type front struct {
	to   string
	mu   sync.Mutex
	mode string
	seen map[string]int
}

func max(a, b uint32) uint32 {
	if a > b {
		return a
	}
	return b
}

func (f *front) count(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[what]++
}

// take returns what to do with this request.
func (f *front) take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	mode := f.mode
	f.mode = ""
	return mode
}

// pass sends a request on to the receiver.
func (f *front) pass(method, path string, header http.Header, body []byte) (*http.Response, []byte, error) {
	request, err := http.NewRequest(method, f.to+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	request.Header = header
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response, answer, err
}

// reset makes the kernel answer with RST from now on.
func reset(conn *tls.Conn) error {
	if err := conn.NetConn().(*net.TCPConn).SetLinger(0); err != nil {
		return err
	}
	return conn.NetConn().Close()
}

func (f *front) serveHTTP1(conn *tls.Conn) error {
	reader := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return err
		}
		f.count("http1")
		mode := f.take()
		if mode == "stall" {
			select {}
		}
		if mode == "reset" {
			return reset(conn)
		}
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return err
		}
		response, answer, err := f.pass(request.Method, request.RequestURI, request.Header, body)
		if err != nil {
			return err
		}
		response.Body = io.NopCloser(bytes.NewReader(answer))
		response.ContentLength = int64(len(answer))
		var out bytes.Buffer
		if err := response.Write(&out); err != nil {
			return err
		}
		pieces := [][]byte{out.Bytes()}
		if mode == "drip" {
			pieces = bytes.SplitAfter(out.Bytes(), nil)
		}
		for _, piece := range pieces {
			if _, err := conn.Write(piece); err != nil {
				return err
			}
			if mode == "drip" {
				time.Sleep(5 * time.Millisecond)
			}
		}
		if mode == "farewell" {
			return nil
		}
	}
}

type stream struct {
	method, path string
	header       http.Header
	body         bytes.Buffer
	mode         string
}

// http2Conn is one connection; its frames are read and written by one goroutine.
type http2Conn struct {
	front   *front
	conn    *tls.Conn
	framer  *http2.Framer
	streams map[uint32]*stream
	pinged  uint32 // the stream that waits for the answer to a PING; 0 = none
	isOver  bool   // a GOAWAY was sent
}

func (c *http2Conn) begin(h *http2.MetaHeadersFrame) error {
	if c.isOver { // sent before the GOAWAY arrived; the client knows that nobody looks at it
		return nil
	}
	c.front.count("http2")
	s := &stream{header: http.Header{}, mode: c.front.take()}
	for _, field := range h.Fields {
		switch {
		case field.Name == ":method":
			s.method = field.Value
		case field.Name == ":path":
			s.path = field.Value
		case !strings.HasPrefix(field.Name, ":"):
			s.header.Add(field.Name, field.Value)
		}
	}
	c.streams[h.StreamID] = s
	switch s.mode {
	case "stall":
		select {}
	case "reset":
		return reset(c.conn)
	case "goaway":
		c.isOver = true
		delete(c.streams, h.StreamID)
		return c.framer.WriteGoAway(max(h.StreamID, 2)-2, http2.ErrCodeNo, nil)
	case "refuse":
		delete(c.streams, h.StreamID)
		return c.framer.WriteRSTStream(h.StreamID, http2.ErrCodeRefusedStream)
	}
	if h.StreamEnded() {
		return c.end(h.StreamID)
	}
	return nil
}

func (c *http2Conn) data(d *http2.DataFrame) error {
	if n := uint32(len(d.Data())); n > 0 {
		if err := c.framer.WriteWindowUpdate(0, n); err != nil {
			return err
		}
		if s := c.streams[d.StreamID]; s != nil {
			s.body.Write(d.Data())
			if err := c.framer.WriteWindowUpdate(d.StreamID, n); err != nil {
				return err
			}
		}
	}
	if d.StreamEnded() && c.streams[d.StreamID] != nil {
		return c.end(d.StreamID)
	}
	return nil
}

func (c *http2Conn) end(id uint32) error {
	if c.streams[id].mode == "ping" {
		c.pinged = id
		return c.framer.WritePing(false, [8]byte{'f', 'r', 'o', 'n', 't'})
	}
	return c.answer(id)
}

func (c *http2Conn) answer(id uint32) error {
	s := c.streams[id]
	delete(c.streams, id)
	response, answer, err := c.front.pass(s.method, s.path, s.header, s.body.Bytes())
	if err != nil {
		return err
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	fields := []hpack.HeaderField{{Name: ":status", Value: fmt.Sprint(response.StatusCode)}}
	for name, values := range response.Header {
		for _, value := range values {
			fields = append(fields, hpack.HeaderField{Name: strings.ToLower(name), Value: value})
		}
	}
	for _, field := range fields {
		if err := encoder.WriteField(field); err != nil {
			return err
		}
	}
	headers := http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true}
	if err := c.framer.WriteHeaders(headers); err != nil {
		return err
	}
	for s.mode == "drip" && len(answer) > 1 {
		if err := c.framer.WriteData(id, false, answer[:1]); err != nil {
			return err
		}
		answer = answer[1:]
	}
	if err := c.framer.WriteData(id, true, answer); err != nil {
		return err
	}
	if s.mode == "farewell" {
		c.isOver = true
		return c.framer.WriteGoAway(id, http2.ErrCodeNo, nil)
	}
	return nil
}

func (c *http2Conn) ping(p *http2.PingFrame) error {
	if !p.IsAck() {
		return c.framer.WritePing(true, p.Data)
	}
	c.front.count("pings")
	id := c.pinged
	c.pinged = 0
	if c.streams[id] == nil {
		return nil
	}
	return c.answer(id)
}

func (f *front) serveHTTP2(conn *tls.Conn) error {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return err
	}
	c := &http2Conn{front: f, conn: conn, framer: http2.NewFramer(conn, conn), streams: map[uint32]*stream{}}
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := c.framer.WriteSettings(); err != nil {
		return err
	}
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return err
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			err = c.begin(frame)
		case *http2.DataFrame:
			err = c.data(frame)
		case *http2.PingFrame:
			err = c.ping(frame)
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				err = c.framer.WriteSettingsAck()
			}
		}
		if err != nil {
			return err
		}
	}
}

func (f *front) serve(conn *tls.Conn) {
	defer conn.Close()
	f.count("connections")
	err := conn.Handshake()
	if err == nil && conn.ConnectionState().NegotiatedProtocol == "h2" {
		err = f.serveHTTP2(conn)
	} else if err == nil {
		err = f.serveHTTP1(conn)
	}
	if err != nil && err != io.EOF {
		log.Println("connection:", err)
	}
}

// certificate makes one for 127.0.0.1, in memory and, for clients, in a file.
func certificate(path string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotBefore:             time.Now().Add(-60 * 24 * time.Hour),
		NotAfter:              time.Now().Add(60 * 24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, os.WriteFile(path, text, 0o644)
}

func (f *front) control(address string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/stats", func(w http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if err := json.NewEncoder(w).Encode(f.seen); err != nil {
			log.Println(err)
		}
	})
	mux.HandleFunc("/behave", func(_ http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.mode = r.URL.Query().Get("mode")
	})
	listener, err := net.Listen("tcp", address)
	if err == nil {
		go func() { log.Fatal(http.Serve(listener, mux)) }()
	}
	return err
}

func main() {
	listen := flag.String("listen", "127.0.0.1:4443", "where to accept connections")
	to := flag.String("to", "http://127.0.0.1:4040", "the receiver")
	control := flag.String("control", "127.0.0.1:4444", "where to be told what to do")
	cert := flag.String("cert", "cert.pem", "gets the certificate")
	flag.Parse()
	f := &front{to: *to, seen: map[string]int{}}
	own, err := certificate(*cert)
	if err != nil {
		log.Fatal(err)
	}
	if err := f.control(*control); err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{own}, NextProtos: []string{"h2", "http/1.1"}}
	listener, err := tls.Listen("tcp", *listen, config)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", listener.Addr())
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go f.serve(conn.(*tls.Conn))
	}
}

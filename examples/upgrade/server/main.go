//go:build unix

// This program is a server with a plugin, and replaces itself while both go on: on SIGHUP it starts
// the program at its own path, which may be a newer one, and hands its listener and its plugin over.
// A client sends a name in a line for each connection, and gets a greeting.
//
//	server [-listen ADDRESS] PLUGIN
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/examples/hello"
	hellov1 "github.com/jackfield-go/jackfield/examples/proto/hello/v1"
)

// release is set by the linker: go build -ldflags "-X main.release=2".
var release = "1"

var (
	address   = flag.String("listen", "127.0.0.1:0", "`address` to listen on")
	successor = flag.Bool("successor", false, "take over from the parent process")
)

// A successor's files from its predecessor, beside its standard input with the plugin.
const (
	listenerFile = 3
	readyFile    = 4 // closed, after a byte, when the successor serves
)

func main() {
	flag.Parse()
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	begin := launch
	if *successor {
		begin = takeOver
	}
	s, err := begin(ctx, host.Config{
		Handshake: hello.Handshake,
		Versions:  hello.Versions,
		Command:   lasting(flag.Arg(0)),
		AutoMTLS:  host.MTLSRequired,
	})
	if err != nil {
		return err
	}
	return s.serve(ctx)
}

// lasting is the command of a plugin that outlives this process.
func lasting(path string) host.Cmd {
	command := host.Command(path)
	command.Outlive = true
	return command
}

// server answers with the plugin.
type server struct {
	listener *net.TCPListener
	plugin   *host.Client
	greeter  hellov1.HelloServiceClient
	calls    sync.WaitGroup
}

// launch begins as the first server.
func launch(ctx context.Context, cfg host.Config) (*server, error) {
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return nil, err
	}
	client, err := host.Launch(ctx, cfg)
	if err != nil {
		return nil, err
	}
	fmt.Println("listening at", listener.Addr())
	return newServer(ctx, listener, client)
}

func newServer(ctx context.Context, listener net.Listener, client *host.Client) (*server, error) {
	greeter, err := host.Dispense(ctx, client, hello.Plugin)
	if err != nil {
		return nil, err
	}
	tcp, ok := listener.(*net.TCPListener)
	if !ok {
		return nil, fmt.Errorf("a %T cannot be handed over", listener)
	}
	return &server{listener: tcp, plugin: client, greeter: greeter}, nil
}

// takeOver begins as a successor: the plugin's data, secret included, comes through a pipe.
func takeOver(ctx context.Context, cfg host.Config) (*server, error) {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, err
	}
	plugins, err := handshake.ParseReattach(string(text))
	if err != nil {
		return nil, err
	}
	client, err := host.Attach(ctx, cfg, plugins["greeter"])
	if err != nil {
		return nil, err
	}
	inherited := os.NewFile(listenerFile, "listener")
	defer inherited.Close()
	listener, err := net.FileListener(inherited)
	if err != nil {
		return nil, err
	}
	s, err := newServer(ctx, listener, client)
	if err != nil {
		return nil, err
	}
	ready := os.NewFile(readyFile, "ready")
	defer ready.Close()
	_, err = ready.Write([]byte{'\n'})
	return s, err
}

// serve answers clients until a signal ends it, or a successor has taken over.
func (s *server) serve(ctx context.Context) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM, os.Interrupt)
	for {
		accepted := make(chan error, 1)
		go func() { accepted <- s.accept(ctx) }()
		var end os.Signal
		select {
		case err := <-accepted:
			return err
		case end = <-signals:
		}
		_ = s.listener.SetDeadline(time.Now()) // later clients wait in the system's queue
		if err := <-accepted; !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if end != syscall.SIGHUP {
			s.calls.Wait()
			return s.plugin.Close()
		}
		err := s.replace(ctx)
		if err == nil {
			s.calls.Wait()
			return s.plugin.Detach()
		}
		fmt.Fprintln(os.Stderr, "server: the successor did not take over:", err)
		if err := s.resume(); err != nil {
			return err
		}
	}
}

// accept serves clients until the listener's deadline.
func (s *server) accept(ctx context.Context) error {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return err
		}
		s.calls.Go(func() {
			defer conn.Close()
			if err := s.answer(ctx, conn); err != nil {
				fmt.Fprintln(os.Stderr, "server:", err)
			}
		})
	}
}

func (s *server) answer(ctx context.Context, conn net.Conn) error {
	name, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	response, err := s.greeter.Greet(ctx, &hellov1.GreetRequest{Name: strings.TrimSpace(name)})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conn, "%s (plugin %s, release %s, server %d)\n", response.GetText(), s.plugin.ID(), release, os.Getpid())
	return err
}

// replace starts a successor, and returns when it serves.
func (s *server) replace(ctx context.Context) error {
	data, err := s.plugin.Reattach()
	if err != nil {
		return err
	}
	text, err := handshake.FormatReattachSecrets(map[string]handshake.Reattach{"greeter": data})
	if err != nil {
		return err
	}
	listener, err := s.listener.File()
	if err != nil {
		return err
	}
	defer listener.Close()
	ready, told, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	cmd := exec.CommandContext(ctx, os.Args[0], "-successor", flag.Arg(0))
	cmd.Stdin = strings.NewReader(text)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{listener, told} // listenerFile, readyFile
	err = cmd.Start()
	told.Close()
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(ready, make([]byte, 1)); err != nil { // it has ended
		return errors.Join(err, cmd.Wait())
	}
	return nil
}

// resume accepts clients again.
func (s *server) resume() error {
	conn, err := s.listener.SyscallConn()
	if err != nil {
		return err
	}
	// Handing a file to another process has made it blocking for both.
	if err := conn.Control(func(fd uintptr) { err = syscall.SetNonblock(int(fd), true) }); err != nil {
		return err
	}
	return errors.Join(err, s.listener.SetDeadline(time.Time{}))
}

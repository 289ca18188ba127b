//go:build unix

package host_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/internal/serving"
	"github.com/jackfield-go/jackfield/core/runner"
)

func init() {
	roles["without locks"] = serveWithoutLocks
	roles["host with a runner of its own"] = actHostWithRunner
}

// serveWithoutLocks is a plugin in the host's directory that holds nothing there, as
// those of other libraries.
func serveWithoutLocks(string) int {
	listener, err := net.Listen("unix", filepath.Join(os.Getenv(handshake.EnvSocketDir), "plugin"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	link := core.PluginLink{Logger: slog.New(slog.DiscardHandler), Stdout: strings.NewReader(""), Stderr: strings.NewReader("")}
	server, err := serving.New(context.Background(), &faketransport.Transport{Objects: objects}, link,
		serving.Config{Timeout: time.Second, Leave: func(context.Context) {}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Printf("1|1|unix|%s|%s\n", listener.Addr(), faketransport.Protocol)
	if err := server.Serve(listener); err != nil {
		return 1
	}
	return 0
}

// unknown is a runner of which nothing is known, not even what its ID means.
type unknown struct{ runner.Runner }

// actHostWithRunner launches a plugin without locks, with its sockets in base, and
// waits to be killed.
func actHostWithRunner(base string) int {
	return hostUntilKilled(base, "without locks", func(c runner.Command) (runner.Runner, error) {
		return unknown{runner.NewProcess(c)}, nil
	})
}

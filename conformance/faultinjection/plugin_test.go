//go:build unix

package faultinjection

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/probeplugin"
	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	grpcplugin "github.com/jackfield-go/jackfield/conformance/goplugingrpc/probeplugin"
	ourgrpc "github.com/jackfield-go/jackfield/conformance/grpc/ourprobe"
	ournetrpc "github.com/jackfield-go/jackfield/conformance/netrpc/ourprobe"
	"github.com/jackfield-go/jackfield/core/plugin"
)

// roleVariable makes the test binary a plugin. Its value is a role.
const roleVariable = "JACKFIELD_FAULTINJECTION"

// exitBadRole is the exit status of an impossible role.
const exitBadRole = 90

// role is the part of a plugin's process.
type role struct {
	Library, Transport string
	Stage              stage
	// Control is the socket at which the process takes orders.
	Control string
}

// These are the orders to a plugin.
const (
	orderGo           = "go"
	orderPanic        = "panic"
	orderExit         = "exit"
	orderClosePipes   = "close pipes"
	orderCloseSockets = "close sockets"
	orderNoFiles      = "no files"
	orderFiles        = "files"
	orderGrandchild   = "grandchild"
)

// These are the reports of a plugin.
const (
	reportBegin    = "begin " // and the ID of the process
	reportStopping = "stopping"
	reportDone     = "done"
	reportChild    = "child " // and the ID of the grandchild
)

const (
	panicText  = "an injected panic"
	exitStatus = 3
)

// TestMain runs the tests, or serves a plugin if a test started this process.
func TestMain(m *testing.M) {
	text := os.Getenv(roleVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	var r role
	err := json.Unmarshal([]byte(text), &r)
	if err == nil {
		err = r.play()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the role:", err)
		os.Exit(exitBadRole)
	}
}

// play is the main function of the plugins.
func (r role) play() error {
	conn, err := net.Dial("unix", r.Control)
	if err != nil {
		return err
	}
	o := &obedient{conn: conn.(*net.UnixConn), released: make(chan struct{})}
	o.report(reportBegin + strconv.Itoa(os.Getpid()))
	go o.obey()
	if r.Stage == beforeLine {
		<-o.released
	}
	r.serve()
	if r.Stage == stopping {
		o.report(reportStopping)
		<-o.released
	}
	return nil
}

func (r role) serve() {
	version, overNetRPC := shared.Versions{Numbers: []int{1}}, r.Transport == netRPC
	switch {
	case r.Library == ours && overNetRPC:
		plugin.Serve(ournetrpc.PluginConfig(version))
	case r.Library == ours:
		plugin.Serve(ourgrpc.PluginConfig(version))
	case overNetRPC:
		goplugin.Serve(probeplugin.Serve(version))
	default:
		goplugin.Serve(grpcplugin.Serve(version))
	}
}

// obedient carries out a test's orders.
type obedient struct {
	conn     *net.UnixConn
	released chan struct{}
	files    syscall.Rlimit
}

func (o *obedient) report(text string) { _, _ = fmt.Fprintln(o.conn, text) }

// obey carries out the orders to the end of the test, which is the end of the process too.
func (o *obedient) obey() {
	orders := bufio.NewScanner(o.conn)
	for orders.Scan() {
		answer, err := o.do(orders.Text())
		if err != nil {
			answer = err.Error()
		}
		o.report(answer)
	}
	os.Exit(exitBadRole)
}

func (o *obedient) do(order string) (answer string, err error) {
	answer = reportDone
	switch order {
	case orderGo:
		close(o.released)
	case orderPanic:
		panic(panicText)
	case orderExit:
		os.Exit(exitStatus)
	case orderClosePipes:
		err = o.close(syscall.S_IFIFO)
	case orderCloseSockets:
		err = o.close(syscall.S_IFSOCK)
	case orderNoFiles:
		if err = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &o.files); err == nil {
			err = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Max: o.files.Max})
		}
	case orderFiles:
		err = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &o.files)
	case orderGrandchild:
		answer, err = grandchild()
	default:
		err = fmt.Errorf("no order %q", order)
	}
	return answer, err
}

// close closes all open descriptors of a kind behind the back of their owners, except the
// connection to the test.
func (o *obedient) close(kind int) error {
	raw, err := o.conn.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(own uintptr) {
		for _, fd := range descriptors(kind) {
			if fd != int(own) {
				_ = syscall.Close(fd)
			}
		}
	})
}

// descriptors returns the open descriptors of a kind.
func descriptors(kind int) (found []int) {
	const most = 1024
	for fd := range most {
		var stat syscall.Stat_t
		if syscall.Fstat(fd, &stat) == nil && int(stat.Mode)&syscall.S_IFMT == kind {
			found = append(found, fd)
		}
	}
	return found
}

// grandchild starts a process with all the pipes of this one, and returns its ID.
func grandchild() (string, error) {
	command := exec.Command("sleep", "600") // the test ends it
	for _, fd := range descriptors(syscall.S_IFIFO) {
		held, err := syscall.Dup(fd)
		if err != nil {
			return "", err
		}
		command.ExtraFiles = append(command.ExtraFiles, os.NewFile(uintptr(held), "pipe"))
	}
	if err := command.Start(); err != nil {
		return "", err
	}
	return reportChild + strconv.Itoa(command.Process.Pid), nil
}

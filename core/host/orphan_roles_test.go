//go:build unix

package host_test

import (
	"context"
	"fmt"
	"io"
	stdlog "log"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugin"
)

func init() {
	roles["dying host"] = actDyingHost
	roles["orphan"] = func(pipe string) int { return serveOrphan(pipe, 20_000) } // a pipe has room for less
	roles["slow orphan"] = serveSlowOrphan
	roles["orphan with a family"] = serveFamily
	roles["lasting"] = func(pipe string) int { return serveOrphan(pipe, 1) }
	roles["foreign"] = serveForeign
	roles["heedless"] = beHeedless
	objects["spawn heedless"] = spawnHeedless
}

// deaths are the ways in which a host ends without Close.
var deaths = map[string]func(){
	"SIGKILL":                func() { signalSelf(syscall.SIGKILL) },
	"SIGTERM":                func() { signalSelf(syscall.SIGTERM) },
	"SIGINT":                 func() { signalSelf(syscall.SIGINT) },
	"SIGHUP":                 func() { signalSelf(syscall.SIGHUP) },
	"a closed pipe":          writeToClosedPipe,
	"os.Exit":                func() { os.Exit(3) },
	"log.Fatal":              func() { stdlog.Fatal("nothing works") },
	"a panic in a goroutine": func() { go panic("out of tea") },
	"a fatal error":          func() { runtimeThrow() },
}

// wraps are what may stand between a host and its plugin.
var wraps = map[string]func(*host.Cmd){
	"nothing": func(*host.Cmd) {},
	"a shell": func(c *host.Cmd) {
		c.Args = []string{"-c", `"$0"; exit $?`, c.Path}
		c.Path = "/bin/sh"
	},
	"a shell in the background": func(c *host.Cmd) {
		c.Args = []string{"-c", `trap "" TERM; "$0" & wait`, c.Path}
		c.Path = "/bin/sh"
	},
}

func signalSelf(sig syscall.Signal) { _ = syscall.Kill(os.Getpid(), sig) }

// writeToClosedPipe prints until SIGPIPE ends this process: the test has closed its end.
func writeToClosedPipe() {
	for {
		fmt.Println("more")
	}
}

func runtimeThrow() { _, _ = objects["throw"](context.Background(), "") }

// actDyingHost launches a plugin, says its PID, and dies when a line comes on its stdin. The argument
// has the death, the plugin's role, the plugin's argument, the directory for sockets, and the wrap.
func actDyingHost(argument string) int {
	parts := strings.Split(argument, "\n")
	command := host.Command(os.Args[0])
	command.Env = []string{roleVariable + "=" + parts[1], argumentVariable + "=" + parts[2]}
	command.Group = parts[1] == "orphan with a family"
	command.Outlive = parts[1] == "lasting"
	wraps[parts[4]](&command)
	client, err := host.Launch(context.Background(), host.Config{
		Handshake: cookie,
		Versions:  faketransport.Versions(new(faketransport.Transport), 1),
		Command:   command,
		Sockets:   host.Sockets{Dirs: []string{parts[3]}},
	})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(client.ID())
	_, _ = io.ReadFull(os.Stdin, make([]byte, 1))
	deaths[parts[0]]()
	time.Sleep(hang)
	return 0
}

// openWitness opens the pipe that the test reads: it ends with the last process that has it.
func openWitness(path string) *os.File {
	pipe, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return pipe
}

// serveOrphan serves, and reports its end to the pipe after its last words, which nobody reads.
func serveOrphan(path string, words int) int {
	pipe := openWitness(path)
	plugin.Serve(plugin.Config{
		Handshake: cookie,
		Versions:  faketransport.Versions(&faketransport.Transport{Objects: objects}, 1),
		Outlive:   true, // where the host permits it
		OnShutdown: []func(context.Context){func(context.Context) {
			fmt.Print(strings.Repeat("a last word\n", words))
			fmt.Fprint(os.Stderr, strings.Repeat("a last word\n", words))
			fmt.Fprint(log, strings.Repeat("a last line\n", words))
			fmt.Fprintln(pipe, "hooks ran")
		}},
	})
	fmt.Println("after Serve")
	fmt.Fprintln(pipe, "main ended")
	return 0
}

// serveSlowOrphan has a shutdown function that does not return.
func serveSlowOrphan(path string) int {
	openWitness(path)
	plugin.Serve(plugin.Config{
		Handshake:       cookie,
		Versions:        faketransport.Versions(&faketransport.Transport{Objects: objects}, 1),
		ShutdownTimeout: hang,
		OnShutdown:      []func(context.Context){func(context.Context) { time.Sleep(hang) }},
	})
	return 0
}

// serveFamily is an orphan whose child holds the pipe, and ignores SIGTERM.
func serveFamily(path string) int {
	if _, err := spawnHeedless(context.Background(), path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return serveOrphan(path, 1)
}

// spawnHeedless starts a child that ignores SIGTERM and holds the pipe.
func spawnHeedless(_ context.Context, path string) (string, error) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), roleVariable+"=heedless", argumentVariable+"="+path)
	ready, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err == nil {
		_, err = io.ReadFull(ready, make([]byte, 1))
	}
	return "", err
}

func beHeedless(path string) int {
	signal.Ignore(syscall.SIGTERM)
	openWitness(path)
	fmt.Print("x")
	time.Sleep(hang)
	return 0
}

// serveForeign knows nothing of lifelines, as plugins of other libraries and languages.
func serveForeign(path string) int {
	openWitness(path)
	return serveWithoutLocks("")
}

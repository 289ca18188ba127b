package host_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugin"
)

var roles = map[string]func(argument string) int{
	"serve":    serve,
	"versions": serveVersions,
	"about":    serveAbout,
	"silent":   serveSilent,
	"saying":   serveSaying,
	"bare":     serveBare,
	"stubborn": serveStubborn,
	"leave":    serveAndLeave,
	"exit":     exitWith,
	"print":    printAndExit,
	"chatter":  chatter,
	"hang":     func(string) int { time.Sleep(hang); return 0 },
	"printed":  func(text string) int { fmt.Print(text); time.Sleep(hang); return 0 },
	"misprint": func(text string) int { fmt.Fprint(os.Stderr, text); time.Sleep(hang); return 0 },
	"closed":   func(string) int { _ = os.Stdout.Close(); time.Sleep(hang); return 0 },
	"dies":     func(string) int { return dieBySignal() },
	"noanswer": noAnswer,
}

// log is where log lines go while the plugin is served.
var log = os.Stderr

var objects = map[string]faketransport.Object{
	"echo": func(_ context.Context, text string) (string, error) { return text, nil },
	"getenv": func(_ context.Context, key string) (string, error) {
		value, ok := serveEnvironment[key]
		return fmt.Sprintf("%s %t", value, ok), nil
	},
	"stdin": func(context.Context, string) (string, error) {
		text, err := io.ReadAll(os.Stdin)
		return string(text), err
	},
	"print": func(_ context.Context, text string) (string, error) {
		fmt.Print(text)
		fmt.Fprint(os.Stderr, text)
		return "", nil
	},
	"log": func(_ context.Context, text string) (string, error) {
		_, err := io.WriteString(log, text)
		return "", err
	},
	"flood": func(_ context.Context, bytes string) (string, error) {
		n, err := strconv.Atoi(bytes)
		if err != nil {
			return "", err
		}
		_, err = os.Stdout.Write(make([]byte, n))
		return "", err
	},
	"exit": func(_ context.Context, status string) (string, error) {
		os.Exit(exitWith(status))
		return "", nil
	},
	"panic": func(_ context.Context, text string) (string, error) {
		go panic(text)
		select {}
	},
	"overflow": func(context.Context, string) (string, error) {
		debug.SetMaxStack(64 << 20)
		var recurse func(n int) int
		recurse = func(n int) int { return recurse(n+1) + 1 }
		return strconv.Itoa(recurse(0)), nil
	},
	"throw": func(context.Context, string) (string, error) {
		mutex := new(sync.Mutex)
		mutex.Unlock() // a fatal error, which nothing recovers
		return "", nil
	},
	"segv":  func(context.Context, string) (string, error) { raiseSegmentationFault(); select {} },
	"wait":  func(ctx context.Context, _ string) (string, error) { <-ctx.Done(); return "", ctx.Err() },
	"spawn": spawn,
	"nest":  nest,
}

// startedWith is the environment before Serve takes its part out, as the main function
// of a plugin copies it that is a host too.
var startedWith = os.Environ()

// nest is a host in a plugin: it launches one with the environment that it copied
// before it served, and asks that for a variable.
func nest(ctx context.Context, key string) (string, error) {
	command := host.Command(os.Args[0])
	command.Env = append(slices.Clone(startedWith), roleVariable+"=serve")
	client, err := host.Launch(ctx, host.Config{
		Handshake: cookie,
		Versions:  faketransport.Versions(new(faketransport.Transport), 1),
		Command:   command,
	})
	if err != nil {
		return "", err
	}
	defer client.Close()
	return tryCall(ctx, client, "getenv", key)
}

// serveEnvironment is the environment before Serve takes its part out.
var serveEnvironment = func() map[string]string {
	environment := make(map[string]string)
	for _, variable := range os.Environ() {
		key, value, _ := strings.Cut(variable, "=")
		environment[key] = value
	}
	return environment
}()

func serve(string) int {
	transport := &faketransport.Transport{
		Objects: maps.Clone(objects),
		Seen:    func(link core.PluginLink) { links <- link },
	}
	transport.Objects["answer once"] = answerOnce
	plugin.Serve(plugin.Config{
		Handshake: cookie,
		Versions:  faketransport.Versions(transport, 1),
		Outlive:   true, // where the host permits it
	})
	return 0
}

// links has the link of the plugin served by this process.
var links = make(chan core.PluginLink, 1)

// answerOnce makes a socket, as a transport's broker does, and answers at it.
func answerOnce(ctx context.Context, text string) (string, error) {
	link := <-links
	links <- link
	listener, err := link.Listen(ctx)
	if err != nil {
		return "", err
	}
	go func() {
		defer listener.Close()
		if conn, err := listener.Accept(); err == nil {
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	}()
	return listener.AnnounceAddress, nil
}

// serveAndLeave ends with the status in its argument.
func serveAndLeave(status string) int {
	serve("")
	return exitWith(status)
}

// serveVersions serves the versions in its argument.
func serveVersions(list string) int {
	plugin.Serve(plugin.Config{
		Handshake: cookie,
		Versions:  faketransport.Versions(&faketransport.Transport{Objects: objects}, handshake.ParseVersions(list)...),
	})
	return 0
}

// serveStubborn does not leave when it is asked.
func serveStubborn(string) int {
	plugin.Serve(plugin.Config{
		Handshake:       cookie,
		Versions:        faketransport.Versions(&faketransport.Transport{Objects: objects}, 1),
		ShutdownTimeout: hang,
		OnShutdown: []func(context.Context){func(ctx context.Context) {
			fmt.Fprintln(log, "asked to leave")
			<-ctx.Done()
		}},
	})
	return 0
}

// serveAbout serves with the version in its argument, and after a space a requirement.
func serveAbout(argument string) int {
	version, required, _ := strings.Cut(argument, " ")
	plugin.Serve(plugin.Config{
		Handshake:   cookie,
		Versions:    faketransport.Versions(&faketransport.Transport{Objects: objects}, 1),
		Info:        plugin.Info{Version: version, Build: "a|b"},
		RequireHost: required,
	})
	return 0
}

// serveSaying serves, and announces the fields in its argument.
func serveSaying(fields string) int {
	_ = os.Unsetenv(handshake.EnvFields)
	extra := append([]string{""}, strings.Split(fields, "|")...)
	plugin.Serve(plugin.Config{
		Handshake: cookie,
		Versions:  faketransport.Versions(&faketransport.Transport{Objects: objects, Extra: extra}, 1),
	})
	return 0
}

// serveSilent serves as plugins on go-plugin do: it says nothing of itself.
func serveSilent(string) int {
	_ = os.Unsetenv(handshake.EnvFields)
	return serve("")
}

// serveBare serves without taking stdout over, as plugins in other languages do.
func serveBare(string) int {
	stdout, _, _ := os.Pipe()
	stderr, _, _ := os.Pipe()
	err := plugin.Run(context.Background(), plugin.Env{
		Lookup:    os.LookupEnv,
		Unset:     func(string) {},
		Announce:  os.Stdout,
		Log:       os.Stderr,
		Stdout:    stdout,
		Stderr:    stderr,
		EndOutput: func() { _ = stdout.Close(); _ = stderr.Close() },
	}, plugin.Config{
		Handshake: cookie,
		Versions:  faketransport.Versions(&faketransport.Transport{Objects: objects}, 1),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// exitWith leaves a last word.
func exitWith(status string) int {
	fmt.Fprintln(log, "cannot read \"config.toml\"")
	code, _ := strconv.Atoi(status)
	return code
}

// printAndExit prints its argument.
func printAndExit(text string) int {
	fmt.Print(text)
	return 0
}

// chatter prints without end.
func chatter(line string) int {
	out := bufio.NewWriter(os.Stdout)
	for {
		if _, err := out.WriteString(line); err != nil {
			return 1
		}
	}
}

// noAnswer announces a socket that never answers.
func noAnswer(string) int {
	listener, err := net.Listen("unix", filepath.Join(os.Getenv(handshake.EnvSocketDir), "s"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Printf("1|1|unix|%s|%s|\n", listener.Addr(), faketransport.Protocol)
	time.Sleep(hang)
	return 0
}

// spawn starts a process with the plugin's stderr, to outlive the plugin.
func spawn(context.Context, string) (string, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"=hang")
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return "", err
	}
	return strconv.Itoa(cmd.Process.Pid), nil
}

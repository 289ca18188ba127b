//go:build unix

package host_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/runner"
)

func init() {
	roles["stranger"] = actStranger
	roles["substitute"] = actSubstitute
	roles["listen"] = actListen
	roles["host"] = actHost
}

// actStranger is another user's process that speaks as a host does.
func actStranger(path string) int {
	conn, err := net.Dial("unix", path)
	if err != nil {
		fmt.Print(err)
		return 0
	}
	_, _ = io.WriteString(conn, "control\n1 ping\n")
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		fmt.Print("closed")
		return 0
	}
	fmt.Print("answered ", answer, err)
	return 0
}

// actSubstitute is a plugin that announces the socket of another user's process.
func actSubstitute(base string) int {
	path := filepath.Join(base, "s"+strconv.Itoa(os.Getpid()))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"=listen", argumentVariable+"="+path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
	stdin, err := cmd.StdinPipe() // ends with this process, and the child with it
	if err != nil {
		return 1
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, _ = bufio.NewReader(stdout).ReadString('\n')
	fmt.Printf("1|1|unix|%s|%s|\n", path, faketransport.Protocol)
	time.Sleep(hang)
	return 0
}

// actListen listens at path and closes each connection, until its stdin ends.
func actListen(path string) int {
	listener, err := net.Listen("unix", path)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("listens")
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// actHost launches a plugin with its sockets in base, and waits to be killed.
func actHost(base string) int { return hostUntilKilled(base, "serve", nil) }

// hostUntilKilled says the number of the plugin's process.
func hostUntilKilled(base, role string, run func(runner.Command) (runner.Runner, error)) int {
	command := host.Command(os.Args[0])
	command.Env = []string{roleVariable + "=" + role}
	command.Outlive = true // it is the directory of a running plugin that is looked at
	client, err := host.Launch(context.Background(), host.Config{
		Handshake: cookie,
		Versions:  faketransport.Versions(new(faketransport.Transport), 1),
		Command:   command,
		Sockets:   host.Sockets{Dirs: []string{base}},
		Runner:    run,
	})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(client.ID())
	time.Sleep(hang)
	return 0
}

//go:build unix

package faults

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/netrpc/ourprobe"
	"github.com/jackfield-go/jackfield/core/host"
)

// TestF12: the host is killed.
func TestF12(t *testing.T) {
	t.Run("goplugin", testF12GoPlugin)
	t.Run("jackfield", testF12Jackfield)
}

func testF12GoPlugin(t *testing.T) {
	w := newWorld(t)
	plugin := w.killHostF12(t, "goplugin/host of F12", "goplugin/plugin")
	if !w.running(plugin) {
		t.Fatal("the plugin has ended, expected it to stay")
	}
	if poll(3*time.Second, func() bool { return !w.running(plugin) }) {
		t.Error("the plugin ended by itself, expected it to stay")
	}
	if got := len(w.sockets(t)); got != 1 {
		t.Errorf("%d sockets, expected 1", got)
	}
}

// testF12Jackfield kills our host: its plugins end. A plugin of ours leaves in order, and so removes
// the directory. The system ends a plugin on go-plugin, where it can.
func testF12Jackfield(t *testing.T) {
	eachPlugin(t, func(t *testing.T, role string) {
		ours := strings.HasPrefix(role, "jackfield/")
		if !ours && runtime.GOOS != "linux" {
			t.Skip("only where a parent's death is a signal")
		}
		w := newWorld(t)
		plugin := w.killHostF12(t, "jackfield/host of F12", role)
		if !poll(20*time.Second, func() bool { return !w.running(plugin) }) {
			t.Fatal("the plugin stays")
		}
		if ours {
			w.expectGone(t)
		}
	})
}

// killHostF12 kills a host with a plugin, and returns the ID of the plugin's process.
func (w world) killHostF12(t *testing.T, hostRole, pluginRole string) (plugin string) {
	t.Helper()
	command, err := w.command(hostRole, pluginRole)
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	plugin = strings.TrimSpace(line)
	_ = command.Process.Kill()
	_ = command.Wait()
	if err != nil || plugin == "" {
		t.Fatalf("the host said %q, %v", line, err)
	}
	return plugin
}

// playHostF12 is a host on go-plugin that says the ID of its plugin's process, and stays.
func playHostF12(w world, pluginRole string) int {
	s, err := w.subject(pluginRole, "", nil)
	if err == nil {
		_, err = s.probe()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitBadRole
	}
	fmt.Println(strconv.Itoa(s.ReattachConfig().Pid))
	select {}
}

// playOurHostF12 is playHostF12 on Jackfield.
func playOurHostF12(w world, pluginRole string) int {
	self, err := os.Executable()
	if err != nil {
		return exitBadRole
	}
	client, err := host.Launch(context.Background(), host.Config{
		Handshake: ourprobe.Handshake(),
		Versions:  ourprobe.Versions(oneVersion()),
		Command:   host.Cmd{Path: self, Inherit: host.InheritOnly(), Env: w.environment(pluginRole, "")},
		Sockets:   host.Sockets{Dirs: []string{w.temporary()}},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitBadRole
	}
	fmt.Println(client.ID())
	select {}
}

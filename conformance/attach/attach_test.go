package attach

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// eachWire runs a test over both transports.
func eachWire(t *testing.T, test func(*testing.T, wire)) {
	t.Helper()
	for name, w := range wires() {
		t.Run(name, func(t *testing.T) { test(t, w) })
	}
}

// pasted is go-plugin's data as Terraform's SDK prints it, and as our host reads it.
func pasted(t *testing.T, data *goplugin.ReattachConfig) handshake.Reattach {
	t.Helper()
	type address struct{ Network, String string }
	text, err := json.Marshal(map[string]any{"probe": map[string]any{
		"Protocol":        data.Protocol,
		"ProtocolVersion": data.ProtocolVersion,
		"Pid":             data.Pid,
		"Test":            data.Test,
		"Addr":            address{data.Addr.Network(), data.Addr.String()},
	}})
	if err != nil {
		t.Fatal(err)
	}
	plugins, err := handshake.ParseReattach(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return plugins["probe"]
}

// theirs is our data in go-plugin's type.
func theirs(t *testing.T, data handshake.Reattach) *goplugin.ReattachConfig {
	t.Helper()
	pid, err := strconv.Atoi(data.ID)
	if err != nil {
		t.Fatal(err)
	}
	var address net.Addr = &net.UnixAddr{Net: "unix", Name: data.Line.Address}
	if data.Line.Network == handshake.NetworkTCP {
		if address, err = net.ResolveTCPAddr("tcp", data.Line.Address); err != nil {
			t.Fatal(err)
		}
	}
	return &goplugin.ReattachConfig{
		Protocol:        goplugin.Protocol(data.Line.Protocol),
		ProtocolVersion: data.Line.AppVersion,
		Pid:             pid,
		Addr:            address,
		Test:            data.Test,
	}
}

func TestOurHostAttachesToAPluginOfTheirHost(t *testing.T) {
	eachWire(t, func(t *testing.T, w wire) {
		for name, program := range map[string]*string{"go-plugin's": w.theirs, "ours": w.ourProgram} {
			t.Run(name, func(t *testing.T) {
				cfg := *w.theirHost
				cfg.Cmd = exec.Command(*program, "-versions", "1")
				cfg.Cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
				cfg.AllowedProtocols = []goplugin.Protocol{w.protocol}
				cfg.Logger = hclog.NewNullLogger()
				first := goplugin.NewClient(&cfg)
				defer first.Kill()
				w.expectEcho(t, first)

				client, err := host.Attach(within(t), w.ourHost, pasted(t, first.ReattachConfig()))
				if err != nil {
					t.Fatal(err)
				}
				w.expectOurEcho(t, client)
				if err := client.Close(); err != nil {
					t.Errorf("our host's close: %v", err)
				}
				if client.Err() != nil {
					t.Error(client.Err())
				}
			})
		}
	})
}

func TestTheirHostAttachesToAPluginOfOurHost(t *testing.T) {
	eachWire(t, func(t *testing.T, w wire) {
		for name, program := range map[string]*string{"go-plugin's": w.theirs, "ours": w.ourProgram} {
			t.Run(name, func(t *testing.T) {
				cfg := w.ourHost
				cfg.Command = host.Command(*program, "-versions", "1")
				cfg.Command.Outlive = true
				cfg.Command.Env = []string{"GORACE=atexit_sleep_ms=0"}
				first, err := host.Launch(within(t), cfg)
				if err != nil {
					t.Fatal(err)
				}
				defer first.Close()
				data, err := first.Reattach()
				if err != nil {
					t.Fatal(err)
				}
				second := w.attached(t, theirs(t, data))
				w.expectEcho(t, second)
				w.expectOurEcho(t, first) // its connection serves on
				second.Kill()
				select {
				case <-first.Done():
				case <-within(t).Done():
					t.Error("the plugin did not leave for the second host")
				}
			})
		}
	})
}

func TestOurHostAttachesToTheirPluginInTestMode(t *testing.T) {
	eachWire(t, func(t *testing.T, w wire) {
		ctx, cancel := context.WithCancel(t.Context())
		ready, closed := make(chan *goplugin.ReattachConfig, 1), make(chan struct{})
		cfg := *w.theirPlugin
		cfg.Logger = hclog.NewNullLogger()
		cfg.Test = &goplugin.ServeTestConfig{Context: ctx, ReattachConfigCh: ready, CloseCh: closed}
		if w.protocol == goplugin.ProtocolGRPC && cfg.GRPCServer == nil {
			cfg.GRPCServer = goplugin.DefaultGRPCServer
		}
		go goplugin.Serve(&cfg)
		defer func() {
			cancel()
			<-closed
		}()
		data := pasted(t, <-ready)
		for range 2 { // the plugin has survived the first close
			client, err := host.Attach(within(t), w.ourHost, data)
			if err != nil {
				t.Fatal(err)
			}
			w.expectOurEcho(t, client)
			if err := client.Close(); err != nil {
				t.Error(err)
			}
			if err := client.Kill(within(t)); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestTheirHostAttachesToOurPluginInTestMode(t *testing.T) {
	eachWire(t, func(t *testing.T, w wire) {
		ctx, cancel := context.WithCancel(t.Context())
		ready, served := make(chan handshake.Reattach, 1), make(chan error, 1)
		go func() { served <- plugin.ServeDebug(ctx, w.ourPlugin, func(r handshake.Reattach) { ready <- r }) }()
		data := <-ready
		for range 2 {
			client := w.attached(t, theirs(t, data))
			w.expectEcho(t, client)
			client.Kill() // it even leaves the connection open
		}
		own, err := host.Attach(within(t), w.ourHost, data)
		if err != nil {
			t.Fatal(err)
		}
		w.expectOurEcho(t, own)
		cancel()
		if err := <-served; err != nil {
			t.Errorf("the plugin's end: %v", err)
		}
		select {
		case <-own.Done():
		case <-within(t).Done():
			t.Error("the host does not notice the end of the plugin")
		}
	})
}

// Only the secret lets a successor attach under mutual TLS, over each transport.
func TestOurHostHandsASecuredPluginOver(t *testing.T) {
	eachWire(t, func(t *testing.T, w wire) {
		for name, program := range map[string]*string{"go-plugin's": w.theirs, "ours": w.ourProgram} {
			t.Run(name, func(t *testing.T) {
				plugintest.NoLeaks(t)
				cfg := w.ourHost
				cfg.AutoMTLS = host.MTLSRequired
				cfg.Command = host.Command(*program, "-versions", "1")
				cfg.Command.Outlive = true
				cfg.Command.Env = []string{"GORACE=atexit_sleep_ms=0"}
				first, err := host.Launch(within(t), cfg)
				if err != nil {
					t.Fatal(err)
				}
				data, err := first.Reattach()
				if err != nil {
					t.Fatal(err)
				}
				if name == "ours" { // SIGPIPE ends the other when it logs without a host
					err = first.Detach()
				} else {
					defer first.Close()
				}
				if err != nil {
					t.Fatal(err)
				}
				text, err := handshake.FormatReattachSecrets(map[string]handshake.Reattach{shared.PluginName: data})
				if err != nil {
					t.Fatal(err)
				}
				plugins, err := handshake.ParseReattach(text)
				if err != nil {
					t.Fatal(err)
				}
				second, err := host.Attach(within(t), cfg, plugins[shared.PluginName])
				if err != nil {
					t.Fatal(err)
				}
				w.expectOurEcho(t, second)
				if err := second.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

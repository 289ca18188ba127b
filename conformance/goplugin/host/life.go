package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/probeplugin"
	"github.com/jackfield-go/jackfield/conformance/goplugin/recorder"
	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
)

// stdio checks the plugin's output twice, to check the order too.
func stdio(ctx context.Context, s *session) error {
	probe, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	if err := probe.Print(ctx, "first out\n", "first err\n"); err != nil {
		return err
	}
	long := strings.Repeat("y", 200<<10) + "\n"
	if err := probe.Print(ctx, long, "second err without a newline"); err != nil {
		return err
	}
	return errors.Join(
		s.stdout.WaitFor(ctx, "stdout", "first out\n"+long),
		s.stderr.WaitFor(ctx, "stderr", "first err\nsecond err without a newline"),
	)
}

// stdioKill notes whether the last output survives an orderly end (F13).
func stdioKill(ctx context.Context, s *session) error {
	probe, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	const last = "last words\n"
	if err := probe.Print(ctx, last, last); err != nil {
		return err
	}
	if err := s.end(ctx); err != nil {
		return err
	}
	s.see("stdoutArrived", s.stdout.String() == last)
	s.see("stderrArrived", s.stderr.String() == last)
	return nil
}

// ping checks both answers of ping.
func ping(ctx context.Context, s *session) error {
	const times = 10
	if err := s.launch(ctx); err != nil {
		return err
	}
	pingOnce := func() (struct{}, error) { return struct{}{}, s.protocol.Ping() }
	for range times {
		if _, err := shared.Bounded(ctx, pingOnce); err != nil {
			return fmt.Errorf("ping: %w", err)
		}
	}
	if err := s.end(ctx); err != nil {
		return err
	}
	_, err := shared.Bounded(ctx, pingOnce)
	if err == nil {
		return errors.New("ping succeeds after the plugin's end")
	}
	s.see("pingAfterEnd", err.Error())
	return nil
}

// version notes the negotiated version, and checks that the probe has it.
func version(ctx context.Context, s *session) error {
	probe, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	negotiated := s.client.NegotiatedVersion()
	s.see("negotiated", negotiated)
	if !slices.Contains(s.opts.versions.Numbers, negotiated) {
		return fmt.Errorf("version %d was negotiated, not one of %v", negotiated, s.opts.versions)
	}
	return returns(ctx, "version", negotiated, probe.Version)
}

// mismatch needs a plugin without a version in common with the host.
func mismatch(ctx context.Context, s *session) error {
	err := s.launch(ctx)
	if err == nil {
		return fmt.Errorf("the start succeeded with version %d", s.client.NegotiatedVersion())
	}
	s.see("startError", err.Error())
	if !strings.Contains(err.Error(), "incompatible API version with plugin") {
		return err
	}
	return nil
}

// oldHost removes the list of versions from the plugin's environment.
func oldHost(ctx context.Context, s *session) error {
	command := s.pluginCommand()
	if err := wrapWithoutList(command); err != nil {
		return err
	}
	err := s.launchCommand(ctx, command)
	if err != nil && strings.Contains(err.Error(), "incompatible API version with plugin") {
		s.see("startError", err.Error()) // the host does not know its lowest version
		return nil
	}
	if err != nil {
		return err
	}
	s.see("negotiated", s.client.NegotiatedVersion())
	probe, err := s.dispense(ctx)
	if err != nil {
		return err
	}
	return errors.Join(
		returns(ctx, "version", s.client.NegotiatedVersion(), probe.Version),
		returns(ctx, "list of versions", "", func(ctx context.Context) (string, error) {
			return probe.Env(ctx, versionsVariable)
		}),
	)
}

// kill checks the state after an orderly end.
func kill(ctx context.Context, s *session) error {
	probe, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	if err := echoes(ctx, probe, "before the end"); err != nil {
		return err
	}
	where := s.client.ReattachConfig()
	if err := s.end(ctx); err != nil {
		return err
	}
	s.see("processGone", shared.ProcessGone(where.Pid))
	if where.Addr.Network() == "unix" {
		_, err := os.Lstat(where.Addr.String())
		s.see("socketGone", errors.Is(err, os.ErrNotExist))
	}
	return expect("exited", s.ended.Exited, true)
}

// exit lets the plugin exit by itself.
func exit(ctx context.Context, s *session) error {
	const status = 7
	probe, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	err = probe.Exit(ctx, status)
	if err == nil {
		return errors.New("a call returned no error although it ended its plugin")
	}
	s.see("callError", err.Error())
	s.see("callErrorMs", milliseconds(time.Since(began)))
	record, err := s.recorder.WaitFor(ctx, "plugin process exited")
	if err != nil {
		return err
	}
	return expect("status", fmt.Sprint(record.Value("error")), fmt.Sprintf("exit status %d", status))
}

// reattach connects and closes, like go-plugin's check of a running plugin. Then it takes
// over the plugin with a second client, and ends the plugin with it.
func reattach(ctx context.Context, s *session) error {
	probe, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	first, where := s.client, s.client.ReattachConfig()
	if err := bareConnects(ctx, s, where.Addr); err != nil {
		return err
	}
	if err := echoes(ctx, probe, "after the bare connects"); err != nil {
		return err
	}
	err = secondHost(ctx, s, first, probe)
	err = errors.Join(err, s.end(ctx))
	// The first client's kill finds the plugin gone, and only closes its own side.
	_, killErr := shared.Bounded(ctx, func() (struct{}, error) {
		first.Kill()
		return struct{}{}, nil
	})
	if killErr != nil {
		killErr = fmt.Errorf("first host's kill: %w", killErr)
	}
	return errors.Join(err, killErr, expect("process gone", shared.ProcessGone(where.Pid), true))
}

func bareConnects(ctx context.Context, s *session, address net.Addr) error {
	const connects = 3
	for range connects {
		conn, err := new(net.Dialer).DialContext(ctx, address.Network(), address.String())
		if err != nil {
			return fmt.Errorf("bare connect: %w", err)
		}
		if err := conn.Close(); err != nil {
			return fmt.Errorf("bare connect: %w", err)
		}
	}
	s.see("bareConnects", connects)
	return nil
}

// secondHost makes a reattached client the session's own. It calls the plugin through it
// and through the first client's probe.
func secondHost(ctx context.Context, s *session, first *goplugin.Client, probe *shared.Probe) error {
	where := first.ReattachConfig()
	config := probeplugin.Client(s.opts.versions)
	config.VersionedPlugins = nil // go-plugin cannot dispense from these (F6)
	config.Plugins = probeplugin.Set(first.NegotiatedVersion())
	config.Reattach = where
	s.recorder = recorder.New(s.opts.log)
	config.Logger = s.recorder.Logger()
	if err := s.connect(ctx, goplugin.NewClient(config)); err != nil {
		return fmt.Errorf("second host: %w", err)
	}
	second, err := s.dispense(ctx)
	if err != nil {
		return fmt.Errorf("second host: %w", err)
	}
	return errors.Join(
		echoes(ctx, second, "to the second host"),
		echoes(ctx, probe, "to the first host still"),
		returns(ctx, "pid", where.Pid, second.Pid),
	)
}

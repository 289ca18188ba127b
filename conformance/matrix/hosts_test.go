package matrix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/probeplugin"
	"github.com/jackfield-go/jackfield/conformance/goplugin/recorder"
	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	grpcplugin "github.com/jackfield-go/jackfield/conformance/goplugingrpc/probeplugin"
	ourgrpc "github.com/jackfield-go/jackfield/conformance/grpc/ourprobe"
	ournetrpc "github.com/jackfield-go/jackfield/conformance/netrpc/ourprobe"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// outcome is the report of a host process.
type outcome struct {
	// LaunchError is empty after a successful launch.
	LaunchError string
	// Steps are the errors of the steps by their letters, empty for success.
	Steps map[string]string
	// Log is the host's log.
	Log string
}

// playHost is the main function of the hosts.
func (c cell) playHost() outcome {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p := &launched{stdout: shared.NewOutput(), stderr: shared.NewOutput(), log: shared.NewOutput()}
	launch := p.launchOurs
	if c.Host == theirs {
		launch = p.launchTheirs
	}
	var played outcome
	err := errors.Join(c.becomePlugin(), launch(ctx, c))
	if err != nil {
		played.LaunchError = err.Error()
	} else {
		played.Steps = make(map[string]string)
		for _, step := range c.steps() {
			played.Steps[step.letter] = ""
			if err := step.do(ctx, p); err != nil {
				played.Steps[step.letter] = err.Error()
			}
		}
	}
	played.Log = p.log.String()
	return played
}

// becomePlugin makes the child processes of this process play the plugin.
func (c cell) becomePlugin() error {
	return errors.Join(os.Setenv(roleVariable, pluginRole), os.Setenv("GORACE", raceOptions(c.Plugin)))
}

// launchOurs launches the plugin of a cell under Jackfield.
func (p *launched) launchOurs(ctx context.Context, c cell) error {
	cfg := host.Config{
		Handshake: ourgrpc.Handshake(),
		Command:   host.Command(c.Command[0], c.Command[1:]...),
		Sockets:   host.Sockets{Dirs: []string{os.TempDir()}},
		Outputs:   host.Outputs{PrintedStdout: p.stdout, PrintedStderr: p.stderr},
		Logger:    slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	cfg.Versions = c.ourVersions()
	if c.Secured {
		cfg.AutoMTLS = host.MTLSRequired
	}
	client, err := host.Launch(ctx, cfg)
	if err != nil {
		return err
	}
	dispensed, err := client.Dispense(ctx, shared.PluginName)
	if err != nil {
		return errors.Join(err, client.Kill(ctx))
	}
	switch of := dispensed.(type) {
	case *ournetrpc.Probe:
		dispensed = of.Probe
	case *ourgrpc.Probe:
		dispensed = of.Client
	}
	p.dispensed, p.ping = dispensed, client.Ping
	p.stop = func(ctx context.Context) error { return errors.Join(client.Stop(ctx), client.Err()) }
	p.pid, err = strconv.Atoi(client.ID())
	return err
}

// ourVersions returns the versions of our host: only for the cell's transport.
func (c cell) ourVersions() core.Versions {
	var options []transportgrpc.Option
	if c.Transport == multiplexed {
		options = append(options, transportgrpc.WithMultiplexing())
	}
	if c.Transport == netRPC {
		return ournetrpc.Versions(oneVersion())
	}
	return ourgrpc.Versions(oneVersion(), options...)
}

// launchTheirs launches the plugin of a cell under go-plugin.
func (p *launched) launchTheirs(ctx context.Context, c cell) error {
	records := recorder.New(p.log)
	config := c.theirConfig()
	config.Cmd = exec.Command(c.Command[0], c.Command[1:]...)
	config.Logger = records.Logger()
	config.SyncStdout, config.SyncStderr = p.stdout, p.stderr
	config.AutoMTLS = c.Secured
	config.GRPCBrokerMultiplex = c.Transport == multiplexed
	client := goplugin.NewClient(config)
	protocol, err := shared.Bounded(ctx, client.Client)
	if err == nil {
		p.dispensed, err = shared.Bounded(ctx, func() (any, error) { return protocol.Dispense(shared.PluginName) })
	}
	if err != nil {
		client.Kill()
		return err
	}
	p.pid = config.Cmd.Process.Pid
	p.ping = func(ctx context.Context) error {
		_, err := shared.Bounded(ctx, func() (any, error) { return nil, protocol.Ping() })
		return err
	}
	p.stop = func(ctx context.Context) error {
		_, err := shared.Bounded(ctx, func() (any, error) {
			client.Kill()
			return nil, nil
		})
		if ended := records.Ended(); err == nil && (!client.Exited() || ended.Killed || ended.Status != "") {
			err = fmt.Errorf("exited %v, %+v", client.Exited(), ended)
		}
		return err
	}
	return nil
}

// theirConfig returns the configuration of a go-plugin host: only for the cell's transport.
func (c cell) theirConfig() *goplugin.ClientConfig {
	if c.Transport == netRPC {
		return probeplugin.Client(oneVersion())
	}
	return grpcplugin.Client(oneVersion())
}

// environment returns the environment of the host's process.
func (c cell) environment(temporary string) ([]string, error) {
	text, err := json.Marshal(c)
	return append(os.Environ(), roleVariable+"="+hostRole, cellVariable+"="+string(text),
		"TMPDIR="+temporary, "GORACE="+raceOptions(c.Host)), err
}

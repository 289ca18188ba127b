package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/conformance/figures/grpcservice"
	probe "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// grpcSession is a launched gRPC plugin on either library.
type grpcSession interface {
	io.Closer
	// Echo makes a call.
	Echo(data []byte) error
	// Callback lets the plugin open a new brokered connection and call the host.
	Callback() error
	// Print lets the plugin print grpcservice.PrintSize bytes the given number of times,
	// and waits for their arrival.
	Print(times int) error
}

// printed counts arriving bytes, and signals the expected total.
type printed struct{ missing, arrived chan int }

func newPrinted() *printed { return &printed{missing: make(chan int, 1), arrived: make(chan int, 1)} }

func (p *printed) Write(data []byte) (int, error) {
	missing := <-p.missing - len(data)
	if missing == 0 {
		p.arrived <- 0
	} else {
		p.missing <- missing
	}
	return len(data), nil
}

// print lets client's plugin print, and waits for the output.
func (p *printed) print(client probe.ProbeServiceClient, times int) error {
	p.missing <- times * grpcservice.PrintSize
	_, err := client.Print(context.Background(), &probe.PrintRequest{Times: uint32(times)})
	if err == nil {
		<-p.arrived
	}
	return err
}

func echo(client probe.ProbeServiceClient, data []byte) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := client.Echo(ctx, &probe.EchoRequest{Payload: data})
	return err
}

// oursGRPC is the host on Jackfield.
type oursGRPC struct {
	client *host.Client
	probe  probe.ProbeServiceClient
	broker *transportgrpc.Broker
	log    bytes.Buffer
	out    *printed
}

// oursGRPCProbe is the measured service; this program has the host's side.
var oursGRPCProbe = core.DefineSides[probe.ProbeServiceServer, probe.ProbeServiceClient](grpcservice.Name)

func (b *bench) oursGRPC(opts ...transportgrpc.Option) func() (grpcSession, error) {
	return b.oursGRPCWith(nil, opts...)
}

// oursGRPCWith launches with a configuration modified by change, unless change is nil.
func (b *bench) oursGRPCWith(change func(*host.Config), opts ...transportgrpc.Option) func() (grpcSession, error) {
	return func() (grpcSession, error) {
		s := &oursGRPC{out: newPrinted()}
		client := func(broker *transportgrpc.Broker, conn grpc.ClientConnInterface) (probe.ProbeServiceClient, error) {
			s.broker = broker
			return probe.NewProbeServiceClient(conn), nil
		}
		all := append([]transportgrpc.Option{transportgrpc.Carry(oursGRPCProbe, nil, client)}, opts...)
		cfg := host.Config{
			Handshake: core.Handshake{MagicCookieKey: grpcservice.CookieKey, MagicCookieValue: grpcservice.CookieValue},
			Versions:  core.Versions{1: {transportgrpc.New(all...)}},
			Command:   host.Command(b.program(oursGRPCPlugin)),
			Logger:    slog.New(slog.NewTextHandler(&s.log, nil)),
			Outputs:   host.Outputs{PrintedStdout: s.out},
		}
		if change != nil {
			change(&cfg)
		}
		var err error
		if s.client, err = host.Launch(b.ctx, cfg); err != nil {
			return nil, err
		}
		s.probe, err = host.Dispense(b.ctx, s.client, oursGRPCProbe)
		return s, err
	}
}

func (s *oursGRPC) Echo(data []byte) error { return echo(s.probe, data) }

func (s *oursGRPC) Callback() error { return s.lend("?") }

// lend makes a call with a lent service. The plugin asks it the question, unless that is
// empty.
func (s *oursGRPC) lend(question string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	id, err := transportgrpc.Lend[probe.HostServiceServer](ctx, s.broker, probe.RegisterHostServiceServer, new(grpcservice.Host))
	if err != nil {
		return err
	}
	_, err = s.probe.Callback(ctx, &probe.CallbackRequest{BrokerId: id, Question: question})
	return err
}

// without makes the same call with nothing lent.
func (s *oursGRPC) without() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := s.probe.Callback(ctx, &probe.CallbackRequest{})
	return err
}

func (s *oursGRPC) Print(times int) error { return s.out.print(s.probe, times) }

func (s *oursGRPC) Close() error {
	if err := s.client.Close(); err != nil {
		return err
	}
	if s.log.Len() > 0 {
		return fmt.Errorf("logged: %s", s.log.String())
	}
	return nil
}

// theirsGRPC is the host on go-plugin.
type theirsGRPC struct {
	client *goplugin.Client
	probe  probe.ProbeServiceClient
	broker *goplugin.GRPCBroker
	out    *printed
}

type theirsGRPCPlugin struct {
	goplugin.NetRPCUnsupportedPlugin

	s *theirsGRPC
}

func (theirsGRPCPlugin) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.ErrUnsupported
}

func (p theirsGRPCPlugin) GRPCClient(_ context.Context, b *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) { //nolint:unparam // the library's interface
	p.s.broker = b
	return probe.NewProbeServiceClient(conn), nil
}

func (b *bench) theirsGRPC(multiplex bool) func() (grpcSession, error) {
	return b.theirsGRPCWith(nil, multiplex)
}

// theirsGRPCWith is oursGRPCWith for go-plugin.
func (b *bench) theirsGRPCWith(change func(*goplugin.ClientConfig), multiplex bool) func() (grpcSession, error) {
	return func() (grpcSession, error) {
		s := &theirsGRPC{out: newPrinted()}
		cfg := &goplugin.ClientConfig{
			HandshakeConfig: goplugin.HandshakeConfig{
				ProtocolVersion:  1,
				MagicCookieKey:   grpcservice.CookieKey,
				MagicCookieValue: grpcservice.CookieValue,
			},
			Plugins:             goplugin.PluginSet{grpcservice.Name: theirsGRPCPlugin{s: s}},
			Cmd:                 exec.Command(b.program(theirsGRPCPluginProgram)),
			Logger:              hclog.New(&hclog.LoggerOptions{Level: hclog.Info, Output: io.Discard}),
			AllowedProtocols:    []goplugin.Protocol{goplugin.ProtocolGRPC},
			GRPCBrokerMultiplex: multiplex,
			SyncStdout:          s.out,
		}
		if change != nil {
			change(cfg)
		}
		s.client = goplugin.NewClient(cfg)
		protocol, err := s.client.Client()
		if err != nil {
			return nil, err
		}
		made, err := protocol.Dispense(grpcservice.Name)
		if err != nil {
			return nil, err
		}
		var ok bool
		if s.probe, ok = made.(probe.ProbeServiceClient); !ok {
			return nil, fmt.Errorf("dispensed a %T", made)
		}
		return s, nil
	}
}

func (s *theirsGRPC) Echo(data []byte) error { return echo(s.probe, data) }

func (s *theirsGRPC) Callback() error {
	id := s.broker.NextId()
	servers := make(chan *grpc.Server, 1)
	go s.broker.AcceptAndServe(id, func(opts []grpc.ServerOption) *grpc.Server {
		server := grpc.NewServer(opts...)
		probe.RegisterHostServiceServer(server, new(grpcservice.Host))
		servers <- server
		return server
	})
	_, err := s.probe.Callback(context.Background(), &probe.CallbackRequest{BrokerId: id, Question: "?"})
	(<-servers).Stop()
	return err
}

func (s *theirsGRPC) Print(times int) error { return s.out.print(s.probe, times) }

func (s *theirsGRPC) Close() error {
	s.client.Kill()
	return nil
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/rpc"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/figures/service"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// session is a launched plugin on either library.
type session interface {
	// Echo makes a call.
	Echo(data []byte) error
	// Send passes a reader to the plugin, and the plugin reads it to the end.
	Send(r io.Reader) (int64, error)
	// Close ends the plugin. It fails if the plugin was killed or anything was logged.
	Close() error
}

// oursSession is the host on Jackfield.
type oursSession struct {
	client *host.Client
	rpc    *netrpc.Client
	broker *netrpc.Broker
	log    bytes.Buffer
}

// oursService is the measured service; this program has the host's side.
var oursService = core.DefineSides[*service.Server, *netrpc.Client](service.Name)

func (b *bench) launchOurs() (session, error) { return b.startOurs(nil) }

// startOurs launches with a configuration modified by change, unless change is nil.
func (b *bench) startOurs(change func(*host.Config)) (session, error) {
	s := new(oursSession)
	client := func(broker *netrpc.Broker, c *netrpc.Client) (*netrpc.Client, error) {
		s.broker = broker
		return c, nil
	}
	cfg := host.Config{
		Handshake: core.Handshake{MagicCookieKey: service.CookieKey, MagicCookieValue: service.CookieValue},
		Versions:  core.Versions{1: {netrpc.New(netrpc.Carry(oursService, nil, client))}},
		Command:   host.Command(b.program(ours)),
		Logger:    slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if s.client, err = host.Launch(b.ctx, cfg); err != nil {
		return nil, err
	}
	s.rpc, err = host.Dispense(b.ctx, s.client, oursService)
	return s, err
}

func (s *oursSession) Echo(data []byte) error {
	// Real hosts use a context that can end; it costs more than one that cannot.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var reply []byte
	return s.rpc.Call(ctx, "Echo", data, &reply)
}

func (s *oursSession) Send(r io.Reader) (n int64, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err = s.rpc.Call(ctx, "Drain", s.broker.LendReader(ctx, r).ID, &n)
	return n, err
}

func (s *oursSession) Close() error {
	if err := s.client.Close(); err != nil {
		return err
	}
	if s.log.Len() > 0 {
		return fmt.Errorf("logged: %s", s.log.String())
	}
	return nil
}

// theirsSession is the host on go-plugin.
type theirsSession struct {
	client *goplugin.Client
	rpc    *rpc.Client
	broker *goplugin.MuxBroker
}

type theirsPlugin struct{ s *theirsSession }

func (theirsPlugin) Server(*goplugin.MuxBroker) (any, error) { return nil, errors.ErrUnsupported }

func (p theirsPlugin) Client(b *goplugin.MuxBroker, c *rpc.Client) (any, error) {
	p.s.broker = b
	return c, nil
}

func (b *bench) launchTheirs() (session, error) { return b.startTheirs(nil) }

// startTheirs is startOurs for go-plugin.
func (b *bench) startTheirs(change func(*goplugin.ClientConfig)) (session, error) {
	s := new(theirsSession)
	cfg := &goplugin.ClientConfig{
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion:  1,
			MagicCookieKey:   service.CookieKey,
			MagicCookieValue: service.CookieValue,
		},
		Plugins: goplugin.PluginSet{service.Name: theirsPlugin{s}},
		Cmd:     exec.Command(b.program(theirs)),
		Logger:  hclog.New(&hclog.LoggerOptions{Level: hclog.Info, Output: io.Discard}),
	}
	if change != nil {
		change(cfg)
	}
	s.client = goplugin.NewClient(cfg)
	protocol, err := s.client.Client()
	if err != nil {
		return nil, err
	}
	made, err := protocol.Dispense(service.Name)
	if err != nil {
		return nil, err
	}
	var ok bool
	if s.rpc, ok = made.(*rpc.Client); !ok {
		return nil, fmt.Errorf("dispensed a %T", made)
	}
	return s, nil
}

func (s *theirsSession) Echo(data []byte) error {
	var reply []byte
	return s.rpc.Call("Plugin.Echo", data, &reply)
}

func (s *theirsSession) Send(r io.Reader) (n int64, err error) {
	id := s.broker.NextId()
	sent := make(chan error, 1)
	go func() {
		conn, err := s.broker.Accept(id)
		if err == nil {
			_, err = io.Copy(conn, r)
			err = errors.Join(err, conn.Close())
		}
		sent <- err
	}()
	err = s.rpc.Call("Plugin.Drain", id, &n)
	return n, errors.Join(err, <-sent)
}

func (s *theirsSession) Close() error {
	s.client.Kill()
	return nil
}

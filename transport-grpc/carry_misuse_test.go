package transportgrpc_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/plugintest"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// question is a plugin of generated code.
var question = core.DefineSides[probepb.QuestionServiceServer, probepb.QuestionServiceClient]("it")

// listenWith makes a server with an implementation of it and of question, as far as
// it gets.
func listenWith(t *testing.T, opts ...transportgrpc.Option) error {
	t.Helper()
	server, err := plugintest.NewServer(t.Context(), transportgrpc.New(opts...), core.PluginLink{
		ConnectionTimeout: core.DefaultConnectionTimeout,
		Logger:            newLog().logger(0),
		LookupEnv:         func(string) (string, bool) { return "", false },
		Stdout:            strings.NewReader(""), Stderr: strings.NewReader(""),
		Implements:  slices.Concat(it.Bind(struct{}{}), question.Bind(new(numbered))),
		DialAddress: dialAddress,
		Listen:      newSockets(t).listen,
	}, time.Second, func(context.Context) {})
	if err == nil {
		server.Close()
	}
	return err
}

// A forgotten part is an error with the plugin's name, not a panic.
func TestServerRefusesForgottenPlugins(t *testing.T) {
	for name, c := range map[string]struct {
		carried transportgrpc.Option
		want    string
	}{
		"not its side":          {handles, "the register function for Carry is nil"},
		"no generated function": {transportgrpc.Service(question, nil, probepb.NewQuestionServiceClient), "the register function is nil"},
		"an error": {transportgrpc.Carry(it, func(*transportgrpc.Broker, grpc.ServiceRegistrar, struct{}) error {
			return errExpected
		}, nil), errExpected.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			err := listenWith(t, c.carried)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `"it"`) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestDispenseRefusesUnusablePlugins(t *testing.T) {
	r := rigUp(t, setup{})
	for name, c := range map[string]struct {
		carried transportgrpc.Option
		want    string
	}{
		"not its side":          {transportgrpc.Carry(it, nil, nil), "the client function for Carry is nil"},
		"no generated function": {transportgrpc.Service(question, probepb.RegisterQuestionServiceServer, nil), "the client function is nil"},
	} {
		t.Run(name, func(t *testing.T) {
			session, err := transportgrpc.New(c.carried).Dial(within(t), core.HostLink{
				ConnectionTimeout: core.DefaultConnectionTimeout,
				Plugin:            "plugin",
				Logger:            newLog().logger(0),
				Stdout:            newLog(), Stderr: newLog(),
				Dial:        func(ctx context.Context) (net.Conn, error) { return dialAddress(ctx, "unix", r.address) },
				DialAddress: dialAddress,
				Listen:      r.sockets.listen,
				Exited:      make(chan struct{}),
				Explain:     func(_ context.Context, err error) error { return err },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			if _, err := session.Dispense(within(t), "it"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestTransportRefusesPluginsOfOneName(t *testing.T) {
	for name, c := range map[string]struct {
		opts []transportgrpc.Option
		want string
	}{
		"two of one name": {[]transportgrpc.Option{handles, handles}, `name "it"`},
		"no name":         {[]transportgrpc.Option{transportgrpc.Carry(core.Plugin[handle, handle]{}, nil, nil)}, "no name"},
	} {
		_, dialErr := transportgrpc.New(c.opts...).Dial(within(t), core.HostLink{})
		for side, err := range map[string]error{"Dial": dialErr, "Listen": listenWith(t, c.opts...)} {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: got %v, want %q", name, side, err, c.want)
			}
		}
	}
}

// A plugin implements some of its application's definitions.
func TestPluginServesOnlyThePluginsThatItImplements(t *testing.T) {
	unbound := core.DefineSides[probepb.ProbeServiceServer, probepb.ProbeServiceClient]("unbound")
	carried := []transportgrpc.Option{
		transportgrpc.Carry(unbound, func(*transportgrpc.Broker, grpc.ServiceRegistrar, probepb.ProbeServiceServer) error {
			return errExpected
		}, nil),
		transportgrpc.Service(question, probepb.RegisterQuestionServiceServer, probepb.NewQuestionServiceClient),
	}
	if err := listenWith(t, carried...); err != nil {
		t.Error(err)
	}
	if got := transportgrpc.New(carried...).Names(question.Bind(new(numbered))); !slices.Equal(got, []string{"it"}) {
		t.Errorf("the names are %q", got)
	}
}

// gRPC ends the program for a duplicate service.
func TestProtocolsServicesAreNotForTheApplication(t *testing.T) {
	reflects := func(r grpc.ServiceRegistrar) {
		reflectionv1.RegisterServerReflectionServer(r, reflection.NewServerV1(reflection.ServerOptions{}))
	}
	healthy := func(r grpc.ServiceRegistrar) { grpc_health_v1.RegisterHealthServer(r, health.NewServer()) }
	for name, c := range map[string]struct {
		register func(grpc.ServiceRegistrar)
		opts     []transportgrpc.Option
		want     string // in the error; empty: none
	}{
		"health":                         {healthy, nil, "leave it out"},
		"reflection":                     {reflects, nil, "WithoutReflection"},
		"reflection where ours is not":   {reflects, []transportgrpc.Option{transportgrpc.WithoutReflection()}, ""},
		"health where reflection is not": {healthy, []transportgrpc.Option{transportgrpc.WithoutReflection()}, "leave it out"},
	} {
		t.Run(name, func(t *testing.T) {
			err := listenWith(t, append(c.opts, transportgrpc.Carry(it,
				func(_ *transportgrpc.Broker, r grpc.ServiceRegistrar, _ struct{}) error {
					c.register(r)
					return nil
				}, nil))...)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestFunctionsThatAreNilAreRefused(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		if err := s.near.Serve(within(t), s.near.NextID(), nil); err == nil {
			t.Error("Serve took no function")
		}
		if _, err := transportgrpc.Lend[probepb.QuestionServiceServer](within(t), s.near, nil, new(numbered)); err == nil {
			t.Error("Lend took no function")
		}
		if _, err := transportgrpc.Borrow[any](within(t), s.near, 1, nil); err == nil {
			t.Error("Borrow took no function")
		}
		if _, err := s.near.LendReader(within(t), nil); err == nil {
			t.Error("Reader took nothing")
		}
		if _, err := s.near.LendWriter(within(t), nil); err == nil {
			t.Error("Writer took nothing")
		}
	})
}

func TestBrokerErrorsNameTheIDOnce(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, dialErr := s.near.Client(ctx, 4711)
		_, listenErr := s.near.Listen(ctx, 4711)
		for what, err := range map[string]error{
			"Dial": dialErr, "Listen": listenErr, "Serve": serveNumbered(ctx, s.near, 4711),
		} {
			if err == nil || strings.Count(err.Error(), "4711") != 1 {
				t.Errorf("%s: got %v", what, err)
			}
		}
	})
}

func TestBrokerClientErrorNamesBadDialOptions(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		bundle := grpc.WithCredentialsBundle(insecure.NewBundle())
		if _, err := s.near.Client(within(t), 7, bundle); err == nil || !strings.Contains(err.Error(), "brokered connection 7: the options") {
			t.Errorf("got %v", err)
		}
	})
}

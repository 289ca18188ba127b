package guide_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// ErrMissing reports a key without a value.
var ErrMissing = errors.New("no such key")

// lookupReply has a field for ErrMissing, since callers check for it.
type lookupReply struct {
	Value   string
	Missing bool
}

type storeServer struct {
	values map[string]string
	broker *netrpc.Broker
}

func (s *storeServer) Lookup(_ context.Context, key string, reply *lookupReply) error {
	value, ok := s.values[key]
	*reply = lookupReply{Value: value, Missing: !ok}
	return nil
}

type storeClient struct {
	rpc    *netrpc.Client
	broker *netrpc.Broker
}

func (c *storeClient) Lookup(ctx context.Context, key string) (string, error) {
	var reply lookupReply
	if err := c.rpc.Call(ctx, "Lookup", key, &reply); err != nil {
		return "", err
	}
	if reply.Missing {
		return "", ErrMissing
	}
	return reply.Value, nil
}

// Dump writes all values to w, a writer of the host.
func (c *storeClient) Dump(ctx context.Context, w io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return c.rpc.Call(ctx, "Dump", c.broker.LendWriter(ctx, w), nil)
}

func (s *storeServer) Dump(ctx context.Context, to netrpc.WriterRef, _ *struct{}) error {
	w, err := s.broker.BorrowWriter(ctx, to)
	if err != nil {
		return err
	}
	for _, value := range s.values {
		if _, err := io.WriteString(w, value+"\n"); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return w.Close() // reports whether all of it has arrived
}

// Greet has the form of go-plugin's tutorial: no context, and untyped arguments.
func (s *storeServer) Greet(_ any, reply *string) error {
	*reply = "Hello!"
	return nil
}

func (c *storeClient) Greet(ctx context.Context) (reply string, err error) {
	err = c.rpc.Call(ctx, "Greet", new(any), &reply)
	return reply, err
}

// storePlugin is implemented by maps.
var storePlugin = core.DefineSides[map[string]string, *storeClient]("store")

var storeVersions = core.Versions{1: {netrpc.New(netrpc.Carry(storePlugin, newStoreServer, newStoreClient))}}

func newStoreServer(b *netrpc.Broker, values map[string]string) (any, error) {
	return &storeServer{values, b}, nil
}

func newStoreClient(b *netrpc.Broker, c *netrpc.Client) (*storeClient, error) {
	return &storeClient{c, b}, nil
}

func TestStore(t *testing.T) {
	plugintest.NoLeaks(t)
	shake := core.Handshake{MagicCookieKey: "STORE_PLUGIN", MagicCookieValue: "5d0e"}
	client := plugintest.Launch(t,
		host.Config{Handshake: shake, Versions: storeVersions},
		plugin.Config{
			Handshake:  shake,
			Versions:   storeVersions,
			Implements: storePlugin.Bind(map[string]string{"a": "1"}),
		})
	store, err := host.Dispense(t.Context(), client, storePlugin)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := store.Lookup(t.Context(), "a"); err != nil || got != "1" {
		t.Errorf("lookup: %q, %v", got, err)
	}
	if _, err := store.Lookup(t.Context(), "b"); !errors.Is(err, ErrMissing) {
		t.Errorf("lookup of a missing key: %v", err)
	}
	var dump strings.Builder
	if err := store.Dump(t.Context(), &dump); err != nil || dump.String() != "1\n" {
		t.Errorf("dump: %q, %v", dump.String(), err)
	}
	if got, err := store.Greet(t.Context()); err != nil || got != "Hello!" {
		t.Errorf("greet: %q, %v", got, err)
	}
	var remote netrpc.RemoteError
	if err := store.rpc.Call(t.Context(), "Nothing", 1, nil); !errors.As(err, &remote) {
		t.Errorf("a method that does not exist: %v", err)
	}
}

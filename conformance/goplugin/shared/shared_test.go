package shared

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"net/rpc"
	"reflect"
	"testing"
)

func TestParseVersions(t *testing.T) {
	tests := []struct {
		text string
		want Versions
		err  error
	}{
		{"", Versions{Numbers: []int{1}}, nil},
		{"1", Versions{Numbers: []int{1}}, nil},
		{"2,3", Versions{Numbers: []int{2, 3}}, nil},
		{"legacy:4", Versions{Numbers: []int{4}, Legacy: true}, nil},
		{"legacy:", Versions{Numbers: []int{1}, Legacy: true}, nil},
		{"legacy:1,2", Versions{}, ErrVersions},
		{"1,", Versions{}, ErrVersions},
		{"-1", Versions{}, ErrVersions},
		{"one", Versions{}, ErrVersions},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			got, err := ParseVersions(test.text)
			if !errors.Is(err, test.err) || !reflect.DeepEqual(got, test.want) {
				t.Fatalf("got %+v, %v; expected %+v, %v", got, err, test.want, test.err)
			}
			if err != nil {
				return
			}
			again, err := ParseVersions(got.String())
			if err != nil || !reflect.DeepEqual(again, got) {
				t.Errorf("%q reads back as %+v, %v", got, again, err)
			}
		})
	}
}

// pipeBroker is a broker with both sides in this process: a dial and an accept of the same
// ID get the ends of one pipe.
type pipeBroker struct {
	dialled chan net.Conn
}

func (b pipeBroker) NextId() uint32 { return 9 }

func (b pipeBroker) Accept(uint32) (net.Conn, error) { return <-b.dialled, nil }

func (b pipeBroker) Dial(uint32) (net.Conn, error) {
	near, far := net.Pipe()
	b.dialled <- far
	return near, nil
}

// newProbe returns a probe with a server at the other end of a pipe.
func newProbe(t *testing.T, factory *Factory) *Probe {
	t.Helper()
	near, far := net.Pipe()
	broker := pipeBroker{make(chan net.Conn, 1)}
	server := rpc.NewServer()
	if err := server.RegisterName(service, factory.New(broker)); err != nil {
		t.Fatal(err)
	}
	go server.ServeConn(far)
	client := rpc.NewClient(near)
	t.Cleanup(func() { _ = client.Close() })
	return NewProbe(NetRPC(client), broker)
}

func TestProbeServesEveryMethod(t *testing.T) {
	client, server := reflect.TypeFor[*Probe](), reflect.TypeFor[*Server]()
	for i := range client.NumMethod() {
		name := client.Method(i).Name
		if _, served := server.MethodByName(name); !served && name != "Call" && name != "Broker" {
			t.Errorf("%s has no method", name)
		}
	}
}

func TestProbeNumbersItsInstances(t *testing.T) {
	factory := &Factory{Version: 7}
	for want := 1; want <= 2; want++ {
		probe := newProbe(t, factory)
		instance, err := probe.Instance(t.Context())
		if err != nil || instance != want {
			t.Errorf("instance %d, %v; expected %d", instance, err, want)
		}
		count, err := probe.Count(t.Context())
		if err != nil || count != 1 {
			t.Errorf("count %d, %v; expected 1", count, err)
		}
		version, err := probe.Version(t.Context())
		if err != nil || version != 7 {
			t.Errorf("version %d, %v; expected 7", version, err)
		}
	}
}

func TestProbeGivesUpACallWithItsContext(t *testing.T) {
	probe := newProbe(t, &Factory{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := probe.Block(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, expected the context's error", err)
	}
	if err := probe.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if err := probe.Block(t.Context()); err != nil {
		t.Errorf("after release: %v", err)
	}
}

func TestProbeBounds(t *testing.T) {
	probe := newProbe(t, &Factory{})
	for _, length := range []int{-1, MaxBytes + 1} {
		if _, err := probe.Bytes(t.Context(), length); err == nil {
			t.Errorf("%d bytes were given", length)
		}
	}
}

func TestProbeReachesTheHostsBroker(t *testing.T) {
	probe := newProbe(t, &Factory{})
	go func() {
		conn, _ := probe.Broker().Accept(1)
		ServeAsker(conn, AskerFunc(HostAnswer))
	}()
	answer, err := probe.Callback(t.Context(), 1, "why?")
	if want := "host answers why?"; err != nil || answer != want {
		t.Errorf("got %q, %v; expected %q", answer, err, want)
	}

	data := Pattern(100_000)
	go func() {
		conn, _ := probe.Broker().Accept(2)
		_, _ = conn.Write(data)
		_ = conn.Close()
	}()
	sum := sha256.Sum256(data)
	want := ReadAllReply{Bytes: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
	if got, err := probe.ReadAll(t.Context(), 2); err != nil || got != want {
		t.Errorf("got %+v, %v; expected %+v", got, err, want)
	}
}

func TestHostReachesThePluginsBroker(t *testing.T) {
	probe := newProbe(t, &Factory{})
	id, err := probe.ServeBack(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := probe.Broker().Dial(id)
	if err != nil {
		t.Fatal(err)
	}
	client := rpc.NewClient(conn)
	defer func() { _ = client.Close() }()
	var answer string
	if err := client.Call("Plugin.Ask", "why?", &answer); err != nil || answer != "plugin answers why?" {
		t.Errorf("got %q, %v", answer, err)
	}
}

package transportnetrpc_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// also is carried beside it, and not implemented.
var also = core.Define[handle]("also")

func carriesAlso() netrpc.Option {
	return netrpc.Carry(also, nil, func(b *netrpc.Broker, c *netrpc.Client) (handle, error) { return handle{c, b}, nil })
}

func TestPluginServesOnlyThePluginsThatItImplements(t *testing.T) {
	transport := netrpc.New(carriesAlso(), served(newCounter))
	h := rigUp(t, transport).connect(t, nil)
	h.dispense(t).next(t, 1)
	_, err := h.Dispense(within(t), "also")
	var unknown *core.UnknownPluginError
	if !errors.As(err, &unknown) || unknown.Side != "plugin" || !strings.Contains(err.Error(), `"it"`) {
		t.Errorf("got %v, want a core.UnknownPluginError of the plugin's side, with the names there", err)
	}
	_, err = h.Dispense(within(t), "nonesuch")
	if !errors.As(err, &unknown) || unknown.Side != "host" || !slices.Equal(unknown.Known, []string{"also", "it"}) {
		t.Errorf("got %v, want a core.UnknownPluginError of the host's side", err)
	}
	if got := transport.Names(it.Bind(struct{}{})); !slices.Equal(got, []string{"it"}) {
		t.Errorf("the names are %q", got)
	}
}

func TestTransportRefusesPluginsOfOneName(t *testing.T) {
	for name, c := range map[string]struct {
		opts []netrpc.Option
		want string
	}{
		"two of one name": {[]netrpc.Option{served(newCounter), carriesAlso(), served(newUser)}, `name "it"`},
		"no name":         {[]netrpc.Option{netrpc.Carry(core.Plugin[handle, handle]{}, nil, nil)}, "no name"},
	} {
		transport := netrpc.New(c.opts...)
		_, dialErr := transport.Dial(within(t), core.HostLink{})
		_, listenErr := transport.NewServer(within(t), core.PluginLink{})
		for side, err := range map[string]error{"Dial": dialErr, "Listen": listenErr} {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: got %v, want %q", name, side, err, c.want)
			}
		}
	}
}

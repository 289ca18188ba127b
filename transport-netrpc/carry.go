package transportnetrpc

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jackfield-go/jackfield/core"
)

// Carry lets a transport carry the plugin p.
//
// The function server returns the object to serve to one client of impl. Callable
// methods have the form of net/rpc, func (t *T) Name(args A, reply *R) error, with or
// without a context.Context in front; the context ends with the connection. The
// function runs in the plugin, at each Dispense.
//
// The function client returns the host's implementation of C, over c. It runs in the
// host, at each Dispense.
//
// A function may be nil in a program without that side: using the side is an error
// then. Two plugins of one transport have different names.
func Carry[S, C any](
	p core.Plugin[S, C],
	server func(b *Broker, impl S) (any, error),
	client func(b *Broker, c *Client) (C, error),
) Option {
	made := carried{name: p.Name()}
	made.implemented = func(bound core.Implementations) bool {
		_, ok := p.Implementation(bound)
		return ok
	}
	made.server = func(b *Broker, bound core.Implementations) (any, error) {
		impl, _ := p.Implementation(bound)
		if server == nil {
			return nil, errors.New("this program has no server side of the plugin: the server function for Carry is nil")
		}
		return server(b, impl)
	}
	made.client = func(b *Broker, c *Client) (any, error) {
		if client == nil {
			return nil, errors.New("this program has no client side of the plugin: the client function for Carry is nil")
		}
		return client(b, c)
	}
	return optionFunc(func(o *options) { o.carried = append(o.carried, made) })
}

// carried is a plugin of a transport, without its Go types.
type carried struct {
	name        string
	implemented func(bound core.Implementations) bool
	server      func(b *Broker, bound core.Implementations) (any, error) // of an implemented one
	client      func(b *Broker, c *Client) (any, error)
}

// Names returns the names of the plugins in t with an implementation in bound, sorted.
func (t *Transport) Names(bound core.Implementations) []string {
	return t.names(func(c carried) bool { return c.implemented(bound) })
}

// names returns the names of the plugins accepted by fit, sorted.
func (t *Transport) names(fit func(carried) bool) []string {
	names := []string{}
	for _, c := range t.options.carried {
		if fit(c) {
			names = append(names, c.name)
		}
	}
	slices.Sort(names)
	return names
}

func every(carried) bool { return true }

// checkCarried reports plugins without a name of their own.
func (t *Transport) checkCarried() error {
	all := t.names(every)
	for i, name := range all {
		if name == "" {
			return errors.New("a plugin for Carry has no name: make it with core.Define")
		}
		if i > 0 && all[i-1] == name {
			return fmt.Errorf("two plugins for Carry have the name %q: give each transport one", name)
		}
	}
	return nil
}

// find returns the plugin called name among those accepted by fit, or an error with
// their names.
func (t *Transport) find(name, side string, fit func(carried) bool) (carried, error) {
	for _, c := range t.options.carried {
		if c.name == name && fit(c) {
			return c, nil
		}
	}
	return carried{}, &core.UnknownPluginError{Name: name, Side: side, Known: t.names(fit)}
}

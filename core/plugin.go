package core

import (
	"errors"
	"fmt"
	"reflect"
)

// Plugin is the name of a plugin together with its Go types: plugins implement S,
// and hosts call C. An application declares it once, and everything else takes its
// types from there:
//
//	var Plugin = core.Define[Greeter]("greeter")
//
// A transport carries it with a pair of functions, such as those of
// transportnetrpc.Carry; a plugin binds its implementation to it with Bind; a host
// makes a client with host.Dispense. The compiler refuses functions,
// implementations and clients of other types.
//
// Two values with the same name and types are equal, so a program may also make
// one where a name becomes known at run time only. Versions of an application
// with different Go types have one value each, of the same name.
type Plugin[S, C any] struct{ name string }

// Define declares the plugin called name. Plugins implement the interface T and hosts call it. The
// name goes over the wire; a transport refuses an empty name.
func Define[T any](name string) Plugin[T, T] { return Plugin[T, T]{name} }

// DefineSides is Define for two types, as in generated code: plugins implement S, hosts call C.
//
//	var Plugin = core.DefineSides[pb.GreeterServer, pb.GreeterClient]("greeter")
func DefineSides[S, C any](name string) Plugin[S, C] { return Plugin[S, C]{name} }

// Name returns the name.
func (p Plugin[S, C]) Name() string { return p.name }

// Bind ties an implementation to the plugin, for plugin.Config. It returns one
// element; slices.Concat joins those of several plugins. An impl that is nil, or a
// nil pointer, is an error of [Implementations.Validate].
func (p Plugin[S, C]) Bind(impl S) Implementations {
	return Implementations{{name: p.name, of: reflect.TypeFor[S](), plugin: p, impl: impl}}
}

// Implementation returns the implementation bound to the plugin: under the same
// name, with the same types. Without it, ok is false.
func (p Plugin[S, C]) Implementation(bound Implementations) (impl S, ok bool) {
	for _, b := range bound {
		if b.plugin == any(p) {
			impl, ok = b.impl.(S)
			return impl, ok
		}
	}
	return impl, false
}

// Implementations are a program's implementations, each bound to its [Plugin].
type Implementations []Implementation

// Implementation is an implementation bound by [Plugin.Bind]. The zero value is bound to nothing.
type Implementation struct {
	name   string
	of     reflect.Type // S
	plugin any          // a Plugin[S, C]
	impl   any          // an S
}

// String names the plugin and the type of implementations, as in
// "greeter" (greeter.Greeter).
func (i Implementation) String() string {
	if i.plugin == nil {
		return "nothing"
	}
	return fmt.Sprintf("%q (%v)", i.name, i.of)
}

// Validate reports implementations that are nil, bound to nothing, or bound to
// a plugin twice.
func (b Implementations) Validate() error {
	var err error
	seen := make(map[any]bool, len(b))
	for _, i := range b {
		switch {
		case i.plugin == nil:
			err = errors.Join(err, errors.New("an implementation is bound to no plugin: make it with Plugin.Bind"))
		case isNil(i.impl):
			err = errors.Join(err, fmt.Errorf("the implementation of the plugin %v is nil", i))
		case seen[i.plugin]:
			err = errors.Join(err, fmt.Errorf("the plugin %v has two implementations", i))
		}
		seen[i.plugin] = true
	}
	return err
}

// isNil reports whether v is a nil interface or pointer.
func isNil(v any) bool {
	value := reflect.ValueOf(v)
	return !value.IsValid() || value.Kind() == reflect.Pointer && value.IsNil()
}

package plugin

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackfield-go/jackfield/core"
)

// namer is a transport that knows the names of its carried plugins implemented
// by bound; see [core.Transport].
type namer interface {
	Names(bound core.Implementations) []string
}

// names returns the names known to the transports, sorted.
func names(transports []core.Transport, bound core.Implementations) []string {
	var all []string
	for _, transport := range transports {
		if n, ok := transport.(namer); ok {
			all = append(all, n.Names(bound)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// served returns a copy of versions without the versions that bound does not
// implement. A host that knows only those gets a VersionError instead of a
// plugin without any service.
func served(versions core.Versions, bound core.Implementations) core.Versions {
	served := versions.Clone()
	maps.DeleteFunc(served, func(_ int, transports []core.Transport) bool {
		return !serves(transports, bound)
	})
	return served
}

// serves reports whether a plugin of bound serves something over the first
// transport. A transport that does not know its names may.
func serves(transports []core.Transport, bound core.Implementations) bool {
	n, knows := transports[0].(namer)
	return !knows || len(n.Names(bound)) > 0
}

// checkImplements reports a plugin without implementations, and implementations
// not carried by any version.
func (c Config) checkImplements() error {
	var err error
	for _, i := range c.Implements {
		if len(served(c.Versions, core.Implementations{i})) == 0 {
			err = errors.Join(err, fmt.Errorf("no transport in Config.Versions carries the plugin %v of Config.Implements", i))
		}
	}
	if err == nil && len(served(c.Versions, c.Implements)) == 0 {
		err = errors.New("the plugin implements nothing: Config.Implements is empty; " +
			"bind an implementation to what the application defines, as in Implements: greeter.Plugin.Bind(impl)")
	}
	return err
}

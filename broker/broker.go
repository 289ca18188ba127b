// Package broker makes further connections between a host and a plugin from
// their existing connection. Either side allocates an ID ([IDs]) and sends it
// to the other in a call of its own. Then one side accepts connections to the
// ID, and the other dials it.
//
// The package is independent of the data on its connections. [Prefixed] is the
// scheme of protocol §4: a dialer opens a stream of a [Mux] and writes the ID
// on it; the acceptor of this ID writes the same bytes back. Package exchange
// has the schemes of protocol §5. All are configured by a [Config].
//
// After a Close, or the end of the underlying connection, errors match
// [net.ErrClosed] in errors.Is.
package broker

import (
	"errors"
	"strconv"
	"sync/atomic"
)

// ErrUnclaimed is returned by Dial if the other side hung up without accepting:
// nobody there claims the ID.
var ErrUnclaimed = errors.New("nobody accepts this ID at the other side")

// IDs allocates the IDs of one side. The other side counts separately: the same ID may be in use in
// both directions without harm. The zero value is ready for use. It is safe for concurrent use.
type IDs struct{ last atomic.Uint32 }

// Next returns a new ID for this side; the first is 1.
func (i *IDs) Next() uint32 { return i.last.Add(1) }

// Addr is the address of a brokered connection: its ID.
type Addr uint32

// Network returns "broker".
func (Addr) Network() string { return "broker" }

func (a Addr) String() string { return strconv.FormatUint(uint64(a), 10) }

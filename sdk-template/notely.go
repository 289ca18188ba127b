// Package notely is the SDK for plugins of notely. A plugin implements
// [NoteStore] and calls [Serve] in its main function:
//
//	func main() { notely.Serve("memory", version, &memory{}) }
//
// Package notelytest tests an implementation in process. The application opens
// plugins with package notelyhost.
package notely

import (
	"context"
	"errors"
	"iter"

	"github.com/jackfield-go/jackfield/core/plugin"
)

// App is the application's name in files and variables.
const App = "notely"

// NoteStore is the interface of a plugin. Its methods are called from many
// goroutines at once.
type NoteStore interface {
	// Add stores text and returns its item, unless approve returns an error: that
	// is Add's error then. The application may pass nil, a plugin never gets it.
	Add(ctx context.Context, text string, approve Approve) (Item, error)

	// List yields all items, the oldest first. An error ends the sequence.
	List(ctx context.Context) iter.Seq2[Item, error]
}

// Approve decides whether a plugin may store text; a refusal wraps
// [ErrRefused]. It runs in the application, and can be called until Add returns.
type Approve func(ctx context.Context, text string) error

// ErrRefused is the error of an Add that the application did not approve.
var ErrRefused = errors.New("the application refused the text")

// Item is a stored text.
type Item struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Items is a sequence of items, for implementations of List.
func Items(items ...Item) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Serve runs a plugin until the application ends it. The version is semantic;
// it may be empty.
func Serve(name, version string, impl NoteStore) {
	plugin.Serve(plugin.Config{
		Handshake:  Handshake,
		Versions:   Versions,
		Implements: Plugin.Bind(impl),
		Info:       plugin.Info{Name: name, Version: version},
	})
}

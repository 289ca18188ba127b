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

// NoteStore is the interface of a plugin. Its methods must be safe for concurrent calls.
type NoteStore interface {
	// Add stores text and returns its item. If approve returns an error, Add returns that
	// error and stores nothing. The application may pass nil; a plugin always gets a
	// function.
	Add(ctx context.Context, text string, approve Approve) (Item, error)

	// List yields all items, oldest first. An error ends the sequence.
	List(ctx context.Context) iter.Seq2[Item, error]
}

// Approve decides whether a plugin may store text; a refusal wraps [ErrRefused]. It runs in
// the application. A plugin may call it until Add returns.
type Approve func(ctx context.Context, text string) error

// ErrRefused is Add's error for a text without the application's approval.
var ErrRefused = errors.New("the application refused the text")

// Item is a stored text.
type Item struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Items returns a sequence of items, for implementations of List.
func Items(items ...Item) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Serve runs a plugin until the application ends it. version is a semantic version, or
// empty.
func Serve(name, version string, impl NoteStore) {
	plugin.Serve(plugin.Config{
		Handshake:  Handshake,
		Versions:   Versions,
		Implements: Plugin.Bind(impl),
		Info:       plugin.Info{Name: name, Version: version},
	})
}

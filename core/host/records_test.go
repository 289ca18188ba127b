package host_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
)

// record is what a test looks at of a log record.
type record struct {
	level   slog.Level
	message string
	attrs   map[string]string
}

// records is a handler that keeps them.
type records struct {
	mu    *sync.Mutex
	kept  *[]record
	attrs []slog.Attr
	news  chan struct{}
}

func newRecords() records {
	return records{mu: new(sync.Mutex), kept: new([]record), news: make(chan struct{}, 1)}
}

func (r records) logger() *slog.Logger { return slog.New(r) }

func (r records) Enabled(context.Context, slog.Level) bool { return true }

func (r records) Handle(_ context.Context, from slog.Record) error {
	made := record{level: from.Level, message: from.Message, attrs: make(map[string]string)}
	for _, attr := range r.attrs {
		made.attrs[attr.Key] = attr.Value.String()
	}
	from.Attrs(func(attr slog.Attr) bool {
		made.attrs[attr.Key] = attr.Value.String()
		return true
	})
	r.mu.Lock()
	*r.kept = append(*r.kept, made)
	r.mu.Unlock()
	select {
	case r.news <- struct{}{}:
	default:
	}
	return nil
}

func (r records) WithAttrs(attrs []slog.Attr) slog.Handler {
	r.attrs = append(slices.Clone(r.attrs), attrs...)
	return r
}

func (r records) WithGroup(string) slog.Handler { return r }

func (r records) all() []record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(*r.kept)
}

// from returns the records at a level and above it.
func (r records) from(level slog.Level) []record {
	return slices.DeleteFunc(r.all(), func(one record) bool { return one.level < level })
}

// await returns the first record with a message, when it has come.
func (r records) await(t *testing.T, message string) record {
	t.Helper()
	ctx := within(t)
	for {
		for _, one := range r.all() {
			if one.message == message {
				return one
			}
		}
		select {
		case <-r.news:
		case <-ctx.Done():
			t.Fatalf("no record %q came, only %+v", message, r.all())
		}
	}
}

// Package recorder records the log of hashicorp/go-plugin. Some behaviour shows only there,
// such as giving up on an orderly end.
package recorder

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
)

// These are the messages of go-plugin v1.8.0 for killing an unresponsive plugin, and for
// the end of a plugin's process.
const (
	killedMessage = "plugin failed to exit gracefully"
	exitedMessage = "plugin process exited"
)

// Record is one logged message.
type Record struct {
	Level   hclog.Level
	Name    string
	Message string
	Args    []any
}

// String returns "LEVEL name: message key=value".
func (r Record) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s: %s", strings.ToUpper(r.Level.String()), r.Name, r.Message)
	for i := 0; i+1 < len(r.Args); i += 2 {
		fmt.Fprintf(&text, " %v=%v", r.Args[i], r.Args[i+1])
	}
	return text.String()
}

// Value returns the value logged under key, or nil.
func (r Record) Value(key string) any {
	for i := 0; i+1 < len(r.Args); i += 2 {
		if r.Args[i] == key {
			return r.Args[i+1]
		}
	}
	return nil
}

// Recorder keeps every message of its logger. Make one with [New].
type Recorder struct {
	logger hclog.InterceptLogger

	mu      sync.Mutex
	records []Record
	changed chan struct{}
}

// New returns a recorder. It also writes the messages to also, unless also is nil.
func New(also io.Writer) *Recorder {
	if also == nil {
		also = io.Discard
	}
	recorder := &Recorder{changed: make(chan struct{})}
	recorder.logger = hclog.NewInterceptLogger(&hclog.LoggerOptions{
		Name: "host", Level: hclog.Trace, Output: also,
	})
	recorder.logger.RegisterSink(recorder)
	return recorder
}

// Logger returns the logger for go-plugin.
func (r *Recorder) Logger() hclog.Logger { return r.logger }

// Accept records one message; hclog calls it.
func (r *Recorder) Accept(name string, level hclog.Level, message string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, Record{Level: level, Name: name, Message: message, Args: args})
	close(r.changed)
	r.changed = make(chan struct{})
}

// Records returns the messages so far.
func (r *Recorder) Records() []Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Record(nil), r.records...)
}

// AtLeast returns the messages so far at level or above, as text.
func (r *Recorder) AtLeast(level hclog.Level) []string {
	var lines []string
	for _, record := range r.Records() {
		if record.Level >= level {
			lines = append(lines, record.String())
		}
	}
	return lines
}

// Find returns the first record with text in its message.
func (r *Recorder) Find(text string) (Record, bool) {
	record, found, _ := r.find(text)
	return record, found
}

// WaitFor waits for a record with text in its message and returns the first one, or the
// context's error.
func (r *Recorder) WaitFor(ctx context.Context, text string) (Record, error) {
	for {
		record, found, changed := r.find(text)
		if found {
			return record, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Record{}, fmt.Errorf("waiting for the log message %q: %w", text, context.Cause(ctx))
		}
	}
}

func (r *Recorder) find(text string) (Record, bool, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, record := range r.records {
		if strings.Contains(record.Message, text) {
			return record, true, nil
		}
	}
	return Record{}, false, r.changed
}

// Ended returns, from the log, whether go-plugin killed its plugin, and the exit status of
// the process. The caller fills in Exited and Milliseconds.
func (r *Recorder) Ended() shared.Ended {
	_, killed := r.Find(killedMessage)
	ended := shared.Ended{Killed: killed}
	if record, found := r.Find(exitedMessage); found {
		if status := record.Value("error"); status != nil {
			ended.Status = fmt.Sprint(status)
		}
	}
	return ended
}

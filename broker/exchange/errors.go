package exchange

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

var (
	// ErrListening is returned by Listen for an ID that has a listener: the
	// other side could not tell two apart.
	ErrListening = errors.New("this ID has a listener already")

	// ErrReplaced is returned by Run when a later Run has taken over.
	ErrReplaced = errors.New("another control stream has taken over")

	// ErrUnread is returned by Run when the other side asks and asks and does
	// not read the answers.
	ErrUnread = errors.New("the other side does not read the answers to its knocks")
)

// InfoError is returned by Dial when the other side offered the ID with an
// address that cannot be one.
type InfoError struct {
	ID     uint32
	Reason string // what is wrong with the offer
}

// Error names the ID and the reason.
func (e *InfoError) Error() string {
	return fmt.Sprintf("the other side's offer for ID %d is of no use: %s", e.ID, e.Reason)
}

// KnockError is returned by Dial when the other side refused the ID.
type KnockError struct {
	ID   uint32
	Text string // the other side's words, at most 1 KiB of them
}

// Error names the ID and quotes the other side.
func (e *KnockError) Error() string {
	return fmt.Sprintf("the other side refused ID %d: %s", e.ID, e.Text)
}

// noListener is with what words this package refuses a knock that found no
// listener, and what makes its dialer knock again.
const noListener = "jackfield: nobody listens for this number yet"

// maxQuote bounds what errors and records quote of the other side's.
const maxQuote = 1 << 10

func quote(s string) string {
	if len(s) > maxQuote {
		s = s[:maxQuote]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// warner logs what the other side does wrong, at a limited rate, so that it
// cannot fill the host's disk.
type warner struct {
	log *slog.Logger

	mu         sync.Mutex
	until      time.Time // when the present period ends
	left       int       // records that may still come in it
	suppressed int
}

const (
	warnPeriod = time.Second
	warnBurst  = 5
)

// warn logs a record unless there were too many. The next one to come through
// says how many did not.
func (w *warner) warn(ctx context.Context, what string, id uint32) {
	suppressed, ok := w.admit(time.Now())
	if !ok {
		return
	}
	attrs := []slog.Attr{slog.String("problem", what), slog.Uint64("id", uint64(id))}
	if suppressed > 0 {
		attrs = append(attrs, slog.Int("suppressed", suppressed))
	}
	w.log.LogAttrs(ctx, slog.LevelWarn, "ignoring what the other side's broker does", attrs...)
}

func (w *warner) admit(now time.Time) (suppressed int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !now.Before(w.until) {
		w.until, w.left = now.Add(warnPeriod), warnBurst
	}
	if w.left == 0 {
		w.suppressed++
		return 0, false
	}
	w.left--
	suppressed, w.suppressed = w.suppressed, 0
	return suppressed, true
}

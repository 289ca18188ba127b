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
	// ErrListening is returned by Listen for an ID with a listener: the other
	// side could not distinguish two.
	ErrListening = errors.New("this ID has a listener already")

	// ErrReplaced is returned by Run after a later Run has taken over.
	ErrReplaced = errors.New("another control stream has taken over")

	// ErrUnread is returned by Run if the other side keeps knocking without
	// reading the answers.
	ErrUnread = errors.New("the other side does not read the answers to its knocks")
)

// OfferError is returned by Dial if the other side's offer for the ID has an
// invalid address.
type OfferError struct {
	ID     uint32
	Reason string // the fault in the offer
}

// Error names the ID and the reason.
func (e *OfferError) Error() string {
	return fmt.Sprintf("the other side's offer for ID %d is invalid: %s", e.ID, e.Reason)
}

// RefusedError is returned by Dial if the other side refused the ID.
type RefusedError struct {
	ID   uint32
	Text string // the other side's text, at most 1 KiB
}

// Error names the ID and quotes the other side.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("the other side refused ID %d: %s", e.ID, e.Text)
}

// noListener is this package's refusal of a knock without a listener. Its
// dialer then knocks again.
const noListener = "jackfield: nobody listens for this number yet"

// maxQuote limits the other side's text in errors and records.
const maxQuote = 1 << 10

func quote(s string) string {
	if len(s) > maxQuote {
		s = s[:maxQuote]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// warner logs errors of the other side at a limited rate, so that they cannot
// fill the host's disk.
type warner struct {
	log *slog.Logger

	mu         sync.Mutex
	until      time.Time // end of the current period
	left       int       // number of records still allowed in it
	suppressed int
}

const (
	warnPeriod = time.Second
	warnBurst  = 5
)

// warn logs a record unless there were too many. The next record logged gives
// the number of suppressed records.
func (w *warner) warn(ctx context.Context, what string, id uint32) {
	suppressed, ok := w.admit(time.Now())
	if !ok {
		return
	}
	attrs := []slog.Attr{slog.String("problem", what), slog.Uint64("id", uint64(id))}
	if suppressed > 0 {
		attrs = append(attrs, slog.Int("suppressed", suppressed))
	}
	w.log.LogAttrs(ctx, slog.LevelWarn, "ignoring an error of the other side's broker", attrs...)
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

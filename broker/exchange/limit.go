package exchange

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

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

package logline

import (
	"bytes"
	"log/slog"
	"sync"
	"time"
)

// startsPanic tells whether line is the first of the text that the Go runtime
// writes when a program dies.
func startsPanic(line []byte) bool {
	return bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("fatal error: "))
}

// A panicText gathers the lines of a panic into one record. It is used by the
// pump and by its own timer.
type panicText struct {
	out   output
	limit int           // bytes of one record
	delay time.Duration // how long to wait for more; less than 0 is for ever

	begun bool // there was a panic; the pump's alone

	mu       sync.Mutex
	text     []byte // the lines, with a newline between them
	open     bool   // more lines belong to the text
	first    bool   // the text has the panic's own first line
	resume   bool   // the next plain line goes on with the text
	deadline time.Time
	armed    bool // the timer's function is still to run
	timer    *time.Timer
	timers   sync.WaitGroup
}

// take keeps line if it belongs to a panic's text.
func (p *panicText) take(line []byte) bool {
	starts := startsPanic(line)
	if !p.begun && !starts {
		return false
	}
	p.begun = true
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open && len(p.text)+1+len(line) > p.limit {
		p.flush()
		p.resume = true
	}
	switch {
	case p.open:
		p.text = append(append(p.text, '\n'), line...)
	case starts, p.resume && resumes(line):
		p.text = append(p.text, line...)
		p.open, p.first, p.resume = true, starts, false
	default:
		return false
	}
	p.wait()
	return true
}

// resumes tells whether line can go on with a panic's text that was cut. What
// names its own level does not.
func resumes(line []byte) bool {
	_, _, leveled := levelPrefixed(line)
	return len(line) > 0 && !leveled
}

// interrupt logs the text so far: a record of the plugin's stands behind it.
// What remains of a panic follows, since other goroutines can log between the
// runtime's first line and its trace.
func (p *panicText) interrupt() {
	if !p.begun {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open {
		p.flush()
		p.resume = true
	}
}

// close logs what is left and waits for the timer's function.
func (p *panicText) close() {
	p.mu.Lock()
	if p.open {
		p.flush()
	}
	if p.timer != nil && p.timer.Stop() {
		p.timers.Done()
	}
	p.mu.Unlock()
	p.timers.Wait()
}

// wait sees to it that the text is logged when nothing follows.
func (p *panicText) wait() {
	if p.delay < 0 {
		return
	}
	p.deadline = time.Now().Add(p.delay)
	if !p.armed {
		p.arm(p.delay)
	}
}

func (p *panicText) arm(delay time.Duration) {
	p.armed = true
	p.timers.Add(1)
	p.timer = time.AfterFunc(delay, p.expire)
}

// expire is the timer's function. It logs a text that has waited long enough;
// the plugin lives on, so what it writes from now on is no part of it.
func (p *panicText) expire() {
	defer p.timers.Done()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = false
	if !p.open {
		return
	}
	if rest := time.Until(p.deadline); rest > 0 {
		p.arm(rest)
		return
	}
	p.flush()
}

// flush logs the text as one record.
func (p *panicText) flush() {
	p.open = false
	message, stack, _ := bytes.Cut(bytes.TrimRight(p.text, "\n"), []byte{'\n'})
	var attrs []slog.Attr
	if len(stack) > 0 {
		attrs = append(attrs, slog.String("stack", string(bytes.TrimLeft(stack, "\n"))))
	}
	if !p.first {
		attrs = append(attrs, slog.Bool("continued", true))
	}
	p.out.text(slog.LevelError, message, attrs...)
	p.text = nil // it was for once, and may be large
}

package logline

import (
	"bytes"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// headings begin the last text of a dying program. The first group is the Go
// runtime's, the others belong to C and C++, Rust and Python.
var headings = []string{
	"panic: ", "fatal error: ", "unexpected fault address ",
	"runtime: goroutine stack exceeds ", "runtime: out of memory", "runtime: panic before malloc heap initialized",
	"runtime: program exceeds ", "runtime: address space conflict", "runtime: failed to create new OS thread",
	"*** stack smashing detected ***", "*** buffer overflow detected ***", "double free or corruption ",
	"free(): ", "malloc(): ", "corrupted size vs. prev_size", "terminate called ",
	"thread 'main' panicked at ", "Fatal Python error: ",
}

// signals are the Go runtime's first lines for a fatal signal without a
// handler.
var signals = []string{
	"SIGQUIT: quit", "SIGILL: illegal instruction", "SIGTRAP: trace trap", "SIGABRT: abort",
	"SIGEMT: emulate instruction executed", "SIGFPE: floating-point exception", "SIGBUS: bus error",
	"SIGSEGV: segmentation violation", "SIGSYS: bad system call", "SIGSTKFLT: stack fault",
	"SIGXCPU: cpu limit exceeded", "SIGXFSZ: file size limit exceeded",
}

// IsDeathHeading reports whether line begins the last text of a dying program.
func IsDeathHeading[Text string | []byte](line Text) bool {
	for _, heading := range headings {
		if len(line) >= len(heading) && string(line[:len(heading)]) == heading {
			return true
		}
	}
	return len(line) > 3 && string(line[:3]) == "SIG" && slices.Contains(signals, string(line))
}

// isTrace reports whether line belongs to the Go runtime's trace of a dying program and rarely
// occurs elsewhere: a goroutine's head, a frame, its file position.
func isTrace(line []byte) bool {
	switch {
	case bytes.HasPrefix(line, []byte("\t")), bytes.HasPrefix(line, []byte("goroutine ")),
		bytes.HasPrefix(line, []byte("created by ")), bytes.HasPrefix(line, []byte("runtime stack:")),
		bytes.HasPrefix(line, []byte("runtime: ")), bytes.HasPrefix(line, []byte("[signal ")),
		bytes.HasPrefix(line, []byte("[originating from ")), bytes.HasPrefix(line, []byte("PC=")),
		bytes.HasPrefix(line, []byte("...")): // "...500 frames elided..."
		return true
	}
	function, _, called := bytes.Cut(line, []byte("("))
	return called && bytes.HasSuffix(line, []byte(")")) && !bytes.ContainsAny(function, " \t")
}

// isOutermost reports whether line is the last frame of a goroutine's trace.
func isOutermost(line []byte) bool {
	return bytes.HasPrefix(line, []byte("created by ")) || bytes.HasPrefix(line, []byte("main.main(")) ||
		bytes.HasPrefix(line, []byte("runtime.goexit("))
}

// A panicText collects the lines of a panic into one record. The pump and its
// timer use it.
type panicText struct {
	out   output
	limit int           // bytes of one record
	delay time.Duration // how long to wait for more lines; negative is forever

	begun bool // a panic has occurred; only the pump uses this

	mu       sync.Mutex
	text     []byte // the lines, with a newline between them
	open     bool   // more lines belong to the text
	first    bool   // the text includes the panic's own first line
	resume   bool   // the next plain line continues the text
	trace    bool   // the runtime's trace has begun
	outer    bool   // the last line is the outermost frame of a goroutine
	whole    bool   // the last goroutine in the text is complete
	deadline time.Time
	armed    bool // the timer's function has yet to run
	timer    *time.Timer
	timers   sync.WaitGroup
}

// take keeps line if it belongs to a panic's text.
func (p *panicText) take(line []byte) bool {
	starts := IsDeathHeading(line)
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
	case starts, p.resume && resumes(line), p.trace && isTrace(line):
		p.text = append(p.text, line...)
		p.open, p.first, p.resume = true, starts, false
		p.trace = p.trace && !starts
	default:
		return false
	}
	p.follow(line)
	p.wait()
	return true
}

// follow tracks the trace, so that a pause inside it does not end the text: the runtime needs
// seconds to walk the stack of an endless recursion.
func (p *panicText) follow(line []byte) {
	if len(line) == 0 {
		return
	}
	place := line[0] == '\t'
	p.whole = place && p.outer
	p.outer = !place && isOutermost(line)
	p.trace = p.trace || isTrace(line)
}

// resumes reports whether line can continue a cut panic text. Lines with a
// level cannot.
func resumes(line []byte) bool {
	return len(line) > 0 && !readPrefix(line).leveled
}

// interrupt logs the text so far, ahead of a record of the plugin's. The rest
// of the panic follows later, since other goroutines can log between the
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

// close logs the rest and waits for the timer's function.
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

// wait arms the timer to log the text if nothing follows.
func (p *panicText) wait() {
	if p.delay < 0 {
		return
	}
	delay := p.delay
	if p.trace && !p.whole {
		delay *= unfinished
	}
	p.deadline = time.Now().Add(delay)
	switch {
	case !p.armed:
		p.arm(delay)
	case p.timer.Stop():
		p.timer.Reset(delay)
	} // otherwise its function is about to run and checks the deadline
}

// unfinished multiplies the delay of a text in the middle of a goroutine's trace: programs rarely
// print half a trace and live on.
const unfinished = 50

func (p *panicText) arm(delay time.Duration) {
	p.armed = true
	p.timers.Add(1)
	p.timer = time.AfterFunc(delay, p.expire)
}

// expire is the timer's function. It logs a text after its deadline. The plugin
// lives on, so its later output is not part of the text.
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
	p.text = nil // rarely needed, and may be large
}

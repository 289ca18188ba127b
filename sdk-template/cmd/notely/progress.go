package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/jackfield-go/jackfield/discovery"
)

// progress draws a bar on a terminal, for what takes longer than a moment.
type progress struct {
	w     io.Writer
	since time.Time
	stage string
	bar   *progressbar.ProgressBar
}

func newProgress(w io.Writer) *progress {
	if file, ok := w.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
		w = nil
	}
	return &progress{w: w, since: time.Now()}
}

func (p *progress) show(now discovery.Progress) {
	if p.w == nil || time.Since(p.since) < 500*time.Millisecond {
		return
	}
	if p.bar == nil || p.stage != now.Stage {
		p.clear()
		p.stage = now.Stage
		p.bar = progressbar.NewOptions64(now.Total,
			progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(now.Stage),
			progressbar.OptionShowBytes(true), progressbar.OptionThrottle(100*time.Millisecond))
	}
	_ = p.bar.Set64(now.Done)
}

// clear removes the bar.
func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
